#include "queues/promises.hpp"

namespace beltway::daemon {

std::uint64_t Promises::add(const wire::EndpointName& endpoint, std::uint64_t bytes, Clock::time_point now,
                            const std::function<bool(const wire::EndpointName&)>& attached) {
  std::erase_if(promises_, [&](const Promise& promise) { return promise.ends <= now || !attached(promise.endpoint); });
  std::uint64_t others = 0;
  for (const Promise& promise : promises_) others += promise.bytes;
  promises_.push_back({endpoint, bytes, now + k_lane_promise_ms});
  return others;
}

void Promises::settle(const wire::EndpointName& endpoint) noexcept {
  std::erase_if(promises_, [&](const Promise& promise) { return promise.endpoint == endpoint; });
}

}  // namespace beltway::daemon
