#include "queues/registry.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

#include "beltway/version.hpp"
#include "queues/death_log.hpp"
#include "wire/options_checks.hpp"
#include "wire/options_schema.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

/// Up to so many bytes of ring and control a queue is made in the daemon's thread: it takes about a millisecond.
constexpr std::uint64_t k_made_at_once_bytes = 2ULL << 20;
/// Giving memory back is some ten times quicker.
constexpr std::uint64_t k_freed_at_once_bytes = 16ULL << 20;

std::uint64_t random_first_id() {
  std::random_device device;
  // The upper half of the range is left for counting.
  return ((std::uint64_t{device()} << 32) | device()) & (wire::k_max_queue_id >> 1);
}

}  // namespace

Registry::Registry(const Quotas& quotas, SavedQueues& saved_queues, Workers* workers)
    : quotas_(quotas), saved_queues_(saved_queues), workers_(workers), last_id_(random_first_id()) {
  auto left = saved_queues_.take_queues();
  tell_start(left.size());
  for (SavedQueues::SavedQueue& saved : left) restore(std::move(saved));
  for (const HeldQueue& held : saved_queues_.held()) {
    spdlog::error("queue {}: kept as it is, and not served: {}", held.stamp.name, held.why);
  }
}

void Registry::restore(SavedQueues::SavedQueue saved) {
  const std::string name = saved.record.name;
  try {
    auto queue = std::make_unique<Queue>(std::move(saved), saved_queues_);
    if (queue->record().removing || queues_.contains(name)) return queue->remove();
    if (queue->has_lost_owner()) {
      spdlog::info("queue {}: its process {} ended while no daemon ran; removed, id {}", name,
                   queue->record().owner_process.pid, queue->record().id);
      queue->tell(queue->event("removed", "the process that it belongs to ended while no daemon ran"));
      return queue->remove();
    }
    queue->tell_lost_evictions();
    std::size_t alive = 0;
    const auto& endpoints = queue->record().endpoints;
    for (unsigned at = 0; at < endpoints.size(); ++at) {
      // A worker checks a large one, as soon as the daemon runs.
      const bool now = workers_ == nullptr || !queue->is_large();
      if (!endpoints[at].attached || (now && queue->reap_if_dead(at))) continue;
      ++alive;
      expect_events();
      pending_.try_emplace({queue->record().id, queue->owner_of(at), endpoints[at].incarnation});
    }
    spdlog::info("queue {}: taken over, id {}, {} endpoints alive", name, queue->record().id, alive);
    if (queue->record().options.exclusive) pending_.try_emplace(owner_name(*queue));
    note_watched(*queue);
    by_id_.emplace(queue->record().id, queue.get());
    queues_.emplace(name, std::move(queue));
  } catch (const Error& error) {
    // Its descriptors are whole, and a moment with more memory or descriptors can use them.
    saved_queues_.hold(std::move(saved),
                       std::string(error.what()) + "; start the daemon again when there is room (SIGUSR2)");
  }
}

const HeldQueue* Registry::find_held(std::string_view name) const noexcept {
  const auto& held = saved_queues_.held();
  const auto found = std::ranges::find_if(held, [&](const HeldQueue& queue) { return queue.stamp.name == name; });
  return found == held.end() ? nullptr : &*found;
}

const HeldQueue* Registry::find_held(std::uint64_t id) const noexcept {
  const auto& held = saved_queues_.held();
  const auto found = std::ranges::find_if(held, [&](const HeldQueue& queue) { return queue.stamp.id == id; });
  return found == held.end() ? nullptr : &*found;
}

void Registry::refuse(const HeldQueue& held, const std::string& operation) {
  throw Error(Errc::incompatible, wire::error_subject(operation, held.stamp.name) + ": " + held.why +
                                      ". The daemon, version " + std::string(k_version) +
                                      ", keeps it as it is: attached processes go on with each other, but no other can "
                                      "attach, and the messages of a "
                                      "process that dies are not given back. Install the version of beltwayd that made "
                                      "it and send SIGUSR2; or stop the daemon, "
                                      "which ends the queue");
}

Registry::Declared Registry::declare(const Peer& peer, const std::string& name, const QueueOptions& options,
                                     const Said& said, std::uint64_t session) {
  wire::check_name("declare", "queue", name);
  wire::check_options(wire::error_subject("declare", name), options);
  if (Queue* const queue = find_lasting(name)) return open_existing(peer, *queue, options, said, session);
  return {publish(make_queue(new_record(peer, session, name, options))), true};
}

std::optional<Registry::Declared> Registry::declare(const Peer& peer, std::uint64_t session, const std::string& name,
                                                    const QueueOptions& options, const Said& said,
                                                    std::function<void()> again) {
  wire::check_name("declare", "queue", name);
  wire::check_options(wire::error_subject("declare", name), options);
  if (const auto found = making_.find(name); found != making_.end()) {
    Making& making = found->second;
    if (!making.is_over) {
      making.waiting.push_back(std::move(again));
      return std::nullopt;
    }
    // It is over, and the session that asked first asks again.
    if (making.session == session && making.failure) throw Error(*making.failure);
    if (making.session == session) return Declared{find(name, "declare"), true};
  }
  Queue* const existing = find_lasting(name);
  if (existing != nullptr && existing->is_busy()) {
    existing->when_free(std::move(again));
    return std::nullopt;
  }
  const ring::Geometry geometry = wire::geometry_of(options);
  const bool large = geometry.ring_bytes() + geometry.control_bytes() > k_made_at_once_bytes;
  if (existing != nullptr || workers_ == nullptr || !large) return declare(peer, name, options, said, session);
  make_later(new_record(peer, session, name, options), session, std::move(again));
  return std::nullopt;
}

QueueRecord Registry::new_record(const Peer& peer, std::uint64_t session, const std::string& name,
                                 const QueueOptions& options) {
  if (const HeldQueue* const held = find_held(name)) refuse(*held, "declare");
  wire::check_end_of_failures(wire::error_subject("declare", name), options, options.groups);
  links_.check_new(wire::error_subject("declare", name), name, options, options.groups);
  check_quota(peer, wire::error_subject("declare", name), wire::shared_bytes_of(wire::geometry_of(options)));
  QueueRecord record;
  record.name = name;
  record.id = ++last_id_;
  record.owner_uid = peer.uid;
  record.owner_gid = peer.gid;
  record.options = options;
  if (options.exclusive) {
    record.owner_process = {.pid = peer.pid, .command = command_of(peer.pid), .session = session};
  }
  return record;
}

Queue& Registry::publish(NewQueue made) {
  auto queue = std::make_unique<Queue>(std::move(made), saved_queues_);
  Queue& published = *queue;
  const QueueRecord& record = published.record();
  queues_.emplace(record.name, std::move(queue));
  note_change_of_sources(record.name);
  by_id_.emplace(record.id, &published);
  note_watched(published);
  spdlog::info("queue {}: declared by user {}, id {}, {} bytes", record.name, record.owner_uid, record.id,
               published.shared_bytes());
  return published;
}

void Registry::make_later(QueueRecord record, std::uint64_t session, std::function<void()> again) {
  struct Outcome {
    std::optional<NewQueue> made;
    std::optional<Error> failure;
  };
  const std::string name = record.name;
  Making& making = making_[name];
  making = {.session = session,
            .owner_uid = record.owner_uid,
            .bytes = wire::shared_bytes_of(wire::geometry_of(record.options))};
  making.waiting.push_back(std::move(again));
  const auto outcome = std::make_shared<Outcome>();
  workers_->run(
      [outcome, record = std::move(record)] {
        try {
          outcome->made = make_queue(record);
        } catch (const Error& error) {
          outcome->failure = error;
        } catch (const std::exception& error) {
          outcome->failure = Error(Errc::system, std::string("the daemon failed: ") + error.what());
        }
      },
      [this, name, outcome] { finish_making(name, std::move(outcome->made), std::move(outcome->failure)); });
}

void Registry::finish_making(const std::string& name, std::optional<NewQueue> made, std::optional<Error> failure) {
  Making& making = making_.at(name);
  try {
    if (!failure) {
      const QueueRecord& record = made->record;  // meanwhile other queues may have come and gone
      links_.check_new(wire::error_subject("declare", name), name, record.options, active_groups(record));
      publish(std::move(*made));
    }
  } catch (const Error& error) {
    failure = error;
  }
  making.failure = std::move(failure);
  making.is_over = true;
  const auto waiting = std::move(making.waiting);
  waiting.front()();  // the session that asked first learns the result; the others ask anew
  // If that session has ended meanwhile, no process takes the lock of an exclusive queue.
  if (const auto found = queues_.find(name); found != queues_.end() && found->second->has_owner_lock()) remove(name);
  making_.erase(name);
  for (auto each = waiting.begin() + 1; each != waiting.end(); ++each) (*each)();
}

void Registry::check_quota(const Peer& peer, const std::string& context, std::uint64_t bytes) {
  if (!beyond_quota(peer, context, bytes)) return;
  remove_all_without_owner();  // the news of their ends may come later than this request
  if (auto error = beyond_quota(peer, context, bytes)) throw Error(std::move(*error));
}

QuotaUse Registry::use_of(std::uint32_t uid) const {
  QuotaUse use;
  for (const auto& [name, queue] : queues_) {
    if (queue->record().owner_uid != uid) continue;
    ++use.queues;
    use.bytes += queue->shared_bytes();
  }
  for (const auto& [name, making] : making_) {
    if (making.owner_uid != uid || making.is_over) continue;
    ++use.queues;
    use.bytes += making.bytes;
  }
  return use;
}

std::optional<Error> Registry::beyond_quota(const Peer& peer, const std::string& context, std::uint64_t bytes) const {
  const auto [queues, held] = use_of(peer.uid);
  if (queues >= quotas_.queues_per_user) {
    return Error(Errc::limit_reached, context + ": user " + std::to_string(peer.uid) + " has " +
                                          std::to_string(queues) + " queues, the quota is " +
                                          std::to_string(quotas_.queues_per_user) +
                                          "; remove some, or start beltwayd with --max-queues-per-user");
  }
  if (held + bytes > quotas_.bytes_per_user) {
    return Error(Errc::limit_reached, context + ": it needs " + std::to_string(bytes) + " bytes, user " +
                                          std::to_string(peer.uid) + " has " + std::to_string(held) +
                                          " in queues, the quota is " + std::to_string(quotas_.bytes_per_user) +
                                          "; remove some, or start beltwayd with --max-bytes-per-user");
  }
  return std::nullopt;
}

Queue& Registry::find(const std::string& name, const std::string& operation) {
  wire::check_name(operation, "queue", name);
  if (Queue* const queue = find_lasting(name)) return *queue;
  if (const HeldQueue* const held = find_held(name)) refuse(*held, operation);
  throw Error(Errc::not_found, wire::error_subject(operation, name) + ": there is no such queue; declare it first");
}

Queue& Registry::find(std::uint64_t id, const std::string& operation) {
  if (Queue* queue = try_find(id); queue != nullptr && !remove_without_owner(*queue)) return *queue;
  if (const HeldQueue* const held = find_held(id)) refuse(*held, operation);
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
  evicting_.erase(found->second->record().id);
  expiring_.erase(found->second->record().id);
  links_.forget(name);
  removals_.add(found->second->record().id);
  release(std::move(found->second));
  queues_.erase(found);
  note_change_of_sources(name);
}

void Registry::release(std::unique_ptr<Queue> queue) noexcept {
  if (workers_ == nullptr || queue->shared_bytes() <= k_freed_at_once_bytes) return;
  const std::shared_ptr<Queue> last = std::move(queue);
  workers_->run([last] { last->release(); });
}

void Registry::remove_all() noexcept {
  for (const HeldQueue& held : saved_queues_.held()) {
    spdlog::warn("queue {}: ends with this daemon, and its attached processes cannot be told: {}", held.stamp.name,
                 held.why);
  }
  for (const auto& [name, queue] : queues_) queue->remove();
  by_id_.clear();
  expiring_.clear();
  queues_.clear();
}

std::uint64_t Registry::promise_lane(const wire::EndpointName& name, std::uint64_t bytes) {
  return promises_.add(name, bytes, Promises::Clock::now(), [this](const wire::EndpointName& other) {
    const Queue* const queue = try_find(other.queue);
    return queue != nullptr && queue->find_endpoint(other.endpoint, other.incarnation).has_value();
  });
}

void Registry::lane_is_filled(std::uint64_t session, const wire::EndpointName& name) noexcept {
  const Queue* const queue = try_find(name.queue);
  const auto place = queue == nullptr ? std::nullopt : queue->find_endpoint(name.endpoint, name.incarnation);
  if (place && queue->record().endpoints[*place].session == session) promises_.settle(name);
}

bool Registry::give_back_some_memory() noexcept {
  for (const auto& [name, queue] : queues_) {
    if (queue->is_busy() || !queue->has_memory_to_give_back()) continue;
    queue->give_back_some_memory();
    break;
  }
  return has_memory_to_give_back();
}

bool Registry::has_memory_to_give_back() const noexcept {
  return std::ranges::any_of(
      queues_, [](const auto& entry) { return !entry.second->is_busy() && entry.second->has_memory_to_give_back(); });
}

}  // namespace beltway::daemon
