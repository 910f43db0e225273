// Reading a private reliable group: its one consumer reads in place, in order, and moves the floor behind what it has let go.
//
// Messages may be let go in any order; the floor passes a position when all before it are let go. It is stored when
// nothing is held any more, and at latest every quarter of the ring: one store a batch.
//
// Thread safety: belongs to its consumer's thread. Shared words: the group's floor, written here alone.
#pragma once

#include <cstdint>
#include <vector>

#include "slot_view.hpp"

namespace beltway {

enum class Look : std::uint8_t {
  message,
  empty,
  corrupt,  ///< the message at this position made no sense and was skipped
  again,    ///< a whole ring of positions was skipped, or peers were faster: ask again before believing in empty
};

class PrivateReader {
 public:
  PrivateReader(const QueueMap& map, unsigned group, Position start);

  /// The common case of next(): a sound message that is there. False: ask next().
  [[nodiscard]] bool next_if_ready(SlotView& view) noexcept {
    // Pairs with the release of READY in Claimer::ready(): what the producer wrote is visible.
    const Slot& slot = *slot_;
    const std::uint64_t word = slot.state.load_acquire();
    // One comparison for position and phase, whoever the owner is.
    if ((word & ~SlotState::k_owner_mask) != SlotState{read_, 0, SlotPhase::ready}.word()) return false;
    if (!view_slot(map_, slot, SlotState::of(word), view)) return false;
    step();
    return true;
  }

  /// The next message, in place; it stays until let_go().
  [[nodiscard]] Look next(SlotView& view) noexcept {
    for (std::uint32_t skipped = 0; skipped < map_.geometry.slots; ++skipped) {
      // Pairs with the release of READY in Claimer::ready(): what the producer wrote is visible.
      const Slot& slot = *slot_;
      const SlotState state = SlotState::of(slot.state.load_acquire());
      if (state.position != read_ || state.phase == SlotPhase::claimed) return Look::empty;
      const Position position = read_;
      step();
      if (state.phase == SlotPhase::ready) [[likely]] {
        if (view_slot(map_, slot, state, view)) [[likely]]
          return Look::message;
        let_go(position);
        return Look::corrupt;
      }
      let_go(position);  // VOID or GONE: nothing to deliver
    }
    return Look::again;
  }

  /// Lets one message go. True if the floor was stored: then producers that sleep for room may be woken.
  bool let_go(Position position) noexcept {
    --held_;
    if (position == floor_ && out_of_order_ == 0) [[likely]] {
      floor_ = wrap(floor_ + 1);
    } else {
      let_go_out_of_order(position);
    }
    if (held_ != 0 && distance(floor_, stored_) < quarter_) return false;
    return store_floor();
  }

  /// The common case of let_go(): the only message held. False: nothing was done.
  bool let_go_only(Position position) noexcept {
    if (held_ != 1 || position != floor_ || out_of_order_ != 0) return false;
    held_ = 0;
    floor_ = wrap(floor_ + 1);
    store_floor();
    return true;
  }

  [[nodiscard]] Position floor() const noexcept { return floor_; }
  [[nodiscard]] Position read() const noexcept { return read_; }
  [[nodiscard]] std::uint64_t held() const noexcept { return held_; }

 private:
  void step() noexcept {
    read_ = wrap(read_ + 1);
    slot_ = &map_.slot(read_);
    ++held_;
  }
  void let_go_out_of_order(Position position) noexcept;
  /// Release: pairs with the acquire of the floor in lowest_floor(); our reads are done before a producer writes.
  bool store_floor() noexcept {
    if (stored_ == floor_) return false;
    map_.group(group_).floor.store_release(floor_);
    stored_ = floor_;
    return true;
  }

  const QueueMap map_;
  const unsigned group_;
  const std::int64_t quarter_;
  Position read_;     // the next position to read
  const Slot* slot_;  // its slot
  Position floor_;    // all before it are let go
  Position stored_;   // what the shared floor says
  std::uint64_t held_ = 0;
  std::uint64_t out_of_order_ = 0;           // let go beyond the floor
  std::vector<std::uint64_t> beyond_floor_;  // a bit a slot: let go beyond the floor
};

}  // namespace beltway
