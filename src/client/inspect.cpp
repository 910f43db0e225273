// Queue::snapshot(): what a queue's memory says, read without taking part.
//
// The memory is input: it is mapped read-only, changes while it is read, and any peer with rights may have written
// nonsense into it. So every word is read once. Every position is measured against `tail` and cut to one lap. Every
// index comes from the daemon's description. A message is copied before its slot is checked again. Wrong words give wrong
// numbers, nothing worse.
#include "client/inspect.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "beltway/queue.hpp"
#include "client/attach.hpp"
#include "client/group_options.hpp"
#include "client/inspect_ages.hpp"
#include "client/inspect_floors.hpp"
#include "client/queue_request.hpp"
#include "ring/counters.hpp"
#include "ring/floors.hpp"
#include "ring/lease_timeout.hpp"
#include "ring/parking.hpp"
#include "ring/redelivery.hpp"
#include "ring/slot_view.hpp"
#include "wire/validate.hpp"

namespace beltway::client {

namespace {

SleepState sleep_of(const ring::Endpoint& endpoint) noexcept {
  switch (ring::Wait::of(endpoint.wait.load_relaxed()).phase) {
    case ring::WaitPhase::asleep:
    case ring::WaitPhase::waking: return SleepState::asleep;
    case ring::WaitPhase::signalled: return SleepState::signalled;
    default: return SleepState::awake;
  }
}

/// What the lease words of a named group say of the positions from its floor to the latest.
struct Leases {
  std::uint64_t leased = 0;
  std::uint64_t retry = 0;
  std::uint64_t delayed = 0;
  bool has_parked_delayed = false;  // some parked message waits to be delivered again
  std::uint64_t available = 0;
  std::optional<unsigned> holder;  // of the first position
  unsigned tries = 0;              // of the first position
  std::uint64_t parked = 0;
  std::optional<ring::Position> oldest_parked;
  std::optional<unsigned> parked_holder;  // of the oldest parked one
  std::uint64_t held_by[k_max_consumers] = {};
};

/// Delayed messages with a reason, parked ones too.
std::uint64_t count_to_move(const ring::QueueMemory& memory, unsigned group) noexcept {
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const ring::Lease lease = ring::Lease::of(memory.lease(group, i).load_acquire());
    if (ring::reason_of(memory, group, lease, i) != ring::FailReason::none) ++count;
  }
  return count;
}

/// Adds the parked messages, which lie before the floor.
void count_parked(const ring::QueueMemory& memory, unsigned group, ring::Position floor, Leases& leases) noexcept {
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const ring::Lease lease = ring::Lease::of(memory.lease(group, i).load_relaxed());
    if (!ring::is_parked(lease.phase)) continue;
    ++leases.parked;
    const ring::Position position = ring::widen<ring::Lease::bits>(lease.position, floor);
    const unsigned consumer = lease.owner - ring::k_first_consumer;
    const bool held = lease.phase == ring::LeasePhase::parked && consumer < k_max_consumers;
    if (held) {
      ++leases.leased;
      ++leases.held_by[consumer];
    }
    leases.has_parked_delayed = leases.has_parked_delayed || lease.phase == ring::LeasePhase::parked_delayed;
    if (leases.oldest_parked && ring::distance(position, *leases.oldest_parked) >= 0) continue;
    leases.oldest_parked = position;
    leases.parked_holder = held ? std::optional(consumer) : std::nullopt;
  }
}

Leases count_leases(const ring::QueueMemory& memory, unsigned group, ring::Position floor,
                    std::uint64_t depth) noexcept {
  Leases leases;
  for (std::uint64_t i = 0; i < depth; ++i) {
    const ring::Position position = ring::wrap(floor + i);
    const ring::Lease lease = ring::Lease::of(memory.lease(group, position).load_relaxed());
    const std::int64_t lap = ring::distance<ring::Lease::bits>(lease.position, position);
    const ring::SlotState slot = ring::SlotState::of(memory.slot(position).state.load_acquire());
    const bool taken = lap > 0 || (lap == 0 && lease.phase != ring::LeasePhase::retry);
    if (!taken && slot.position == position && slot.phase == ring::SlotPhase::ready) ++leases.available;
    if (lap != 0) continue;
    if (i == 0) leases.tries = lease.tries;
    if (lease.phase == ring::LeasePhase::retry) ++leases.retry;
    if (ring::is_delayed(lease)) ++leases.delayed;
    if (lease.phase != ring::LeasePhase::leased) continue;
    ++leases.leased;
    const unsigned consumer = lease.owner - ring::k_first_consumer;
    if (consumer >= k_max_consumers) continue;
    ++leases.held_by[consumer];
    if (i == 0) leases.holder = consumer;
  }
  count_parked(memory, group, floor, leases);
  return leases;
}

/// A claim that was not finished when its slot was read.
struct OpenClaim {
  ring::Position position;
  const detail::Word* state;  // of its slot
  std::uint64_t seen;         // what that said
  std::uint8_t owner;
};

std::vector<OpenClaim> open_claims(const ring::QueueMemory& memory) {
  std::vector<OpenClaim> claims;
  for (std::uint32_t i = 0; !memory.geometry.single_producer() && i < memory.geometry.slots; ++i) {
    const detail::Word& state = memory.slot(i).state;
    const std::uint64_t seen = state.load_relaxed();
    if (ring::SlotState::of(seen).phase == ring::SlotPhase::claimed)
      claims.push_back({ring::SlotState::of(seen).position, &state, seen, ring::SlotState::of(seen).owner});
  }
  // The last claim may have no mark yet, and a single producer's never has.
  const ring::Tail tail = ring::Tail::of(memory.tail().load_acquire());
  const detail::Word& last = memory.slot(tail.position - 1).state;
  const std::uint64_t seen = last.load_acquire();
  if (ring::distance<ring::Tail::bits>(ring::SlotState::of(seen).position, tail.position - 1) < 0) {
    claims.push_back({ring::wrap(ring::load_tail(memory) - 1), &last, seen, tail.owner});
  }
  return claims;
}

/// 1 for the producer that claims first when room comes free; 0: it does not wait for room.
unsigned place_in_line(const ring::QueueMemory& memory, unsigned producer) {
  const auto ticket_of = [&](unsigned of) { return memory.endpoint(of).ticket.load_relaxed(); };
  const std::uint64_t line = memory.shared_status().room_line.load_relaxed();
  const std::uint64_t ticket = ticket_of(producer);
  if ((line >> producer & 1U) == 0 || ticket == 0) return 0;
  unsigned place = 1;
  for (unsigned other = 0; other < memory.geometry.max_producers; ++other) {
    const bool waits = other != producer && (line >> other & 1U) != 0 && ticket_of(other) != 0;
    if (waits && static_cast<std::int64_t>(ticket_of(other) - ticket) < 0) ++place;
  }
  return place;
}

/// What a producer that says it sleeps waits for. `lowest`: see needed_from(), of the slowest reliable group.
WaitsFor waits_for(const ring::QueueMemory& memory, const ring::Endpoint& endpoint, bool in_line, ring::Position lowest,
                   ring::Position tail) noexcept {
  if (ring::Wait::of(endpoint.wait.load_acquire()).phase == ring::WaitPhase::awake) {
    const bool spins = endpoint.asleep_since_ns.load_relaxed() != 0;
    return spins && depth_of(memory, lowest, tail) == memory.geometry.slots ? WaitsFor::ring : WaitsFor::nothing;
  }
  if ((endpoint.wake_busy.load_relaxed() & ring::k_wake_at_claim_end) != 0) return WaitsFor::claim;
  if (in_line) return WaitsFor::ring;
  if (ring::distance(ring::wrap(endpoint.wake_past.load_relaxed()), lowest) < 0) return WaitsFor::own_loans;
  // A single producer, which has no line, waits for a quarter of the ring at most; only its lane makes it wait for more.
  return 4 * depth_of(memory, lowest, tail) > 3 * std::uint64_t{memory.geometry.slots} ? WaitsFor::ring
                                                                                       : WaitsFor::lane;
}

/// Counts what lies in lanes and is still needed.
void read_lanes(const ring::QueueMemory& memory, ring::Position lowest, QueueSnapshot& snapshot) {
  std::array<ProducerState*, k_max_producers> by_index{};
  for (ProducerState& producer : snapshot.producers) by_index[producer.endpoint.index] = &producer;
  for (std::uint64_t left = depth_of(memory, lowest, snapshot.position); left != 0; --left) {
    const ring::Position position = ring::wrap(snapshot.position - left);
    const ring::Slot& slot = memory.slot(position);
    const ring::SlotState state = ring::SlotState::of(slot.state.load_acquire());  // pairs with the release of READY
    const ring::SlotMeta meta = ring::SlotMeta::of(slot.meta.load_relaxed());
    const bool in_lane =
        state.position == position && state.phase == ring::SlotPhase::ready && (meta.flags & ring::k_flag_lane) != 0;
    if (!in_lane || state.owner >= memory.geometry.max_producers || by_index[state.owner] == nullptr) continue;
    ProducerState& producer = *by_index[state.owner];
    ++producer.lane_messages;
    producer.lane_used = std::min(producer.lane_used + ring::whole_lines(meta.size), memory.geometry.lane_bytes);
  }
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const ring::Slot& slot = memory.slot(i);
    const std::optional<ring::Position> parked = ring::parked_position(memory, i);
    const ring::SlotMeta meta = ring::SlotMeta::of(slot.meta.load_relaxed());
    const unsigned owner = ring::LaneReference::of(slot.lane_reference().load_relaxed()).owner;
    if (!parked || ring::distance(*parked, lowest) >= 0 || meta.flags != ring::k_flag_lane) continue;
    if (owner >= memory.geometry.max_producers || by_index[owner] == nullptr) continue;
    ProducerState& producer = *by_index[owner];
    ++producer.lane_messages;
    producer.lane_used = std::min(producer.lane_used + ring::whole_lines(meta.size), memory.geometry.lane_bytes);
  }
}

/// `claims` were read a moment ago. Only claims that are still open are reported, so a producer that works is not.
void read_producers(const ring::QueueMemory& memory, const std::vector<OpenClaim>& claims, ring::Position lowest,
                    QueueSnapshot& snapshot) {
  for (const EndpointInfo& info : snapshot.info.endpoints) {
    if (!info.producer || info.index >= memory.geometry.max_producers) continue;
    const ring::Endpoint& endpoint = memory.endpoint(info.index);
    ProducerState state;
    state.endpoint = info;
    state.counters = ring::load_producer_counters(memory, info.index);
    state.sleep = sleep_of(endpoint);
    state.waits_since_ns = endpoint.asleep_since_ns.load_relaxed();
    state.place_in_line = place_in_line(memory, info.index);
    state.waits_for = waits_for(memory, endpoint, state.place_in_line != 0, lowest, snapshot.position);
    // A producer that spins has stored no wake_past: the oldest position is in its way.
    state.waits_past = state.sleep == SleepState::awake ? lowest : ring::wrap(endpoint.wake_past.load_relaxed());
    for (const OpenClaim& claim : claims) {
      if (claim.owner != info.index || claim.state->load_relaxed() != claim.seen) continue;
      if (state.claimed++ == 0 || ring::distance(claim.position, state.oldest_claim) < 0)
        state.oldest_claim = claim.position;
    }
    snapshot.producers.push_back(std::move(state));
  }
  read_lanes(memory, lowest, snapshot);
}

void read_consumers(const ring::QueueMemory& memory, QueueSnapshot& snapshot) {
  for (const EndpointInfo& info : snapshot.info.endpoints) {
    if (info.producer || info.index >= memory.geometry.max_consumers) continue;
    const ring::Endpoint& endpoint = memory.endpoint(ring::k_first_consumer + info.index);
    ConsumerState state;
    state.endpoint = info;
    state.counters = ring::load_counters<ConsumerCounters>(endpoint.counters);
    state.sleep = sleep_of(endpoint);
    state.waits_since_ns = endpoint.asleep_since_ns.load_relaxed();
    if (info.group.empty()) {
      state.floor = floor_of(memory, memory.geometry.max_groups + info.index);
      state.lag = depth_of(memory, state.floor, snapshot.position);
    }
    snapshot.consumers.push_back(std::move(state));
  }
}

/// Time until the first delayed message of a group is due.
std::chrono::microseconds due_in(const ring::QueueMemory& memory, unsigned group) noexcept {
  const std::uint64_t due_us = ring::EarliestDue::of(memory.group(group).earliest_due.load_relaxed()).due_us;
  const std::uint64_t now_us = ring::now_us();
  return std::chrono::microseconds(ring::is_due(due_us, now_us) ? 0 : due_us - now_us);
}

void read_groups(const ring::QueueMemory& memory, const std::vector<unsigned>& indexes, QueueSnapshot& snapshot) {
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    GroupState state;
    const NamedGroup& group = snapshot.info.options.groups[i];
    state.name = group.name;
    read_options(group.options, snapshot.info.options, state);
    state.overdue = ring::count_overdue(memory, indexes[i]);
    state.to_move = count_to_move(memory, indexes[i]);
    state.dropped = memory.group(indexes[i]).dropped.load_relaxed();
    state.paused_for = snapshot.info.paused_for(group.name);
    state.floor = needed_from(memory, indexes[i], snapshot.position);
    state.depth = depth_of(memory, state.floor, snapshot.position);
    const Leases leases = count_leases(memory, indexes[i], state.floor, state.depth);
    state.leased = leases.leased;
    state.retry = leases.retry;
    state.delayed = leases.delayed;
    if (leases.delayed != 0 || leases.has_parked_delayed) state.due_in = due_in(memory, indexes[i]);
    state.available = leases.available;
    state.holder = leases.holder;
    state.tries = leases.tries;
    state.parked = leases.parked;
    state.oldest_parked = leases.oldest_parked;
    state.parked_holder = leases.parked_holder;
    for (ConsumerState& consumer : snapshot.consumers) {
      if (consumer.endpoint.group != state.name || consumer.endpoint.leaving) continue;
      state.consumers.push_back(consumer.endpoint.index);
      state.discarded += consumer.counters.discarded;
      state.timed_out += consumer.counters.timed_out;
      state.dead_lettered += consumer.counters.dead_lettered;
      consumer.held = leases.held_by[consumer.endpoint.index];
    }
    snapshot.groups.push_back(std::move(state));
  }
}

void read_leaving(const ring::QueueMemory& memory, const std::vector<wire::Description::Leaving>& groups,
                  QueueSnapshot& snapshot) {
  for (const auto& group : groups) {
    LeavingGroup state{.name = group.name};
    state.holds = ring::GroupStateWord::of(memory.group(group.index).state.load_acquire()).blocks_producers();
    if (state.holds) {
      state.floor = needed_from(memory, group.index, snapshot.position);
      const Leases leases =
          count_leases(memory, group.index, state.floor, depth_of(memory, state.floor, snapshot.position));
      state.leased = leases.leased;
      for (ConsumerState& consumer : snapshot.consumers) {
        if (!consumer.endpoint.leaving || consumer.endpoint.group != group.name) continue;
        consumer.held = leases.held_by[consumer.endpoint.index];
      }
    }
    snapshot.leaving.push_back(std::move(state));
  }
}

/// The first position that some reliable group needs; `tail` if there is none.
ring::Position lowest_needed(const ring::QueueMemory& memory, ring::Position tail) noexcept {
  ring::Position lowest = tail;
  for (unsigned group = 0; group < memory.geometry.groups(); ++group) {
    if (!ring::GroupStateWord::of(memory.group(group).state.load_acquire()).blocks_producers()) continue;
    const ring::Position needed = needed_from(memory, group, tail);
    if (ring::distance(needed, lowest) < 0) lowest = needed;
  }
  return lowest;
}

/// Words that no healthy queue has, of all that was read once: a floor that lies outside of the ring, and a slot behind a floor
/// that belongs to another lap, so that no reader gets past it. A queue at work may show one for a moment.
std::uint64_t count_broken(const ring::QueueMemory& memory, ring::Position tail) noexcept {
  std::uint64_t broken = 0;
  std::uint64_t deepest = 0;
  for (unsigned group = 0; group < memory.geometry.groups(); ++group) {
    if (!ring::GroupStateWord::of(memory.group(group).state.load_acquire()).blocks_producers()) continue;
    const std::int64_t depth = ring::distance(tail, floor_of(memory, group));
    if (depth < 0 || depth > static_cast<std::int64_t>(memory.geometry.slots)) {
      ++broken;
    } else {
      deepest = std::max(deepest, static_cast<std::uint64_t>(depth));
    }
  }
  for (std::uint64_t left = deepest; left > 1; --left) {  // the last claim may have no mark yet
    const ring::Position position = ring::wrap(tail - left);
    if (ring::SlotState::of(memory.slot(position).state.load_acquire()).position != position) ++broken;
  }
  return broken;
}

}  // namespace

QueueSnapshot take_snapshot(const ring::QueueMemory& memory, wire::Description description) {
  const std::vector<OpenClaim> claims = open_claims(memory);
  QueueSnapshot snapshot;
  snapshot.info = std::move(description.info);
  snapshot.position = ring::load_tail(memory);
  snapshot.broken = count_broken(memory, snapshot.position);
  const ring::Position lowest = lowest_needed(memory, snapshot.position);
  snapshot.used = depth_of(memory, lowest, snapshot.position);
  const std::uint32_t notice = ring::Notice::of(memory.shared_status().notice.load_acquire()).flags;
  snapshot.parked = ring::count_parked(memory);
  snapshot.max_parked = memory.geometry.max_parked;
  snapshot.symmetric_fences = (notice & ring::k_notice_symmetric) != 0;
  snapshot.removed = (notice & ring::k_notice_removed) != 0;
  snapshot.totals = ring::load_counters<QueueTotals>(memory.shared_status().totals);
  snapshot.totals.unread = ring::count_unread(memory);
  read_consumers(memory, snapshot);
  read_groups(memory, description.group_indexes, snapshot);
  read_leaving(memory, description.leaving, snapshot);
  read_producers(memory, claims, lowest, snapshot);
  return with_ages(memory, std::move(snapshot));
}

}  // namespace beltway::client

namespace beltway {

QueueSnapshot Queue::snapshot() const {
  const client::Inspection inspection = client::attach_inspector(*session_, {name_, id_, wire::geometry_of(options_)});
  return client::take_snapshot(inspection.memory, client::describe(*session_, *this));
}

}  // namespace beltway
