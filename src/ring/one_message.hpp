// One message of a named group, for an operator: what the group says about it, its end, and a pause in its delivery.
//
//   ack:   older lap, RETRY(p), DELAYED(p) -> DONE(p, 255)      PARKED_DELAYED(p) -> DONE(q)            as a purge
//   hold:  older lap, RETRY(p, t), DELAYED(p, _, t) -> LEASED(p, 255, t); lease time = (due, 255, t); -> DELAYED(p, 255, t)
//          PARKED_DELAYED(p, _, t) -> PARKED(p, 255, t); the same; -> PARKED_DELAYED(p, 255, t)
//
// A hold is a delay without a delivery: no consumer gets the message before its due time, and its tries stay. The lease by 255 in
// between is needed since only the owner of a lease may write its lease time. If the daemon dies there, heal gives the message
// back. A message that a consumer holds is never touched.
//
// Thread safety: the functions may run anywhere; they work on shared memory, and trust nothing that they read.
#pragma once

#include <cstdint>

#include "ring/queue_memory.hpp"

namespace beltway::ring {

enum class MessageStanding : std::uint8_t {
  waits,     ///< no consumer holds it
  held,      ///< a consumer holds it
  writing,   ///< its producer has claimed the position and not finished it
  finished,  ///< the group needs it no more
  absent,    ///< the ring has no message at that position for this group
};

struct OneMessage {
  MessageStanding standing = MessageStanding::absent;
  unsigned owner = k_no_owner;       ///< held, writing: the endpoint
  std::uint64_t lease_word = 0;      ///< as it was seen
  bool is_parked = false;            ///< waits or is held beside the ring
  std::uint64_t due_us = 0;          ///< waits: not delivered before; 0: at once
  bool is_kept_by_operator = false;  ///< waits since a hold
};

[[nodiscard]] OneMessage find_message(const QueueMemory& memory, unsigned group, Position position) noexcept;

/// Acknowledges the message if no consumer holds it, and wakes who waits for that. Returns how the message stood before:
/// MessageStanding::waits if it is done now.
OneMessage ack_message(const QueueMemory& memory, unsigned group, Position position) noexcept;

/// Lets the message wait until `due_us` (0: it is due at once), if no consumer holds it. Returns how it stood before:
/// MessageStanding::waits if it waits now.
OneMessage hold_message(const QueueMemory& memory, unsigned group, Position position, std::uint64_t due_us) noexcept;

}  // namespace beltway::ring
