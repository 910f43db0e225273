// See lossy_reader.hpp.
#include "ring/readers/lossy_reader.hpp"

#include <algorithm>
#include <cassert>

#include "ring/floors.hpp"

namespace beltway::ring {

ReadResult LossyReader::oldest(SlotView& view) {
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
    const ReadResult taken = take(read_, word, view);
    if (taken != ReadResult::again) return taken;
    lose(1);
  }
  return ReadResult::again;
}

ReadResult LossyReader::newest(SlotView& view) {
  std::uint64_t word = 0;
  bool overtaken = false;
  const std::optional<Position> found = find_newest(load_tail(memory_), word, overtaken);
  // plant: overtaken_newest_is_empty
  if (!found) return overtaken ? ReadResult::again : ReadResult::empty;
  return take(*found, word, view);
}

std::optional<Position> LossyReader::find_newest(Position tail, std::uint64_t& word, bool& overtaken) noexcept {
  const std::int64_t unread = distance(tail, read_);
  bool may_come = false;
  std::int64_t voided = 0;
  for (std::int64_t age = 1; age <= std::min<std::int64_t>(unread, memory_.geometry.slots); ++age) {
    const Position position = wrap(tail - static_cast<Position>(age));
    // Pairs with the release of READY in Claimer::commit().
    word = memory_.slot(position).state.load_acquire();
    if (SlotState::is_ready(word, position)) return position;
    const SlotState state = SlotState::of(word);
    // Only what a producer may have claimed is believed, as in lose_overtaken().
    const std::int64_t ahead = distance(state.position, position);
    overtaken = overtaken ||
                (ahead > 0 && ahead % memory_.geometry.slots == 0 && distance(state.position, load_tail(memory_)) < 0);
    const bool is_voided = state.phase == SlotPhase::voided;
    // plant: newest_passes_what_is_claimed
    may_come = may_come || state.position != position || (!is_voided && state.phase != SlotPhase::reclaimed);
    voided += is_voided ? 1 : 0;
  }
  if (unread > 0 && !may_come) {
    lose(static_cast<std::uint64_t>(unread - voided));
    read_ = tail;
  }
  return std::nullopt;
}

ReadResult LossyReader::take(Position position, std::uint64_t word, SlotView& view) {
  const Slot& slot = memory_.slot(position);
  const bool sound = view_slot(memory_, SlotState::of(word), view);
  bool expired = false;
  if (sound) {
    const std::uint64_t stamp_us = load_stamp(memory_, position);
    expired = is_expired(view, stamp_us);
    copy(view, stamp_us);
  }
  if (!is_unchanged(memory_, slot, word)) return ReadResult::again;
  lose(static_cast<std::uint64_t>(distance(position, read_)));
  read_ = wrap(position + 1);
  memory_.group(group_).floor.store_relaxed(read_);
  view.data = nullptr;
  view.lost = lost_before_;
  if (!sound) return ReadResult::corrupt;
  if (expired) return ReadResult::expired;
  lost_before_ = 0;
  used_ = next_offset(offset_, view.bytes());
  return ReadResult::message;
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

bool LossyReader::is_expired(const SlotView& view, std::uint64_t stamp_us) const noexcept {
  if (view.properties_bytes != 0 && is_overdue(view)) return true;
  return ttl_us_ != 0 && stamp_us != 0 && age_us(stamp_us, stamp_clock_us(stamps_)) > ttl_us_;
}

void LossyReader::copy(const SlotView& view, std::uint64_t stamp_us) {
  offset_ = used_;
  const std::size_t bytes = view.bytes();
  // Grows to the largest batch once; vectors of std::byte are aligned to 16 bytes by the allocator.
  const std::size_t end = offset_ + k_stamp_bytes + bytes;
  if (copies_.size() < end) copies_.resize(end * 2);
  assert(end <= copies_.size());
  std::memcpy(copies_.data() + offset_, &stamp_us, sizeof stamp_us);
  copy_racing(copies_.data() + offset_ + k_stamp_bytes, view.data - view.properties_bytes, bytes);
}

}  // namespace beltway::ring
