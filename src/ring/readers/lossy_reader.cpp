// See lossy_reader.hpp.
#include "ring/readers/lossy_reader.hpp"

#include <cassert>

#include "ring/floors.hpp"

namespace beltway::ring {

ReadResult LossyReader::next(SlotView& view) {
  const std::uint64_t slots = memory_.geometry.slots;
  for (std::uint64_t attempt = 0; attempt < slots + k_attempts; ++attempt) {
    const Slot& slot = memory_.slot(read_);
    const std::uint64_t word = slot.state.load_acquire();
    const SlotState state = SlotState::of(word);
    if (state.position != read_) {
      if (!lose_overtaken(state.position)) return ReadResult::empty;
      continue;
    }
    if (state.phase == SlotPhase::claimed) return ReadResult::empty;
    if (state.phase == SlotPhase::voided) {
      read_ = wrap(read_ + 1);
      continue;
    }
    if (state.phase == SlotPhase::reclaimed) {
      lose(1);
      continue;
    }
    const bool sound = view_slot(memory_, state, view);
    if (sound) copy(view);
    if (!is_unchanged(memory_, slot, word)) {
      lose(1);
      continue;
    }
    read_ = wrap(read_ + 1);
    memory_.group(group_).floor.store_relaxed(read_);
    if (!sound) return ReadResult::corrupt;
    view.data = nullptr;
    view.lost = lost_before_;
    lost_before_ = 0;
    used_ = next_offset(offset_, view.bytes());
    return ReadResult::message;
  }
  return ReadResult::again;
}

bool LossyReader::lose_overtaken(Position found) noexcept {
  const std::int64_t ahead = distance(found, read_);
  const std::int64_t slots = memory_.geometry.slots;
  // Only what a producer may have claimed is believed: any other number is a slot in disorder, which the daemon heals.
  if (ahead < 0 || ahead % slots != 0 || distance(found, load_tail(memory_)) >= 0) return false;
  // The slot is `ahead` positions further, whole laps: everything up to a lap before it is overwritten.
  lose(static_cast<std::uint64_t>(ahead - slots + 1));
  return true;
}

void LossyReader::copy(const SlotView& view) {
  offset_ = used_;
  const std::size_t bytes = view.bytes();
  // Grows to the largest batch once; vectors of std::byte are aligned to 16 bytes by the allocator.
  if (copies_.size() < offset_ + bytes) copies_.resize((offset_ + bytes) * 2);
  assert(offset_ + bytes <= copies_.size());
  copy_racing(copies_.data() + offset_, view.data - view.properties_bytes, bytes);
}

}  // namespace beltway::ring
