// Reading a private reliable group: its one consumer reads in place, in order, and moves the floor behind what it has let go.
//
// Messages may be let go in any order; the floor passes a position when all before it are let go. It is stored when nothing
// is held any more, and at latest every quarter of the ring: one store a batch. Who takes messages one by one, and has
// the next before it, stores every few positions only: a producer that fills the ring as fast as it is emptied looks
// at the floor all the time, and each look takes its line away from us.
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

  /// The common case of next_if_ready(): the message lies in its slot.
  [[nodiscard]] bool next_if_in_slot(SlotView& view) noexcept {
    // Pairs with the release of READY in Claimer::ready(): what the producer wrote is visible.
    const Slot& slot = *slot_;
    const std::uint64_t word = slot.state.load_acquire();
    if (!is_ready(word)) return false;
    if (!view_in_slot(map_, slot, SlotState::of(word), SlotMeta::of(slot.meta.load_relaxed()), view)) return false;
    step();
    return true;
  }
  /// The common case of next(): a sound message that is there. False: ask next().
  [[nodiscard]] bool next_if_ready(SlotView& view) noexcept {
    const Slot& slot = *slot_;
    const std::uint64_t word = slot.state.load_acquire();  // as in next_if_in_slot()
    if (!is_ready(word)) return false;
    if (!view_slot(map_, slot, SlotState::of(word), view)) return false;
    step();
    if (view.data != slot.payload()) lane_end_ = read_;
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
        if (view_slot(map_, slot, state, view)) [[likely]] {
          if (view.data != slot.payload()) lane_end_ = read_;
          return Look::message;
        }
        let_go(position);
        return Look::corrupt;
      }
      let_go(position);  // VOID or GONE: nothing to deliver
    }
    return Look::again;
  }

  /// Lets one message go. True if the floor was stored: then producers that sleep for room may be woken.
  bool let_go(Position position) noexcept {
    if (position == floor_ && out_of_order_ == 0) [[likely]] {
      floor_ = wrap(floor_ + 1);
    } else {
      let_go_out_of_order(position);
    }
    if (held() != 0 && distance(floor_, stored_) < quarter_) return false;
    return store_floor();
  }

  enum class LetGo : std::uint8_t {
    nothing_done,  ///< ask let_go()
    kept,          ///< the floor will be stored with one of the next messages, which are there
    stored,        ///< as true of let_go()
  };
  /// The common case of let_go(): in order.
  LetGo let_go_now(Position position) noexcept {
    if (position != floor_ || out_of_order_ != 0) return LetGo::nothing_done;
    floor_ = wrap(position + 1);
    const std::int64_t behind = distance(floor_, stored_);
    if (floor_ != read_ ? behind < quarter_ : behind < few_ && may_wait()) return LetGo::kept;
    return store_floor() ? LetGo::stored : LetGo::kept;
  }

  /// A message is there to be taken.
  [[nodiscard]] bool is_next_ready() const noexcept { return is_ready(slot_->state.load_relaxed()); }
  [[nodiscard]] Position floor() const noexcept { return floor_; }
  [[nodiscard]] Position read() const noexcept { return read_; }
  [[nodiscard]] std::uint64_t held() const noexcept {
    return static_cast<std::uint64_t>(distance(read_, floor_)) - out_of_order_;
  }

 private:
  /// True if `word` says that the message at `read_` is there. One comparison for position and phase, whoever the owner is.
  [[nodiscard]] bool is_ready(std::uint64_t word) const noexcept {
    return (word & ~SlotState::k_owner_mask) == SlotState{read_, 0, SlotPhase::ready}.word();
  }
  void step() noexcept {
    read_ = wrap(read_ + 1);
    slot_ = &map_.slot(read_);
  }
  /// Nothing is held: may the floor be stored later? Not if a message in a lane was among those that were let go, which may
  /// hold much memory.
  [[nodiscard]] bool may_wait() const noexcept { return distance(lane_end_, stored_) <= 0 && is_next_ready(); }
  void let_go_out_of_order(Position position) noexcept;
  /// Release: pairs with the acquire of the floor in lowest_floor(); our reads are done before a producer writes.
  bool store_floor() noexcept {
    if (stored_ == floor_) return false;
    shared_floor_.store_release(floor_);
    stored_ = floor_;
    return true;
  }

  const QueueMap map_;
  Word& shared_floor_;
  const std::int64_t quarter_;
  const std::int64_t few_;          // positions that the stored floor may be behind while the next message is there
  Position read_;                   // the next position to read
  const Slot* slot_;                // its slot
  Position floor_;                  // all before it are let go
  Position stored_;                 // what the shared floor says
  Position lane_end_;               // behind the newest message in a lane
  std::uint64_t out_of_order_ = 0;  // let go beyond the floor
  std::vector<std::uint64_t> beyond_floor_;  // a bit a slot: let go beyond the floor
};

}  // namespace beltway
