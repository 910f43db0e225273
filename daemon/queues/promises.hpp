// What the daemon has promised to producers that are attaching: the lanes that they have not filled yet.
//
// A producer reads its limits before it fills its lane. Several that read at the same moment would all find the same memory
// free. So the daemon tells each what the others were promised before it. It does not know which of them share a limit
// with it: a producer that finds too little for all of them waits until they have filled theirs, and checks again.
//
// Thread safety: the daemon's one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "wire/protocol.hpp"

namespace beltway::daemon {

/// How long a promise counts that its producer has not kept: filling takes about a second for each gigabyte or two, and a
/// producer that was stopped in the middle must not keep others out for ever.
inline constexpr std::chrono::milliseconds k_lane_promise_ms{10'000};

class Promises {
 public:
  using Clock = std::chrono::steady_clock;

  /// `bytes` are promised to the endpoint. Returns what all others have been promised and not filled by `now`; of these,
  /// endpoints that are not `attached` any more count no longer.
  std::uint64_t add(const wire::EndpointName& endpoint, std::uint64_t bytes, Clock::time_point now,
                    const std::function<bool(const wire::EndpointName&)>& attached);
  /// The endpoint has filled its lane.
  void settle(const wire::EndpointName& endpoint) noexcept;

 private:
  struct Promise {
    wire::EndpointName endpoint;
    std::uint64_t bytes;
    Clock::time_point ends;
  };
  std::vector<Promise> promises_;
};

}  // namespace beltway::daemon
