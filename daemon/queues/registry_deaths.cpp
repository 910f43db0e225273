// Pending deaths (endpoints whose death the daemon awaits), and the eviction of consumers that stand still. See registry.hpp.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "queues/registry.hpp"

namespace beltway::daemon {
namespace {

/// How long the daemon checks pending deaths at a time, before it does other work.
constexpr std::chrono::milliseconds k_turn_ms{3};

}  // namespace

void Registry::session_ended(std::uint64_t session, const std::vector<wire::EndpointName>& endpoints) {
  const auto end = std::chrono::steady_clock::now() + k_turn_ms;
  for (const wire::EndpointName& name : endpoints) {
    PendingDeath pending{.always = false, .ended = session};
    // A process may have had thousands of endpoints. The daemon checks the others later, with the other pending deaths.
    if (std::chrono::steady_clock::now() < end && try_reap(name, pending)) continue;
    pending_[name].ended = pending.ended;
  }
}

void Registry::detach(std::uint64_t session, const wire::EndpointName& name) {
  Queue* queue = try_find(name.queue);
  if (queue == nullptr) return;
  if (queue->is_busy()) {
    queue->when_free([this, session, name] { detach(session, name); });
    return;
  }
  if (name.endpoint == wire::k_queue_owner) {
    // The client could not keep the lock. The lock decides, whichever session says so.
    if (session != 0 && queue->record().owner_process.session == session) pending_[name].ended = session;
    remove_without_owner(*queue);
    return;
  }
  const auto place = queue->find_endpoint(name.endpoint, name.incarnation);
  if (!place) return;
  const bool own = queue->record().endpoints[*place].session == session;
  // Any session may ask; the lock decides whether the endpoint is gone. If the lock is held, the daemon awaits the death only if
  // the endpoint's own session asked.
  if (!reap_if_dead(*queue, *place, Queue::Leaving::said) && own) pending_[name].ended = session;
}

Registry::Resumed Registry::resume(const Peer& peer, std::uint64_t session, const wire::EndpointName& name) {
  Queue* queue = try_find(name.queue);
  if (queue == nullptr) return find_held(name.queue) != nullptr ? Resumed::ok : Resumed::gone;
  if (name.endpoint == wire::k_queue_owner) return resume_owner(peer, session, *queue);
  const auto place = queue->find_endpoint(name.endpoint, name.incarnation);
  if (!place) return Resumed::gone;
  const EndpointRecord& endpoint = queue->record().endpoints[*place];
  if (endpoint.pid != peer.pid || (peer.pid == 0 && endpoint.uid != peer.uid)) {
    spdlog::info("queue {}: process {} of user {} resumes endpoint {} of process {}, which is not its own; refused",
                 queue->record().name, peer.pid, peer.uid, name.endpoint, endpoint.pid);
    return Resumed::refused;
  }
  queue->give_endpoint_to(*place, session);
  return Resumed::ok;
}

void Registry::watch_by_lock(const wire::EndpointName& name) { pending_[name].always = true; }

bool Registry::reap_if_dead(Queue& queue, unsigned place, Queue::Leaving leaving) {
  if (workers_ == nullptr || !queue.is_large()) return queue.reap_if_dead(place, leaving);
  if (!queue.record().endpoints[place].attached) return true;
  if (!queue.is_alive(place)) run_beside(queue, [&queue, place, leaving] { queue.reap_if_dead(place, leaving); }, {});
  return false;
}

void Registry::run_beside(Queue& queue, std::function<void()> work, std::function<void()> done) {
  if (workers_ == nullptr || !queue.is_large()) {
    work();
    if (done) done();
    return;
  }
  queue.give_to_worker();
  workers_->run(std::move(work), [this, &queue, done = std::move(done)] {
    const auto waiting = queue.take_from_worker();
    if (done) done();
    for (const auto& each : waiting) each();  // one of these calls may remove the queue
    if (freed_) freed_();
  });
}

bool Registry::try_reap(const wire::EndpointName& name, PendingDeath& pending) {
  Queue* const queue = try_find(name.queue);
  if (queue == nullptr) return true;
  if (queue->is_busy()) return false;
  if (name.endpoint == wire::k_queue_owner) return try_reap_owner(*queue, pending);
  const auto place = queue->find_endpoint(name.endpoint, name.incarnation);
  if (!place) return true;
  const std::uint64_t session = queue->record().endpoints[*place].session;
  const std::uint64_t ended = std::exchange(pending.ended, 0);
  if (ended != 0 && ended == session) queue->give_endpoint_to(*place, 0);
  // If another connection has resumed the endpoint, that connection's end will report the death.
  if (!pending.always && queue->record().endpoints[*place].session != 0) return true;
  return reap_if_dead(*queue, *place);
}

std::size_t Registry::reap_pending() {
  const auto end = std::chrono::steady_clock::now() + k_turn_ms;
  auto each = next_pending_ ? pending_.lower_bound(*next_pending_) : pending_.begin();
  next_pending_.reset();
  while (each != pending_.end()) {
    if (std::chrono::steady_clock::now() >= end) {
      next_pending_ = each->first;
      break;
    }
    each = try_reap(each->first, each->second) ? pending_.erase(each) : std::next(each);
  }
  return pending_deaths();
}

std::chrono::milliseconds Registry::evict_stalled_consumers(std::chrono::steady_clock::time_point wall) {
  // The daemon checks at intervals of a quarter of evict_after, within these limits.
  constexpr std::chrono::milliseconds k_shortest_ms{5};
  constexpr std::chrono::milliseconds k_longest_ms{500};
  std::chrono::milliseconds pause{0};
  const RunClock::Tick tick = run_clock_.tick(wall);
  for (auto each = evicting_.begin(); each != evicting_.end();) {
    Queue* const queue = try_find(*each);
    if (queue != nullptr && queue->is_busy()) {
      pause = pause.count() == 0 ? k_shortest_ms : std::min(pause, k_shortest_ms);
      ++each;
      continue;
    }
    const auto evict_after = queue == nullptr ? std::chrono::milliseconds(0) : queue->shortest_evict_after();
    if (evict_after.count() == 0) {
      each = evicting_.erase(each);
      continue;
    }
    ++each;
    queue->evict_stalled_consumers(tick);
    const auto wanted = std::clamp(evict_after / 4, k_shortest_ms, k_longest_ms);
    pause = pause.count() == 0 ? wanted : std::min(pause, wanted);
  }
  if (pause.count() == 0) {
    run_clock_.rest();
  } else {
    run_clock_.plan(wall, pause);
  }
  return pause;
}

std::set<int> Registry::orphans() const {
  std::set<int> processes;
  for (const auto& [name, pending] : pending_) {
    const Queue* const queue = try_find(name.queue);
    if (queue == nullptr || queue->is_busy()) continue;
    if (const int pid = process_of(*queue, name); pid > 0) processes.insert(pid);
  }
  return processes;
}

}  // namespace beltway::daemon
