// Evicting consumers that block producers and stand still (evict_after_ms of their group). See queue.hpp.
//
// Stopped is not dead: the process may go on in the middle of any instruction, much later. What keeps it from doing harm:
//   - its place stays taken until its lock is gone, so that no other endpoint has its owner number: a late compare-and-swap
//     that expects LEASED(p, c, tries) finds what another has made of the word, and fails;
//   - the consumer finds a late lease itself: it checks its flag after the lease, and gives the lease back; the flag was set
//     before a barrier on all processors, and its leases were taken away after it;
//   - a late move of `next` fails by the version, which taking away raises;
//   - producers ignore its private floor, since the group is free;
//   - it can write neither slots nor lanes.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/tool_command.hpp"
#include "queues/queue.hpp"
#include "recovery/eviction.hpp"
#include "ring/floors.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

std::chrono::milliseconds Queue::evict_after(unsigned group) const noexcept {
  return daemon::evict_after(record_, group);
}

std::chrono::milliseconds Queue::shortest_evict_after() const noexcept {
  std::chrono::milliseconds shortest = record_.options.evict_after;
  for (const GroupRecord& group : record_.groups) {
    const auto own = group.options.evict_after.value_or(std::chrono::milliseconds(0));
    if (own.count() != 0 && (shortest.count() == 0 || own < shortest)) shortest = own;
  }
  return shortest;
}

bool Queue::holds_producers_back(ring::Position floor) const noexcept {
  const ring::SharedStatus& shared_status = memory_.shared_status();
  if (shared_status.live_producers.load_acquire() == 0) return false;
  if (ring::distance(ring::load_tail(memory_), floor) >= static_cast<std::int64_t>(geometry_.slots)) return true;
  // Room in the lane may be what a producer sleeps for: it says which position must be passed.
  const std::uint64_t sleepers = shared_status.producer_sleepers.load_acquire();
  for (unsigned producer = 0; producer < geometry_.max_producers; ++producer) {
    if ((sleepers >> producer & 1U) == 0) continue;
    const ring::Endpoint& endpoint = memory_.endpoint(producer);
    const ring::WaitPhase phase = ring::Wait::of(endpoint.wait.load_acquire()).phase;
    const bool asleep = phase == ring::WaitPhase::asleep || phase == ring::WaitPhase::waking;
    if (asleep && ring::distance(ring::wrap(endpoint.wake_past.load_relaxed()), floor) >= 0) return true;
  }
  return false;
}

std::optional<unsigned> Queue::find_consumer_at(unsigned group, ring::Position floor) const noexcept {
  unsigned consumer = group - geometry_.max_groups;
  if (group < geometry_.max_groups) {
    const ring::Lease lease = ring::Lease::of(memory_.lease(group, floor).load_acquire());
    const bool leased =
        lease.phase == ring::LeasePhase::leased && ring::distance<ring::Lease::bits>(lease.position, floor) == 0;
    if (!leased || lease.owner < ring::k_first_consumer) return std::nullopt;
    consumer = lease.owner - ring::k_first_consumer;
  }
  if (consumer >= geometry_.max_consumers) return std::nullopt;
  const unsigned place = geometry_.max_producers + consumer;
  // Only a consumer that the record has in this group: a peer may have written any number into the lease word. Also a consumer
  // that is evicted already: it may have been stopped again before it gave a late lease back.
  const EndpointRecord& endpoint = record_.endpoints[place];
  return endpoint.attached && endpoint.group == group ? std::optional(place) : std::nullopt;
}

std::optional<unsigned> Queue::find_holder(unsigned group, ring::Position floor) const noexcept {
  const std::optional<unsigned> place = find_consumer_at(group, floor);
  // Not a consumer that attached while evictions were off: it acks by plain stores, which an eviction cannot stop.
  return place && record_.endpoints[*place].evictable ? place : std::nullopt;
}

void Queue::evict_stalled_consumers(RunClock::Tick tick) {
  store_clock_offset();
  if (shortest_evict_after().count() == 0) return;
  stalls_.resize(geometry_.groups());
  for (unsigned group = 0; group < geometry_.groups(); ++group) {
    const auto limit = evict_after(group);
    if (limit.count() == 0) continue;
    Stall& before = stalls_[group];
    const bool active = ring::GroupStateWord::of(memory_.group(group).state.load_acquire()).blocks_producers();
    if (active && group < geometry_.max_groups) ring::help_floor(memory_, group);  // floors are lazy
    const ring::Position floor = ring::wrap(memory_.group(group).floor.load_acquire());
    std::optional<unsigned> place;
    if (active && holds_producers_back(floor)) place = find_holder(group, floor);
    if (!place || place != before.place || floor != before.floor) {
      before = {floor, place, tick.now};
    } else if (!tick.is_late && tick.now - before.since >= limit) {
      evict(*place, "producers waited, and it stood still for " + std::to_string(limit.count()) + " ms");
      before = {};
    }
  }
}

void Queue::tell_lost_evictions() {
  for (unsigned place = geometry_.max_producers; place < record_.endpoints.size(); ++place) {
    if (!record_.endpoints[place].attached || !record_.endpoints[place].evicted) continue;
    StoredEvent evicted = event_of_endpoint(place, "evicted", "a daemon before this one evicted it, and died");
    const Event& about = evicted.event;
    const std::string last = saved_queues_.events().last_of_endpoint(about.queue_id, about.role, about.index);
    if (last != "evicted") tell(std::move(evicted));
  }
}

void Queue::evict(unsigned place, std::string why) {
  EndpointRecord& endpoint = record_.endpoints[place];
  if (endpoint.evicted) return revoke(place);
  endpoint.evicted = true;
  save();  // a daemon that dies from here on leaves the event to the next one: tell_lost_evictions()
  spdlog::warn("queue {}: {} (process {}) is evicted: {}", record_.name, endpoint_text(place), endpoint.pid, why);
  tell(event_of_endpoint(place, "evicted", std::move(why)));
  revoke(place);
}

namespace {

/// What ends a consumer that cannot be evicted, and what lets the next one be evicted.
Error not_evictable(const QueueRecord& queue, const std::string& context, const EndpointRecord& endpoint,
                    const std::string& who) {
  const std::string pid = std::to_string(endpoint.pid);
  if (endpoint.kind == ring::GroupKind::lossy) {
    return {Errc::misuse, context + ": " + who +
                              " is lossy: producers overtake it, so it holds up nobody. To end it, end its "
                              "process: kill " +
                              pid};
  }
  const std::string process = endpoint.pid == 0 ? "its process" : "process " + pid + " (" + endpoint.command + ")";
  const std::string end =
      endpoint.pid == 0 ? "end it" : "end it: kill " + pid + ", or kill -KILL " + pid + " if it is stopped or hangs";
  return {Errc::misuse, context + ": " + who +
                            " attached while evict_after was 0, so its acknowledgements cannot be stopped while " +
                            process + " lives; " + end +
                            ". Its messages go to other consumers at once. Consumers that attach after "
                            "\"" +
                            tool_command("declare", {queue.name}, "--evict-after 30s") + "\" can be evicted"};
}

}  // namespace

void Queue::evict_consumer(unsigned index, const std::string& by) {
  const std::string context = wire::error_subject("evict a consumer of", record_.name);
  const unsigned place = geometry_.max_producers + std::min(index, geometry_.max_consumers);
  // A process that has ended needs no eviction: its messages are given back now.
  if (index >= geometry_.max_consumers || !record_.endpoints[place].attached || reap_if_dead(place)) {
    throw Error(Errc::not_found, context + ": it has no consumer " + std::to_string(index) + "; \"" +
                                     tool_command("show", {record_.name}) + "\" lists the consumers");
  }
  const EndpointRecord& endpoint = record_.endpoints[place];
  if (!endpoint.evictable) throw not_evictable(record_, context, endpoint, endpoint_text(place));
  evict(place, by);
}

void Queue::revoke(unsigned place) noexcept {
  const EndpointRecord& endpoint = record_.endpoints[place];
  recovery::revoke(memory_, owner_of(place), endpoint.incarnation, endpoint.group);
}

}  // namespace beltway::daemon
