// Going to sleep and waking others.
//
// Each endpoint has a wait word (sequence, AWAKE | ASLEEP | SIGNALLED), a bell (an eventfd) and a bit in the board's summary of
// sleepers. Between publisher and sleeper stands an asymmetric fence:
//
//   sleeper: wait = ASLEEP; set my bit; heavy barrier; look at the ring; sleep on the bell
//   waker:   slot = READY; compiler fence (or a full one, if the board says symmetric); load the bits;
//            for those it must wake: if ASLEEP: ring the bell, then ASLEEP(sequence) -> SIGNALLED(sequence)
//
// Either the waker sees the bit or the sleeper sees the message. A waker that stops or dies after ringing costs a needless
// wake at most. One message wakes one sleeper of each named group; so who takes a message while another is there wakes one
// more (chain), and who was SIGNALLED and does not need it passes it on.
//
// Thread safety: functions may run anywhere. A WaitLine belongs to its endpoint.
#pragma once

#include <cstdint>

#include "kernel.hpp"
#include "queue_map.hpp"

namespace beltway {

/// Rings the bell of `owner` if it says ASLEEP. True if that woke it: then it looks once more, or passes the wake on.
bool wake(const QueueMap& map, unsigned owner) noexcept;

/// After READY: wakes all private sleepers and one of each named group, and producers that wait for a claim to end.
/// Returns the number of bells rung. `me`: the caller, which is left out.
unsigned wake_for_message(const QueueMap& map, unsigned me) noexcept;

/// Wakes one sleeping consumer of a named group other than `me`. True if there was one.
bool wake_one_of_group(const QueueMap& map, unsigned group, unsigned me) noexcept;
/// Wakes all sleeping consumers of a group; returns how many.
unsigned wake_all_of_group(const QueueMap& map, unsigned group) noexcept;

/// After a floor has moved to `floor`: wakes the producers that waited for that. Returns how many.
unsigned wake_for_room(const QueueMap& map, Position floor) noexcept;

/// True if somebody sleeps whom a message or VOID may concern. One line, hardly ever written.
[[nodiscard]] inline bool anybody_sleeps(const QueueMap& map) noexcept {
  return (map.board().consumer_sleepers.load_relaxed() | map.board().producer_sleepers.load_relaxed()) != 0;
}

/// The fence between a store that others sleep for and the look at who sleeps.
inline void publish_fence(bool symmetric) noexcept {
  if (symmetric) [[unlikely]] {
    full_fence();
  } else {
    compiler_fence();
  }
}

/// The sleeping side of one endpoint.
class WaitLine {
 public:
  WaitLine(const QueueMap& map, unsigned owner) noexcept;

  /// Says ASLEEP with a new sequence, sets the bit and makes every publisher see it or be seen. Afterwards look again,
  /// then sleep. Producers: `past`, `busy` as in Endpoint.
  void arm(bool symmetric, Position past = 0, bool busy = false) noexcept;
  /// Says AWAKE. True if a waker had SIGNALLED: then look again, or pass the wake on.
  bool disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return armed_; }
  /// True if armed and already SIGNALLED.
  [[nodiscard]] bool signalled() const noexcept;

 private:
  [[nodiscard]] Word& sleepers() const noexcept;
  [[nodiscard]] std::uint64_t bit() const noexcept { return 1ULL << (owner_ & 63U); }

  const QueueMap map_;
  const unsigned owner_;
  std::uint64_t sequence_;
  bool armed_ = false;
};

}  // namespace beltway
