// Whether the daemon still knows an endpoint.
//
// A client that reconnects may hear that the daemon does not know a queue: the daemon and its supervisor were killed, or this is
// another daemon. The client ends its own endpoints of that queue. It may not end the queue for others, whose daemon may
// live. So it only sets k_notice_doubted, and each other endpoint asks its own connection once.
//
// Thread safety: none; the endpoint's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "ring/layout.hpp"

namespace beltway::endpoint {

class Standing {
 public:
  Standing() noexcept = default;
  /// `is_unknown` asks the connection: true if its daemon does not know the endpoint. Must not throw.
  explicit Standing(std::function<bool()> is_unknown) : is_unknown_(std::move(is_unknown)) {}

  /// True if the endpoint is at its end, for good. Asks once for each epoch of a doubted notice; that may take up to a
  /// second if the connection is broken.
  [[nodiscard]] bool is_lost(ring::Notice notice) {
    if (lost_ || (notice.flags & ring::k_notice_doubted) == 0 || !is_unknown_) return lost_;
    if (asked_ && epoch_ == notice.epoch) return false;
    asked_ = true;
    epoch_ = notice.epoch;
    lost_ = is_unknown_();
    return lost_;
  }

 private:
  std::function<bool()> is_unknown_;
  std::uint32_t epoch_ = 0;
  bool asked_ = false;
  bool lost_ = false;
};

}  // namespace beltway::endpoint
