// See one_message.hpp.
#include "ring/one_message.hpp"

#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/parking.hpp"
#include "ring/redelivery.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

namespace {

/// Of a message that waits: when it is due, and who lets it wait.
void add_due_time(const QueueMemory& memory, unsigned group, Position position, OneMessage& message) noexcept {
  const Lease lease = Lease::of(message.lease_word);
  if (!is_delayed(lease)) return;
  const LeaseTime time = LeaseTime::of(memory.lease_time(group, position).load_relaxed());
  if (time.owner == lease.owner && time.tries == lease.tries) message.due_us = time.due_us;
  message.is_kept_by_operator = lease.owner == k_no_owner;
}

/// The message is parked, and `lease` is the word of its slot.
OneMessage parked_message(Lease lease, std::uint64_t seen) noexcept {
  const bool held = lease.phase == LeasePhase::parked;
  return {.standing = held ? MessageStanding::held : MessageStanding::waits,
          .owner = lease.owner,
          .lease_word = seen,
          .is_parked = true};
}

/// The standing that the lease word alone says, for a slot that is READY.
MessageStanding standing_of(Lease lease, Position position) noexcept {
  const std::int64_t lap = distance<Lease::bits>(lease.position, position);
  if (lap < 0) return MessageStanding::waits;
  if (lap > 0 || lease.phase == LeasePhase::done) return MessageStanding::finished;
  const bool waits = lease.phase == LeasePhase::retry || lease.phase == LeasePhase::delayed;
  return waits ? MessageStanding::waits : MessageStanding::held;
}

OneMessage look(const QueueMemory& memory, unsigned group, Position position) noexcept {
  const Position floor = wrap(memory.group(group).floor.load_acquire());
  const std::uint64_t seen = memory.lease(group, position).load_acquire();
  const Lease lease = Lease::of(seen);
  if (is_parked(lease.phase)) {
    // While the slot is parked, no later position has a message there.
    const bool is_it = widen<Lease::bits>(lease.position, floor) == position;
    return is_it ? parked_message(lease, seen) : OneMessage{};
  }
  const Position tail = load_tail(memory);
  if (distance(position, tail) >= 0) return {};
  if (distance(position, floor) < 0) return {.standing = MessageStanding::finished};
  const SlotState slot = SlotState::of(memory.slot(position).state.load_acquire());
  if (slot.position != position) return {};
  if (slot.phase == SlotPhase::claimed) return {.standing = MessageStanding::writing, .owner = slot.owner};
  if (slot.phase != SlotPhase::ready) return {};
  return {.standing = standing_of(lease, position), .owner = lease.owner, .lease_word = seen};
}

/// The lease word of a message that waits, if the daemon leased it: owner 255, and the tries that it has.
Lease leased_by_the_daemon(const OneMessage& message, Position position) noexcept {
  const Lease before = Lease::of(message.lease_word);
  const bool is_new = !message.is_parked && distance<Lease::bits>(before.position, position) < 0;
  return {position, k_no_owner, is_new ? std::uint8_t{0} : before.tries,
          message.is_parked ? LeasePhase::parked : LeasePhase::leased};
}

bool try_hold(const QueueMemory& memory, unsigned group, Position position, const OneMessage& message,
              std::uint64_t due_us) noexcept {
  Word& word = memory.lease(group, position);
  Lease lease = leased_by_the_daemon(message, position);
  // A message that waits for its move to the dead letter queue goes on to wait for that.
  const FailReason reason = reason_of(memory, group, Lease::of(message.lease_word), position);
  // plant: operator_keeps_what_is_leased_meanwhile
  if (!word.compare_and_swap(message.lease_word, lease.word())) return false;
  // Before DELAYED, so that a scan that sees DELAYED sees this time.
  const LeaseTime time{due_us, k_no_owner, lease.tries, reason};
  memory.lease_time(group, position).store_relaxed(time.word());
  std::uint64_t leased = lease.word();
  lease.phase = message.is_parked ? LeasePhase::parked_delayed : LeasePhase::delayed;
  return word.compare_and_swap(leased, lease.word());  // no producer parks what the daemon leases
}

}  // namespace

OneMessage find_message(const QueueMemory& memory, unsigned group, Position position) noexcept {
  OneMessage message = look(memory, group, position);
  // A producer may have parked it after the first load of its word, and gone on with its slot.
  if (message.standing == MessageStanding::absent) message = look(memory, group, position);
  if (message.standing == MessageStanding::waits) add_due_time(memory, group, position, message);
  return message;
}

OneMessage ack_message(const QueueMemory& memory, unsigned group, Position position) noexcept {
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const OneMessage message = find_message(memory, group, position);
    if (message.standing != MessageStanding::waits) return message;
    Word& word = memory.lease(group, position);
    const Lease done{position, k_no_owner, leased_by_the_daemon(message, position).tries, LeasePhase::done};
    // plant: operator_ends_what_is_leased_meanwhile
    const bool ended = message.is_parked ? end_parked(memory, group, word, message.lease_word)
                                         : word.compare_and_swap(message.lease_word, done.word());
    if (!ended) continue;
    help_floor(memory, group);
    // plant: operators_ack_wakes_nobody
    wake_all_sleepers(memory);
    return message;
  }
  return {.standing = MessageStanding::held};
}

OneMessage hold_message(const QueueMemory& memory, unsigned group, Position position, std::uint64_t due_us) noexcept {
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const OneMessage message = find_message(memory, group, position);
    if (message.standing != MessageStanding::waits) return message;
    if (!try_hold(memory, group, position, message, due_us)) continue;
    bring_forward(memory, group, due_us);
    // plant: operators_due_time_wakes_nobody
    wake_all_of_group(memory, group);  // one of them watches from now on
    return message;
  }
  return {.standing = MessageStanding::held};
}

}  // namespace beltway::ring
