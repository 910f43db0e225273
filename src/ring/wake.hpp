// Going to sleep and waking others.
//
// Each endpoint has a wait word (sequence, AWAKE | ASLEEP | WAKING | SIGNALLED) and a bit in the shared sleeper words.
// A blocking call sleeps on the wait word itself, a futex. An endpoint in event mode listens to one of the queue's four bells
// (eventfds), together with its neighbours; `sleeps_on` says which of the two it is. Between publisher and sleeper stands
// an asymmetric fence:
//
//   sleeper: sleeps_on; wait = ASLEEP(sequence); set my bit; heavy barrier; poll the ring;
//            sleep until the word is no longer ASLEEP(sequence), or until the bell rings
//   waker:   slot = READY; compiler fence (or a full one, if the notice says symmetric); load the bits; for those it must wake:
//            ASLEEP(sequence) -> WAKING(sequence); wake the futex or ring the bell; WAKING(sequence) -> SIGNALLED(sequence)
//
// Either the waker sees the bit or the sleeper sees the message. The word changes before the futex is woken, or a sleeper
// between its last poll and the kernel would miss the wake. A waker that finds WAKING repeats the steps after it, since the first
// waker may have stopped or died in between: that costs one needless wake at most. Only the last swap counts as a wake. An
// endpoint that hears its bell while its word says ASLEEP knows that the ring was for a neighbour.
//
// One message wakes one sleeper of each named group. So an endpoint that takes a message while another is there wakes one
// more (wake_next_consumer). An endpoint that was SIGNALLED and does not need the wake hands it on (hand_wake_on).
//
// While messages of a group are delayed, or leases end by time, one sleeping consumer of the group watches: its sleep ends when
// the first of them is due. A consumer that stops sleeping checks whether another one watches (needs_watcher), and wakes one if
// not.
//
// Thread safety: functions may run anywhere. A SleepWord belongs to its endpoint.
#pragma once

#include <cstdint>
#include <optional>

#include "os/kernel.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::ring {

/// Wakes `owner` if its word says ASLEEP or WAKING. True if this call woke it: then `owner` polls again, or hands the wake on.
bool wake(const QueueMemory& memory, unsigned owner) noexcept;
/// Wakes `owner`, whatever its word says: costs one needless wake at most.
void rouse(const QueueMemory& memory, unsigned owner) noexcept;

/// After READY: wakes all private sleepers, the consumer of each named group that has waited longest, and producers that wait
/// for a claim to end. Returns how many. `me`: the caller, which is left out.
unsigned wake_for_message(const QueueMemory& memory, unsigned me) noexcept;

/// Wakes the sleeping consumer of a named group, other than `me`, that has waited longest. True if there was one. Wakes none of a
/// paused group.
bool wake_one_of_group(const QueueMemory& memory, unsigned group, unsigned me) noexcept;
/// True if messages of the group are delayed, or leases end by time, and no sleeping consumer other than `me` wakes in time for
/// the first of them.
[[nodiscard]] bool needs_watcher(const QueueMemory& memory, unsigned group, unsigned me) noexcept;
/// Wakes all sleeping consumers of a group; returns how many.
unsigned wake_all_of_group(const QueueMemory& memory, unsigned group) noexcept;

/// After a floor has moved to `floor`: wakes the producers that waited for that. Returns how many.
unsigned wake_for_room(const QueueMemory& memory, Position floor) noexcept;

/// Wakes the sleeping private consumers whose floor stands before a position without a message: only they can move it, and such a
/// position wakes nobody. But none while all slots are parked: the room would only become VOID again. Returns how many.
unsigned wake_before_voids(const QueueMemory& memory) noexcept;

/// Wakes the sleeping producers, other than `me`, that wait for one of `events` (k_wake_at_*). Returns how many.
unsigned wake_producers_at(const QueueMemory& memory, std::uint64_t events, unsigned me) noexcept;

/// Wakes the sleeping producer, other than `me`, that has waited longest for room in the ring: 1, or 0 if there is none.
unsigned wake_first_for_room(const QueueMemory& memory, unsigned me) noexcept;

/// The endpoints to which a wake may go in the place of `owner`: the other attached consumers of its named group, or the other
/// attached producers. Returns the sum of their sequences if all of them are ASLEEP, otherwise nothing. Two equal sums prove
/// that none of them was awake or woken in between. A private consumer has no such endpoints: always 0.
[[nodiscard]] std::optional<std::uint64_t> sequences_if_others_sleep(const QueueMemory& memory,
                                                                     unsigned owner) noexcept;

/// True if an endpoint sleeps that a message or VOID may concern. One line, hardly ever written.
[[nodiscard]] inline bool has_sleepers(const QueueMemory& memory) noexcept {
  return (memory.shared_status().consumer_sleepers.load_relaxed() |
          memory.shared_status().producer_sleepers.load_relaxed()) != 0;
}

/// The fence between a store that others sleep for and the load of the sleepers.
inline void publish_fence(bool symmetric) noexcept {
  if (symmetric) [[unlikely]] {
    full_fence();
  } else {
    compiler_fence();
  }
}

/// The sleeping side of one endpoint.
class SleepWord {
 public:
  SleepWord(const QueueMemory& memory, unsigned owner) noexcept;

  /// How the endpoint is to be woken from its next arm() on: k_sleeps_on_*.
  void set_sleeps_on(std::uint64_t how) noexcept { sleeps_on_ = how; }
  /// Says in shared memory since when the endpoint waits; 0: it does not.
  void set_since(std::uint64_t ns) noexcept;

  /// Says ASLEEP with a new sequence, sets the bit and makes every publisher see it or be seen. Afterwards poll again,
  /// then sleep. Producers: `past` as Endpoint::wake_past, `events` k_wake_at_* bits.
  void arm(bool symmetric, Position past = 0, std::uint64_t events = 0) noexcept;
  /// As arm(), without the bit: only wake_all_sleepers() wakes the endpoint, or its own process by rouse_self(). For an
  /// endpoint that has no use for a message.
  void arm_unlisted() noexcept;
  /// Says AWAKE. True if a waker had SIGNALLED: then poll again, or hand the wake on.
  bool disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return armed_; }
  [[nodiscard]] bool listed() const noexcept { return listed_; }
  /// Says that this sleep ends when a message is due that is delayed until then. Only when armed.
  void watch(std::uint64_t due_us) noexcept;
  /// True if armed, and a waker has been there since.
  [[nodiscard]] bool called() const noexcept;

  /// Sleeps on the futex until then, or until a waker has been there. Only when armed.
  [[nodiscard]] os::Slept sleep(std::uint64_t until_ns) const noexcept;
  /// Ends that sleep, or keeps it from beginning, if the endpoint says ASLEEP. From any thread, and from signal handlers.
  /// An endpoint that armed later sees what was stored before the call.
  void rouse_self() const noexcept;

 private:
  [[nodiscard]] Word& sleepers() const noexcept;
  [[nodiscard]] std::uint64_t bit() const noexcept { return 1ULL << (owner_ & 63U); }

  void say_asleep(Position past, std::uint64_t events) noexcept;
  [[nodiscard]] std::uint64_t asleep() const noexcept { return Wait{sequence_, WaitPhase::asleep}.word(); }

  const QueueMemory memory_;
  const unsigned owner_;
  std::uint64_t sequence_;
  std::uint64_t sleeps_on_ = k_sleeps_on_futex;
  bool armed_ = false;
  bool listed_ = false;
};

}  // namespace beltway::ring
