// Reading a private reliable group: its one consumer reads in place, in order, and moves the floor behind what it has let go.
//
// Messages may be let go in any order; the floor passes a position when all before it are let go. It is stored when nothing
// is held any more, and at latest every quarter of the ring: one store a batch. Who takes messages one by one, and has
// the next before it, stores every few positions only: a producer that fills the ring as fast as it is emptied looks
// at the floor all the time, and each look takes its line away from us.
//
// Thread safety: belongs to its consumer's thread. Shared words: the group's floor, written here and in
// InlineReceiver alone.
#pragma once

#include <cstdint>
#include <vector>

#include "beltway/detail/inline_receive.hpp"
#include "ring/slot_view.hpp"

namespace beltway {

enum class ReadResult : std::uint8_t {
  message,
  empty,
  corrupt,  ///< the message at this position made no sense, or is lost, and was skipped
  again,    ///< a whole ring of positions was skipped, or peers were faster: ask again before believing in empty
};

/// `value`, which most often is `expected`, got by a comparison. What comparisons find is predicted, so a processor goes on with
/// what is expected while the line that says it is on its way; whatever is computed from a value that was loaded waits for
/// it. The compiler must not see that both are the same.
template <class Value>
[[nodiscard, gnu::always_inline]] inline Value as_expected(Value value, Value expected) noexcept {
  Value guess = expected;
  asm("" : "+r"(guess));
  if (value == expected) [[likely]]
    return guess;
  asm volatile("" : "+r"(value));  // a branch, not a conditional move
  return value;
}

class PrivateReader {
 public:
  /// Keeps in `quick`, which must outlive it, what quick ways need, and leaves these closed.
  PrivateReader(const QueueMemory& map, unsigned group, Position start, detail::InlineReceiver& quick);

  /// The common case of next(): a sound message that is there. False: ask next().
  [[nodiscard]] bool next_if_ready(SlotView& view) noexcept {
    // Pairs with the release of READY in Claimer::ready(): what the producer wrote is visible.
    const Slot& slot = this->slot();
    const std::uint64_t word = slot.state.load_acquire();
    if (!quick_.is_ready(word)) return false;
    if (!view_slot(map_, slot, SlotState::of(word), view)) return false;
    quick_.step();
    if (view.data != slot.payload()) {
      // Lanes are lent in whole lines, one behind the other: the next message most often begins where this one ends.
      view.data = as_expected(view.data, expected_);
      expected_ = view.data + whole_lines(view.size);
      quick_.lane_end_ = quick_.read_;
    }
    return true;
  }

  /// The next message, in place; it stays until release().
  [[nodiscard]] ReadResult next(SlotView& view) noexcept {
    for (std::uint32_t skipped = 0; skipped < map_.geometry.slots; ++skipped) {
      // Pairs with the release of READY in Claimer::ready(): what the producer wrote is visible.
      const Slot& slot = this->slot();
      const SlotState state = SlotState::of(slot.state.load_acquire());
      if (state.position != read() || state.phase == SlotPhase::claimed) [[unlikely]]
        return not_ready(state);
      const Position position = read();
      quick_.step();
      if (state.phase == SlotPhase::ready) [[likely]] {
        if (view_slot(map_, slot, state, view)) [[likely]] {
          if (view.data != slot.payload()) quick_.lane_end_ = read();
          return ReadResult::message;
        }
        release(position);
        return ReadResult::corrupt;
      }
      release(position);  // VOID or GONE: nothing to deliver
    }
    return ReadResult::again;
  }

  /// Lets one message go. True if the floor was stored: then producers that sleep for room may be woken.
  bool release(Position position) noexcept {
    if (position == floor() && quick_.out_of_order_ == 0) [[likely]] {
      quick_.floor_ = wrap(floor() + 1);
    } else {
      release_out_of_order(position);
    }
    if (held_count() != 0 && distance(floor(), quick_.stored_) < static_cast<std::int64_t>(quick_.floor_store_lag_max_))
      return false;
    return store_floor();
  }

  /// Before the first message is taken: lets go of what was never a message, or is none any more, so that it does not hold
  /// producers back until then. (Whoever finds the ring full helps the floor of a named group over it.) True if the floor
  /// was stored.
  bool skip_what_is_no_message() noexcept;

  /// Stores the floor again if somebody has written over it. True if it did: then producers may have waited for it.
  bool restore_floor() noexcept {
    if ((quick_.shared_floor_->load_relaxed() & detail::InlineReceiver::k_position_mask) == quick_.stored_) [[likely]]
      return false;
    quick_.shared_floor_->store_release(quick_.stored_);
    return true;
  }

  /// A message is there to be taken.
  [[nodiscard]] bool is_next_ready() const noexcept { return quick_.is_ready(quick_.slot_->load_relaxed()); }
  [[nodiscard]] Position floor() const noexcept { return quick_.floor_; }
  [[nodiscard]] Position read() const noexcept { return quick_.read_; }
  [[nodiscard]] std::uint64_t held_count() const noexcept {
    return static_cast<std::uint64_t>(distance(read(), floor())) - quick_.out_of_order_;
  }

 private:
  [[nodiscard]] const Slot& slot() const noexcept { return *reinterpret_cast<const Slot*>(quick_.slot_); }
  void release_out_of_order(Position position) noexcept;
  /// What next() says of a slot without a message at read(). Empty: it comes, or the daemon makes the slot VOID. Corrupt: the
  /// ring has overrun us, which a floor that was written over lets happen; the position is skipped.
  [[gnu::cold]] ReadResult not_ready(SlotState state) noexcept;
  /// Release: pairs with the acquire of the floor in lowest_floor(); our reads are done before a producer writes.
  bool store_floor() noexcept {
    if (quick_.stored_ == floor()) return false;
    quick_.shared_floor_->store_release(floor());
    quick_.stored_ = floor();
    return true;
  }

  const QueueMemory map_;
  detail::InlineReceiver& quick_;
  const std::byte* expected_ = nullptr;      // behind the newest message in a lane
  std::vector<std::uint64_t> beyond_floor_;  // a bit a slot: let go beyond the floor
};

}  // namespace beltway
