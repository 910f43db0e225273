// Reading a private reliable group: its one consumer reads in place, in order, and moves the floor behind the messages that it
// has released.
//
// Messages may be released in any order; the floor passes a position when all before it are released. It is stored when nothing
// is held any more, and at latest every quarter of the ring: one store a batch. A consumer that takes messages one by one, and
// has the next before it, stores every few positions only: a producer that fills the ring as fast as it is emptied reads
// the floor all the time, and each read takes its line away from us.
//
// Its inline part, which user code contains, is detail::InlineReceiver. That part is closed until `inline_size_limit_` is set.
//
// Thread safety: belongs to its consumer's thread. Shared words: the group's floor, written here and in
// InlineReceiver alone.
#pragma once

#include <cstdint>
#include <vector>

#include "beltway/detail/inline_receive.hpp"
#include "ring/slot_view.hpp"

namespace beltway::ring {

enum class ReadResult : std::uint8_t {
  message,
  empty,
  corrupt,  ///< the message at this position made no sense, or is lost, and was skipped
  again,    ///< a whole ring of positions was skipped, or peers were faster: ask again before believing in empty
};

/// `value`, which most often is `expected`, got by a comparison. What comparisons find is predicted, so a processor goes on
/// with what is expected while the line that says it is on its way; whatever is computed from a value that was loaded waits for
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

class PrivateReader : public detail::InlineReceiver {
 public:
  /// Of a named group, which has another reader, it may be made, but not used.
  PrivateReader(const QueueMemory& map, unsigned group, Position start);

  /// The common case of next(): a sound message that is there. False: ask next().
  [[nodiscard]] bool next_if_ready(SlotView& view) noexcept {
    // Pairs with the release of READY in Claimer::commit(): what the producer wrote is visible.
    const Slot& slot = *slot_;
    const std::uint64_t word = slot.state.load_acquire();
    if (!SlotState::is_ready(word, read_)) return false;
    if (!view_slot(map_, slot, SlotState::of(word), view)) return false;
    step();
    if (view.data != slot.payload()) {
      // Lanes are lent in whole lines, one behind the other: the next message most often begins where this one ends.
      view.data = as_expected(view.data, expected_);
      expected_ = view.data + whole_lines(view.size);
      lane_end_ = read_;
    }
    return true;
  }

  /// The next message, in place; it stays until release().
  [[nodiscard]] ReadResult next(SlotView& view) noexcept {
    return next_if_ready(view) ? ReadResult::message : next_uncommon(view);
  }

  /// Lets one message go. True if the floor was stored: then producers that sleep for room may be woken.
  bool release(Position position) noexcept;

  /// Lets go of slots that were never a message, or are none any more, at most a ring of them, so that they do not hold
  /// producers back. (A producer that finds the ring full helps the floor of a named group over them.) True if the floor was
  /// stored.
  bool skip_empty_slots() noexcept;

  /// Stores the floor again if a peer has written over it. True if it did: then producers may have waited for it.
  bool restore_floor() noexcept;

  /// A message is there to be taken.
  [[nodiscard]] bool may_have_more() const noexcept { return SlotState::is_ready(slot_->state.load_relaxed(), read_); }
  [[nodiscard]] Position floor() const noexcept { return floor_; }
  [[nodiscard]] Position read() const noexcept { return read_; }
  [[nodiscard]] std::uint64_t held_count() const noexcept {
    return static_cast<std::uint64_t>(distance(read_, floor_)) - out_of_order_;
  }

 private:
  friend class detail::InlineReceiver;

  /// next() of what is no sound message: skips empty slots, and says what is behind them.
  [[gnu::cold]] ReadResult next_uncommon(SlotView& view) noexcept;
  /// What next() says of a slot without a message at read(). Empty: it comes, or the daemon makes the slot VOID. Corrupt: the
  /// ring has overrun us, which a floor that was written over lets happen; the position is skipped.
  ReadResult not_ready(SlotState state) noexcept;
  void release_out_of_order(Position position) noexcept;
  bool store_floor() noexcept;

  const QueueMemory map_;
  const std::byte* expected_ = nullptr;      // behind the newest message in a lane
  std::vector<std::uint64_t> beyond_floor_;  // a bit a slot: released beyond the floor
};

}  // namespace beltway::ring
