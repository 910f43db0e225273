// The lane memory that the daemon has promised to producers that are attaching and have not filled their lanes yet.
//
// A producer reads its memory limits before it fills its lane. Several producers that read at the same moment would all find the
// same memory free. So the daemon tells each producer how much it promised to others before. The daemon does not know which
// producers share a limit. So a producer that finds too little memory for all of them waits until the others have filled their
// lanes, and checks again.
//
// Thread safety: the daemon's one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "wire/protocol.hpp"

namespace beltway::daemon {

/// How long a promise counts while its producer does not fill the lane. Filling takes about a second for a gigabyte or two. A
/// producer that was stopped in the middle must not keep others out for ever.
inline constexpr std::chrono::milliseconds k_lane_promise_ms{10'000};

class Promises {
 public:
  using Clock = std::chrono::steady_clock;

  /// Promises `bytes` to the endpoint. Returns the bytes promised to all other endpoints that have not filled them by `now`.
  /// Endpoints that are not `attached` any more do not count.
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
