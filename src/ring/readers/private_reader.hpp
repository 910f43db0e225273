// Reading a private reliable group: its one consumer reads in place, in order, and moves the floor behind the messages that it
// has released.
//
// Messages may be released in any order; the floor passes a position when it and all positions before it are released. The floor
// is stored when no message is held any more, and at latest every quarter of the ring: one store for a batch. A consumer that
// takes messages one by one, while the next message is ready, stores only every few positions. For a producer that fills the ring
// as fast as we empty it reads the floor all the time, and each read takes the floor's line away from us.
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
  corrupt,  ///< the message at this position makes no sense or is lost; the position was skipped
  expired,  ///< the time of the message at this position is over; the position was skipped
  again,    ///< a whole ring of positions was skipped, or peers were faster: call again before you return empty
};

/// Returns `value`, which most often equals `expected`. A processor predicts the result of a comparison: so it goes on with
/// `expected` while the line of `value` is still on its way. Code that used `value` itself would wait for that line. The compiler
/// must not see that both are the same.
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
  /// A consumer of a named group makes one too, but never uses it: it reads with a NamedReader.
  PrivateReader(const QueueMemory& memory, unsigned group, Position start);

  /// The common case of next(): a whole message is ready. False: call next().
  [[nodiscard]] bool next_if_ready(SlotView& view) noexcept {
    // Pairs with the release of READY in Claimer::commit(): what the producer wrote is visible.
    const Slot& slot = *slot_;
    const std::uint64_t word = slot.state.load_acquire();
    if (!SlotState::is_ready(word, read_)) return false;
    if (!view_unexpired_slot(memory_, slot, SlotState::of(word), view)) return false;
    step();
    if (view.data - view.properties_bytes != slot.payload()) {
      // Lanes are lent in whole lines, one behind the other: the next message most often begins where this one ends.
      view.data = as_expected(view.data, expected_);
      expected_ = view.data + whole_lines(std::uint64_t{view.size} + view.properties_bytes);
      lane_end_ = read_;
    }
    return true;
  }

  /// The next message, in place; it stays until release().
  [[nodiscard]] ReadResult next(SlotView& view) noexcept {
    return next_if_ready(view) ? ReadResult::message : next_uncommon(view);
  }

  /// Releases one message. True if the floor was stored: then the caller may wake producers that sleep for room.
  bool release(Position position) noexcept;

  /// Moves the floor over VOID and RECLAIMED slots, at most one lap, so that they do not block producers. (For a named group, a
  /// producer that finds the ring full does this.) True if the floor was stored.
  bool skip_empty_slots() noexcept;

  /// Stores the floor again if a peer has written over the word. True if it did so: then producers may have waited for the floor.
  bool restore_floor() noexcept;

  /// True if the next message is ready.
  [[nodiscard]] bool may_have_more() const noexcept { return SlotState::is_ready(slot_->state.load_relaxed(), read_); }
  [[nodiscard]] Position floor() const noexcept { return floor_; }
  [[nodiscard]] Position read() const noexcept { return read_; }
  [[nodiscard]] std::uint64_t held_count() const noexcept {
    return static_cast<std::uint64_t>(distance(read_, floor_)) - out_of_order_;
  }

 private:
  friend class detail::InlineReceiver;

  /// next() if no whole message is ready: skips VOID and RECLAIMED slots, and returns what follows them.
  [[gnu::cold]] ReadResult next_uncommon(SlotView& view) noexcept;
  /// What next() returns if the slot at read() has no message. Empty: the message comes, or the daemon makes the slot VOID.
  /// Corrupt: producers have overrun us, since a peer wrote over the floor; the position is skipped.
  ReadResult not_ready(SlotState state) noexcept;
  void release_out_of_order(Position position) noexcept;
  bool store_floor() noexcept;

  const QueueMemory memory_;
  const std::byte* expected_ = nullptr;      // behind the newest message in a lane
  std::vector<std::uint64_t> beyond_floor_;  // a bit a slot: released beyond the floor
};

}  // namespace beltway::ring
