// Delayed messages of a named group: how long a message that failed waits, when the next one is due, and which are.
//
//   nack:  lease time = (due, me, tries + 1); LEASED(p, me, tries) -> DELAYED(p, me, tries + 1);
//          earliest_due = the earlier of both
//   scan:  load earliest_due; walk over the lease words; lease what is due; earliest_due = the minimum of what is left, by a
//          compare-and-swap from the word as it was loaded
//
// A nack raises the version of `earliest_due`, also if another message is due earlier. So the swap of a scan that has passed the
// word of this message before fails, and the next try scans again. A time that is too early costs one scan. A time that is too
// late would leave a message undelivered: only the repair and a scan may store a later time.
//
// A due time counts if its lease time bears owner and tries of the lease word. Otherwise a consumer that had lost its lease wrote
// the lease time, and the message is due at once.
//
// A message that is given up and cannot be moved to the dead letter queue now waits in the same way: its lease time has a reason.
// Who leases it when it is due tries to move it again, and does not deliver it.
//
// Thread safety: the functions may run anywhere. A DueMessages belongs to its consumer's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ring/queue_memory.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

/// CLOCK_MONOTONIC in us.
[[nodiscard]] std::uint64_t now_us() noexcept;

/// How long a message waits that was delivered `tries` + 1 times and failed each time, in us; 0: not at all.
[[nodiscard]] std::uint64_t retry_delay_us(Redelivery redelivery, std::uint8_t tries) noexcept;

/// In `earliest_due`: a message is due, whatever the clock says. (0 says that no message is delayed.)
inline constexpr std::uint64_t k_at_once_us = 1;

/// True if the time is reached. Also for a time that no nack can have set: a peer wrote over it.
[[nodiscard]] bool is_due(std::uint64_t due_us, std::uint64_t now_us) noexcept;

/// Makes `due_us` the earliest due time of the group, unless an earlier one is there, and raises the version. True if the time
/// came forward: then the caller wakes one sleeping consumer of the group.
bool bring_forward(const QueueMemory& memory, unsigned group, std::uint64_t due_us) noexcept;

/// Brings the earliest due time forward to that of the first delayed message, for a consumer that is gone and could not do it.
/// Raises the version in any case, if a message is delayed.
void restore_earliest_due(const QueueMemory& memory, unsigned group) noexcept;

/// True for a message that failed and waits, in its place or parked.
[[nodiscard]] inline bool is_delayed(Lease lease) noexcept {
  return lease.phase == LeasePhase::delayed || lease.phase == LeasePhase::parked_delayed;
}

/// Why a message with this lease word waits: FailReason::none if it is to be delivered again. Requires that `lease` is the word
/// of `position`. A reason that this library does not know counts as none.
[[nodiscard]] FailReason reason_of(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept;

/// The due messages that the last scan found, one after the other, and what is left to others.
class DueMessages {
 public:
  DueMessages(const QueueMemory& memory, unsigned group) noexcept
      : memory_(memory), group_(group), shared_(memory.group(group)) {}

  [[nodiscard]] bool empty() const noexcept { return next_ == count_; }
  /// Walks over all lease words. Finds the messages that are due, some of them if there are many.
  void find(std::uint64_t now_us) noexcept;
  /// Requires that it is not empty. Returns a lease word as the scan saw it: a message that was due then.
  [[nodiscard]] std::uint64_t take() noexcept { return found_[next_++].lease_word; }
  /// Stores the earliest due time of what take() has not returned, unless it has changed since the scan.
  void store_rest() noexcept;

 private:
  struct Found {
    std::uint64_t lease_word;
    std::uint64_t due_us;
  };
  static constexpr std::uint64_t k_never = ~std::uint64_t{0};

  const QueueMemory memory_;
  const unsigned group_;
  GroupBlock& shared_;
  std::array<Found, k_due_batch> found_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::uint32_t scan_from_ = 0;       // a slot: the next scan begins there, so that each due message has its turn
  std::uint64_t later_us_ = k_never;  // the earliest due time of the delayed messages that are not in found_
  std::uint64_t seen_ = 0;            // `earliest_due` as of the scan, or as store_rest() has stored it
};

/// Sets `next` back to `position` if it is there or later, and raises its version in any case: a helper or a walking
/// consumer that saw the lease before cannot move `next` over it.
void set_next_back(const QueueMemory& memory, unsigned group, Position position) noexcept;

}  // namespace beltway::ring
