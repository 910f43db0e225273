// See private_reader.hpp.
#include "ring/readers/private_reader.hpp"

#include <algorithm>
#include <cassert>

#include "ring/tuning.hpp"

namespace beltway::detail {

InlineReceiver::View InlineReceiver::next_in_lane() noexcept {
  ring::SlotView seen;
  if (read_ % k_positions_per_counter_store == 0 || !static_cast<ring::PrivateReader*>(this)->next_if_ready(seen))
    return {};
  return {seen.data, seen.position, seen.size, seen.producer, seen.properties_bytes};
}

}  // namespace beltway::detail

namespace beltway::ring {

PrivateReader::PrivateReader(const QueueMemory& memory, unsigned group, Position start)
    : memory_(memory), beyond_floor_(group < memory.geometry.max_groups ? 0 : (memory.geometry.slots + 63) / 64) {
  const std::uint64_t slots = memory.geometry.slots;
  slots_ = memory.ring + k_slots_offset;
  slot_mask_ = memory.mask();
  slot_bytes_ = memory.geometry.slot_bytes;
  floor_store_lag_max_ = std::max<std::uint64_t>(1, slots / 4);
  floor_store_lag_ = std::min(k_floor_store_lag, slots / 16);
  shared_floor_ = &memory.group(group).floor;
  notice_word_ = &memory.shared_status().notice;
  sleepers_ = &memory.shared_status().producer_sleepers;
  read_ = wrap(start - 1);
  step();
  floor_ = start;
  stored_ = start;
  lane_end_ = start;
}

bool PrivateReader::skip_empty_slots() noexcept {
  bool stored = false;
  for (std::uint32_t i = 0; i < memory_.geometry.slots; ++i) {
    // Pairs with Claimer::commit() and void_claim().
    const SlotState state = SlotState::of(slot_->state.load_acquire());
    if (state.position != read() || (state.phase != SlotPhase::voided && state.phase != SlotPhase::reclaimed)) break;
    step();
    stored = release(state.position) || stored;
  }
  return stored;
}

ReadResult PrivateReader::next_uncommon(SlotView& view) noexcept {
  for (std::uint32_t skipped = 0; skipped < memory_.geometry.slots; ++skipped) {
    // Pairs with the release of READY in Claimer::commit(): what the producer wrote is visible.
    const Slot& slot = *slot_;
    const SlotState state = SlotState::of(slot.state.load_acquire());
    // plant: private_reader_takes_claimed
    if (state.position != read() || state.phase == SlotPhase::claimed) [[unlikely]]
      return not_ready(state);
    const bool is_empty = state.phase == SlotPhase::voided || state.phase == SlotPhase::reclaimed;
    step();
    const bool is_message = !is_empty && view_slot(memory_, slot, state, view);
    const bool is_expired = is_message && is_overdue(view);
    if (is_message && !is_expired) {
      lane_end_ = read();
      return ReadResult::message;
    }
    release(state.position);
    if (!is_empty) return is_expired ? ReadResult::expired : ReadResult::corrupt;
  }
  return ReadResult::again;
}

ReadResult PrivateReader::not_ready(SlotState state) noexcept {
  const std::int64_t ahead = distance(state.position, read());
  const std::int64_t slots = memory_.geometry.slots;
  // Only what a producer may have claimed is believed: any other number is a slot in disorder, which the daemon heals.
  if (ahead <= 0 || ahead % slots != 0 || distance(state.position, load_tail(memory_)) >= 0) return ReadResult::empty;
  const Position position = read();
  step();
  release(position);
  return ReadResult::corrupt;
}

bool PrivateReader::release(Position position) noexcept {
  assert(distance(position, floor_) >= 0 && distance(position, read_) < 0);
  if (position == floor() && out_of_order_ == 0) [[likely]] {
    floor_ = wrap(floor() + 1);
  } else {
    release_out_of_order(position);
  }
  if (held_count() != 0 && distance(floor(), stored_) < static_cast<std::int64_t>(floor_store_lag_max_)) return false;
  return store_floor();
}

void PrivateReader::release_out_of_order(Position position) noexcept {
  const auto bit_of = [&](Position p) -> std::pair<std::uint64_t&, std::uint64_t> {
    const std::uint64_t index = p & memory_.mask();
    return {beyond_floor_[index / 64], 1ULL << index % 64};
  };
  if (position != floor()) {
    const auto [word, bit] = bit_of(position);
    assert((word & bit) == 0);  // it is released once
    word |= bit;
    ++out_of_order_;
    return;
  }
  floor_ = wrap(floor() + 1);
  while (out_of_order_ != 0) {
    const auto [word, bit] = bit_of(floor());
    if ((word & bit) == 0) break;
    word &= ~bit;
    --out_of_order_;
    floor_ = wrap(floor() + 1);
  }
}

bool PrivateReader::store_floor() noexcept {
  assert(distance(stored_, floor_) <= 0 && distance(floor_, read_) <= 0);
  if (stored_ == floor()) return false;
  // Pairs with the acquire of the floor in lowest_floor(): our reads are done before a producer writes.
  shared_floor_->store_release(floor());
  stored_ = floor();
  return true;
}

bool PrivateReader::restore_floor() noexcept {
  if (wrap(shared_floor_->load_relaxed()) == stored_) [[likely]]
    return false;
  shared_floor_->store_release(stored_);
  return true;
}

}  // namespace beltway::ring
