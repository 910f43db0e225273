// Which rungs of the wait ladder an endpoint takes while it spins, and by which clock. Given by options; tests put their own in
// its place.
//
// Thread safety: a value. What it points at may be called by any endpoint's thread.
#pragma once

#include <cstdint>

#include "beltway/options.hpp"
#include "os/kernel.hpp"
#include "waiting/speculative_spin.hpp"

namespace beltway::waiting {

struct SpinPolicy {
  WaitStrategy strategy = WaitStrategy::adaptive;
  bool backoff = true;
  /// How the word of the next message is polled: speculative_spin or plain_spin.
  SpinFn* spin = &speculative_spin;
  /// The clock of spinning and sleeping: CLOCK_MONOTONIC in nanoseconds.
  std::uint64_t (*now_ns)() noexcept = &os::now_ns;

  [[nodiscard]] static SpinPolicy of(const ProducerOptions& options) noexcept { return {.strategy = options.wait}; }
  [[nodiscard]] static SpinPolicy of(const ConsumerOptions& options) noexcept {
    return {.strategy = options.wait,
            .backoff = options.spin_backoff,
            .spin = options.speculative_spin ? &speculative_spin : &plain_spin};
  }
};

}  // namespace beltway::waiting
