// How long a queue lasts: for ever, as long as a process (exclusive), or until no endpoint has been attached for a time
// (expire_after). See queue.hpp.
//
// The process of an exclusive queue has a lock as an endpoint has one: byte k_queue_owner of a description of control that the
// daemon made and handed out. So its end is proved in the same way, whether or not a daemon ran when it ended.
#include <algorithm>

#include "beltway/limits.hpp"
#include "queues/queue.hpp"

namespace beltway::daemon {

using std::chrono::milliseconds;

bool Queue::has_lost_owner() const noexcept { return record_.options.exclusive && !is_locked(wire::k_queue_owner); }

void Queue::note_use() noexcept {
  if (record_.options.expire_after.count() == 0) return;
  const auto& endpoints = record_.endpoints;
  if (std::any_of(endpoints.begin(), endpoints.end(), [](const EndpointRecord& each) { return each.attached; })) {
    record_.unused_since.reset();
  } else if (!record_.unused_since) {
    record_.unused_since = std::chrono::floor<milliseconds>(Clock::now().time_since_epoch());
  }
}

std::optional<Queue::Clock::time_point> Queue::expires_at() const noexcept {
  if (record_.options.expire_after.count() == 0 || !record_.unused_since) return std::nullopt;
  const Clock::time_point end(*record_.unused_since + record_.options.expire_after);
  return no_expiry_before_ ? std::max(end, *no_expiry_before_) : end;
}

void Queue::renew() {
  if (!record_.unused_since) return;
  record_.unused_since.reset();
  save();
}

void Queue::give_grace(Clock::time_point now) noexcept {
  no_expiry_before_ = now + std::min(record_.options.expire_after, milliseconds(k_expiry_grace_ms));
}

}  // namespace beltway::daemon
