// Queues that end by themselves: with their process, or when they were unused for a time. See registry.hpp.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

#include "queues/registry.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

/// A tick that comes so late means that the daemon did not run, so that no process could attach.
constexpr std::chrono::seconds k_frozen{1};
/// Until a worker has done with a queue.
constexpr std::chrono::milliseconds k_busy_pause{100};

/// Whether the process at the other end of `session` is the one that the exclusive queue belongs to. As for endpoints, the number
/// decides: the kernel gives it to no other process while that one lives. A number that the daemon cannot see proves nothing.
bool is_owner_process(const Peer& peer, std::uint64_t session, const QueueRecord& queue) noexcept {
  const OwnerProcess& owner = queue.owner_process;
  if (peer.pid != 0) return peer.pid == owner.pid;
  return owner.pid == 0 && session != 0 && session == owner.session;
}

}  // namespace

Queue* Registry::find_lasting(const std::string& name) {
  const auto found = queues_.find(name);
  if (found == queues_.end() || remove_without_owner(*found->second)) return nullptr;
  return found->second.get();
}

bool Registry::remove_without_owner(Queue& queue) noexcept {
  // While a worker has the queue, requests for it wait. They test the lock again when the worker has finished.
  if (queue.is_busy() || !queue.has_lost_owner()) return false;
  const OwnerProcess& owner = queue.record().owner_process;
  spdlog::info("queue {}: its process {}{} has ended", queue.record().name, owner.pid,
               owner.command.empty() ? "" : " (" + owner.command + ")");
  StoredEvent removed = queue.event("removed", "the process that it belongs to has ended");
  removed.event.pid = owner.pid;
  removed.event.uid = queue.record().owner_uid;
  removed.event.command = owner.command;
  queue.tell(std::move(removed));
  remove(std::string(queue.record().name));
  return true;
}

void Registry::remove_all_without_owner() noexcept {
  for (auto each = queues_.begin(); each != queues_.end();) {
    Queue& queue = *(each++)->second;  // a removal ends only its own place
    remove_without_owner(queue);
  }
}

void Registry::require_owner_process(const Peer& peer, const Queue& queue, std::uint64_t session) {
  if (is_owner_process(peer, session, queue.record())) return;
  const OwnerProcess& owner = queue.record().owner_process;
  throw Error(Errc::already_exists, wire::error_subject("declare", queue.record().name) +
                                        ": it is exclusive to process " +
                                        (owner.pid == 0 ? "of another pid namespace" : std::to_string(owner.pid)) +
                                        "; open it to use it (open_queue), or declare another name");
}

bool Registry::try_reap_owner(Queue& queue, PendingDeath& pending) {
  const std::uint64_t session = queue.record().owner_process.session;
  const std::uint64_t ended = std::exchange(pending.ended, 0);
  if (ended != 0 && ended == session) {
    queue.give_owner_to(0);
    queue.take_owner_lock().reset();  // its answer was never sent
  }
  if (!pending.always && queue.record().owner_process.session != 0) return true;
  return remove_without_owner(queue);
}

Registry::Resumed Registry::resume_owner(const Peer& peer, std::uint64_t session, Queue& queue) {
  const OwnerProcess& owner = queue.record().owner_process;
  if (!queue.record().options.exclusive) return Resumed::gone;
  if (owner.pid != peer.pid || (peer.pid == 0 && queue.record().owner_uid != peer.uid)) return Resumed::refused;
  queue.give_owner_to(session);
  return Resumed::ok;
}

int Registry::process_of(const Queue& queue, const wire::EndpointName& name) noexcept {
  if (name.endpoint == wire::k_queue_owner) return queue.record().owner_process.pid;
  const auto place = queue.find_endpoint(name.endpoint, name.incarnation);
  return place ? queue.record().endpoints[*place].pid : 0;
}

void Registry::note_watched(const Queue& queue) {
  links_.note(queue.record());
  if (queue.shortest_evict_after().count() != 0) evicting_.insert(queue.record().id);
  if (queue.record().options.expire_after.count() == 0) return;
  new_expiry_ = expiring_.insert(queue.record().id).second || new_expiry_;
}

std::optional<Queue::Clock::time_point> Registry::remove_expired(Queue::Clock::time_point now) {
  const bool is_late = next_expiry_ && now - *next_expiry_ > k_frozen;
  next_expiry_.reset();
  for (auto each = expiring_.begin(); each != expiring_.end();) {
    Queue& queue = *by_id_.at(*each++);  // a removal ends only its own place
    auto look_again = now + k_busy_pause;
    if (!queue.is_busy()) {
      if (is_late) queue.give_grace(now);
      const auto end = queue.expires_at();
      if (end && *end <= now) {
        spdlog::info("queue {}: unused for {} ms", queue.record().name, queue.record().options.expire_after.count());
        queue.tell(queue.event("expired", "removed: no endpoint was attached for " +
                                              std::to_string(queue.record().options.expire_after.count()) + " ms"));
        remove(std::string(queue.record().name));
        continue;
      }
      look_again = end.value_or(now + queue.record().options.expire_after);
    }
    next_expiry_ = next_expiry_ ? std::min(*next_expiry_, look_again) : look_again;
  }
  return next_expiry_;
}

}  // namespace beltway::daemon
