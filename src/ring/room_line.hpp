// The line of producers that wait for room in a ring of several producers: the longest-waiting producer claims first.
//
// A waiting producer takes a ticket: a number that only grows. Its bit in SharedStatus::room_line and its ticket in
// Endpoint::ticket say so to all others. A producer that claims leaves one free slot for each producer that stands before it in
// the line; a producer without a ticket leaves one for each that has one. So no producer overtakes another, and none starves.
//
// A producer that sleeps in a call computes from its place in the line how much room it needs (Claimer::wake_past()). It counts
// only producers that wait in a call, too: an event loop may have lost interest. If one of those counted is stopped, the
// sleeper may sleep for one slot too many, until more room comes or until it polls again by itself (k_last_resort_ns).
//
// The line is a courtesy and never a lock. A producer that finds that those before it do not take their slots (stopped, busy
// elsewhere, or a scribbled word) passes over them after k_turn_ns. Correctness of claims does not depend on any word of the
// line.
//
// Thread safety: a RoomTicket belongs to one producer.
#pragma once

#include <array>
#include <cstdint>

#include "ring/queue_memory.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

class RoomTicket {
 public:
  RoomTicket(const QueueMemory& memory, unsigned producer) noexcept;

  /// Joins the line at its end. `in_call`: it waits in a call, and will claim as soon as it can. No effect if it stands there.
  void take(bool in_call) noexcept;
  /// Leaves the line. No effect if it is not there.
  void give_back() noexcept;
  [[nodiscard]] bool is_held() const noexcept { return ticket_ != 0; }
  /// Right before a claim: from now on no producer counts this one. A producer that went to sleep after the claim and still
  /// counted it would wait for one slot too many.
  void hide() noexcept;
  /// The claim failed: the producer stands where it stood.
  void show() noexcept;

  /// How many producers claim before this one.
  [[nodiscard]] unsigned ahead() noexcept { return read_ahead().ahead; }
  /// How many of them wait in a call.
  [[nodiscard]] unsigned ahead_in_calls() noexcept { return read_ahead().in_calls; }
  /// True if another producer stands in the line.
  [[nodiscard]] bool others_wait() const noexcept {
    return (memory_.shared_status().room_line.load_relaxed() & ~bit()) != 0;
  }

  /// To be called when free slots were left to the producers of the last ahead(). True if the first of them has not claimed for
  /// k_turn_ns: it does not count any more until it takes another ticket.
  bool pass_over_if_overdue(std::uint64_t now_ns) noexcept;

 private:
  struct Ahead {
    unsigned ahead = 0;
    unsigned in_calls = 0;
  };
  Ahead read_ahead() noexcept;
  [[nodiscard]] std::uint64_t bit() const noexcept { return 1ULL << producer_; }

  const QueueMemory memory_;
  const unsigned producer_;
  std::uint64_t ticket_ = 0;  // 0: not in the line
  unsigned first_ = 0;        // the producer that the last read_ahead() found first
  std::uint64_t first_ticket_ = 0;
  std::uint64_t watched_ticket_ = 0;  // slots are left to it since watched_since_ns_
  std::uint64_t watched_since_ns_ = 0;
  std::array<std::uint64_t, k_max_producers> passed_over_{};  // by producer: a ticket that does not count
};

/// How many positions a producer wants to be free when it is woken, from the pace at which the ring moves: what comes free in
/// k_room_interval_ns, so that a fast ring is not slowed down by wakes, and no producer waits for many messages of a slow one.
class RoomPace {
 public:
  /// The ring is full at `position`, the next one to be claimed.
  void found_full(Position position, std::uint64_t now_ns) noexcept;
  /// The ring has become slower than was measured: nothing is known any more.
  void forget() noexcept { *this = RoomPace(); }
  /// 1 to `most`.
  [[nodiscard]] std::uint64_t chunk(std::uint64_t most) const noexcept;

 private:
  std::uint64_t chunk_ = 1;
  Position position_ = 0;
  std::uint64_t since_ns_ = 0;  // 0: never full before
};

}  // namespace beltway::ring
