// See private_reader.hpp.
#include "ring/readers/private_reader.hpp"

#include <algorithm>

#include "ring/tuning.hpp"

namespace beltway {

PrivateReader::PrivateReader(const QueueMemory& map, unsigned group, Position start, detail::InlineReceiver& quick)
    : map_(map), quick_(quick), beyond_floor_((map.geometry.slots + 63) / 64) {
  using Quick = detail::InlineReceiver;
  static_assert(Quick::k_owner_mask == SlotState::k_owner_mask &&
                Quick::k_ready == static_cast<std::uint64_t>(SlotPhase::ready) &&
                Quick::k_state_shift == 64 - k_position_bits && Quick::k_payload_word * sizeof(Word) == sizeof(Slot));
  const std::uint64_t slots = map.geometry.slots;
  quick.slots_ = map.ring + k_slots_offset;
  quick.slot_mask_ = map.mask();
  quick.slot_bytes_ = map.geometry.slot_bytes;
  quick.floor_store_lag_max_ = std::max<std::uint64_t>(1, slots / 4);
  quick.floor_store_lag_ = std::min(k_floor_store_lag, slots / 16);
  quick.shared_floor_ = &map.group(group).floor;
  quick.notice_word_ = &map.shared_status().notice;
  quick.sleepers_ = &map.shared_status().producer_sleepers;
  quick.read_ = wrap(start - 1);
  quick.step();
  quick.floor_ = start;
  quick.stored_ = start;
  quick.lane_end_ = start;
}

bool PrivateReader::skip_what_is_no_message() noexcept {
  for (std::uint32_t i = 0; i < map_.geometry.slots; ++i) {
    // Pairs with Claimer::ready() and voided().
    const SlotState state = SlotState::of(slot().state.load_acquire());
    if (state.position != read() || (state.phase != SlotPhase::voided && state.phase != SlotPhase::reclaimed)) break;
    quick_.step();
  }
  quick_.floor_ = read();
  quick_.lane_end_ = read();
  return store_floor();
}

ReadResult PrivateReader::not_ready(SlotState state) noexcept {
  const std::int64_t ahead = distance(state.position, read());
  const std::int64_t slots = map_.geometry.slots;
  // Only what a producer may have claimed is believed: any other number is a slot in disorder, which the daemon heals.
  if (ahead <= 0 || ahead % slots != 0 || distance(state.position, load_tail(map_)) >= 0) return ReadResult::empty;
  const Position position = read();
  quick_.step();
  release(position);
  return ReadResult::corrupt;
}

void PrivateReader::release_out_of_order(Position position) noexcept {
  const auto bit_of = [&](Position p) -> std::pair<std::uint64_t&, std::uint64_t> {
    const std::uint64_t index = p & map_.mask();
    return {beyond_floor_[index / 64], 1ULL << index % 64};
  };
  if (position != floor()) {
    const auto [word, bit] = bit_of(position);
    word |= bit;
    ++quick_.out_of_order_;
    return;
  }
  quick_.floor_ = wrap(floor() + 1);
  while (quick_.out_of_order_ != 0) {
    const auto [word, bit] = bit_of(floor());
    if ((word & bit) == 0) break;
    word &= ~bit;
    --quick_.out_of_order_;
    quick_.floor_ = wrap(floor() + 1);
  }
}

}  // namespace beltway
