#include "registry.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

#include "validate.hpp"

namespace beltway::daemon {
namespace {

std::uint64_t random_first_id() {
  std::random_device device;
  // The upper half of the range is left for counting.
  return ((std::uint64_t{device()} << 32) | device()) & (protocol::k_max_queue_id >> 1);
}

}  // namespace

Registry::Registry(const Quotas& quotas, Keep& keep) : quotas_(quotas), keep_(keep), last_id_(random_first_id()) {
  for (Keep::Kept& kept : keep_.take_queues()) restore(std::move(kept));
}

void Registry::restore(Keep::Kept kept) {
  const std::string name = kept.record.name;
  const unsigned place = kept.place;
  try {
    auto queue = std::make_unique<Queue>(std::move(kept), keep_);
    if (queue->record().removing || queues_.contains(name)) return queue->remove();
    std::size_t alive = 0;
    const auto& endpoints = queue->record().endpoints;
    for (unsigned at = 0; at < endpoints.size(); ++at) {
      if (!endpoints[at].attached || queue->look(at)) continue;
      ++alive;
      suspects_.push_back({queue->record().id, queue->owner_of(at), endpoints[at].incarnation});
    }
    spdlog::info("queue {}: taken over, id {}, {} endpoints alive", name, queue->record().id, alive);
    by_id_.emplace(queue->record().id, queue.get());
    queues_.emplace(name, std::move(queue));
  } catch (const Error& error) {
    spdlog::error("a queue is lost: {}", error.what());
    keep_.drop(place);
  }
}

Registry::Declared Registry::declare(const Peer& peer, const std::string& name, const QueueOptions& options) {
  check_name("declare", "queue", name);
  const std::string what = about("declare", name);
  check_options(what, options);
  if (const auto found = queues_.find(name); found != queues_.end()) {
    return open_existing(peer, *found->second, options);
  }
  check_quota(peer, what, shared_bytes_of(geometry_of(options)));
  QueueRecord record;
  record.name = name;
  record.id = last_id_ + 1;
  record.owner_uid = peer.uid;
  record.owner_gid = peer.gid;
  record.options = options;
  auto queue = std::make_unique<Queue>(std::move(record), keep_);
  Queue& made = *queue;
  queues_.emplace(name, std::move(queue));
  by_id_.emplace(made.record().id, &made);
  ++last_id_;
  spdlog::info("queue {}: declared by user {}, id {}, {} bytes", name, peer.uid, last_id_, made.shared_bytes());
  return {made, true};
}

Registry::Declared Registry::open_existing(const Peer& peer, Queue& queue, const QueueOptions& options) {
  const QueueRecord& record = queue.record();
  require(peer, record, Right::see, "declare");
  if (const auto difference = first_difference(record.options, options)) {
    throw Error(Errc::already_exists, about("declare", record.name) + ": it exists with " + *difference +
                                          "; open it as it is, use the same options, or remove it first");
  }
  add_groups(peer, queue, options.groups, Start::latest, "declare");
  return {queue, false};
}

void Registry::add_groups(const Peer& peer, Queue& queue, const std::vector<NamedGroup>& groups, Start start,
                          const std::string& operation) {
  bool complete = true;
  for (const NamedGroup& group : groups) {
    if (queue.has_group(group)) continue;
    complete = false;
    const bool plain = group.options == GroupOptions{};
    require(peer, queue.record(), plain ? Right::consume : Right::own,
            plain ? "make a group of" : "make a group with options of");
  }
  if (!complete) queue.add_groups(groups, start, operation);
}

void Registry::check_quota(const Peer& peer, const std::string& what, std::uint64_t bytes) const {
  std::uint64_t queues = 0;
  std::uint64_t held = 0;
  for (const auto& [name, queue] : queues_) {
    if (queue->record().owner_uid != peer.uid) continue;
    ++queues;
    held += queue->shared_bytes();
  }
  if (queues >= quotas_.queues_per_user) {
    throw Error(Errc::limit_reached, what + ": user " + std::to_string(peer.uid) + " has " + std::to_string(queues) +
                                         " queues, the quota is " + std::to_string(quotas_.queues_per_user) +
                                         "; remove some, or start beltwayd with --max-queues-per-user");
  }
  if (held + bytes > quotas_.bytes_per_user) {
    throw Error(Errc::limit_reached, what + ": it needs " + std::to_string(bytes) + " bytes, user " +
                                         std::to_string(peer.uid) + " has " + std::to_string(held) +
                                         " in queues, the quota is " + std::to_string(quotas_.bytes_per_user) +
                                         "; remove some, or start beltwayd with --max-bytes-per-user");
  }
}

Queue& Registry::find(const std::string& name, const std::string& operation) const {
  check_name(operation, "queue", name);
  const auto found = queues_.find(name);
  if (found != queues_.end()) return *found->second;
  throw Error(Errc::not_found, about(operation, name) + ": there is no such queue; declare it first");
}

Queue& Registry::find(std::uint64_t id, const std::string& operation) const {
  if (Queue* queue = try_find(id)) return *queue;
  throw Error(Errc::removed, operation + ": the queue with id " + std::to_string(id) +
                                 " was removed, or the daemon was started anew; declare or open it again");
}

Queue* Registry::try_find(std::uint64_t id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void Registry::remove(const std::string& name) noexcept {
  const auto found = queues_.find(name);
  if (found == queues_.end()) return;
  found->second->remove();
  spdlog::info("queue {}: removed, id {}", name, found->second->record().id);
  by_id_.erase(found->second->record().id);
  queues_.erase(found);
}

void Registry::remove_all() noexcept {
  for (const auto& [name, queue] : queues_) queue->remove();
  by_id_.clear();
  queues_.clear();
}

void Registry::session_ended(std::uint64_t session) {
  for (const auto& [name, queue] : queues_) {
    const auto& endpoints = queue->record().endpoints;
    for (unsigned place = 0; place < endpoints.size(); ++place) {
      if (!endpoints[place].attached || endpoints[place].session != session) continue;
      if (queue->look(place)) continue;
      queue->give_endpoint_to(place, 0);
      suspects_.push_back({queue->record().id, queue->owner_of(place), endpoints[place].incarnation});
    }
  }
}

void Registry::detach(std::uint64_t session, const protocol::EndpointName& name) {
  Queue* queue = try_find(name.queue);
  if (queue == nullptr) return;
  const auto place = queue->find_endpoint(name.endpoint, name.incarnation);
  // Whoever says so: the lock decides. Only its own process has its death awaited, if it has not unmapped all after all.
  if (!place || queue->look(*place) || queue->record().endpoints[*place].session != session) return;
  queue->give_endpoint_to(*place, 0);
  suspects_.push_back(name);
}

std::uint64_t Registry::promise_lane(const protocol::EndpointName& name, std::uint64_t bytes) {
  return promises_.add(name, bytes, Promises::Clock::now(), [this](const protocol::EndpointName& other) {
    const Queue* const queue = try_find(other.queue);
    return queue != nullptr && queue->find_endpoint(other.endpoint, other.incarnation).has_value();
  });
}

void Registry::lane_is_filled(std::uint64_t session, const protocol::EndpointName& name) noexcept {
  const Queue* const queue = try_find(name.queue);
  const auto place = queue == nullptr ? std::nullopt : queue->find_endpoint(name.endpoint, name.incarnation);
  if (place && queue->record().endpoints[*place].session == session) promises_.settle(name);
}

bool Registry::resume(const Peer& peer, std::uint64_t session, const protocol::EndpointName& name) {
  Queue* queue = try_find(name.queue);
  if (queue == nullptr) return false;
  const auto place = queue->find_endpoint(name.endpoint, name.incarnation);
  if (!place) return false;
  const EndpointRecord& endpoint = queue->record().endpoints[*place];
  if (endpoint.uid != peer.uid || endpoint.pid != peer.pid) return false;
  queue->give_endpoint_to(*place, session);
  return true;
}

std::size_t Registry::look_at_suspects() {
  std::erase_if(suspects_, [this](const protocol::EndpointName& name) {
    Queue* queue = try_find(name.queue);
    if (queue == nullptr) return true;
    const auto place = queue->find_endpoint(name.endpoint, name.incarnation);
    // One that was resumed is its new connection's care.
    return !place || queue->record().endpoints[*place].session != 0 || queue->look(*place);
  });
  return suspects();
}

bool Registry::give_back_some_memory() noexcept {
  for (const auto& [name, queue] : queues_) {
    if (!queue->has_memory_to_give_back()) continue;
    queue->give_back_some_memory();
    break;
  }
  return has_memory_to_give_back();
}

bool Registry::has_memory_to_give_back() const noexcept {
  return std::ranges::any_of(queues_, [](const auto& entry) { return entry.second->has_memory_to_give_back(); });
}

std::chrono::milliseconds Registry::evict_who_stands_still() {
  // A span is measured to a quarter of it, and not finer than the clock of people.
  constexpr std::chrono::milliseconds k_shortest_ms{5};
  constexpr std::chrono::milliseconds k_longest_ms{500};
  std::chrono::milliseconds pause{0};
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [name, queue] : queues_) {
    const auto evict_after = queue->shortest_evict_after_ms();
    if (evict_after.count() == 0) continue;
    queue->evict_who_stands_still(now);
    const auto wanted = std::clamp(evict_after / 4, k_shortest_ms, k_longest_ms);
    pause = pause.count() == 0 ? wanted : std::min(pause, wanted);
  }
  return pause;
}

std::set<int> Registry::orphans() const {
  std::set<int> processes;
  for (const protocol::EndpointName& name : suspects_) {
    const Queue* const queue = try_find(name.queue);
    const auto place = queue == nullptr ? std::nullopt : queue->find_endpoint(name.endpoint, name.incarnation);
    if (place) processes.insert(queue->record().endpoints[*place].pid);
  }
  return processes;
}

}  // namespace beltway::daemon
