// The ping-pong.
#include "bench_probe.hpp"

#include <sched.h>

#include "bench_clock.hpp"

namespace beltway::tool {

namespace {

constexpr std::uint64_t k_warm_up = 100;

/// Without a pause instruction: that would be part of the result. On a machine with one processor the other side needs
/// this one to step aside.
void await(const std::atomic<std::uint64_t>& word, std::uint64_t value) noexcept {
  constexpr unsigned k_spins = 100'000;
  for (unsigned spins = 0; word.load(std::memory_order_acquire) != value;) {
    if (++spins % k_spins == 0) sched_yield();
  }
}

}  // namespace

double probe(BenchShared& shared) noexcept {
  const std::uint64_t base = shared.ping.value.load(std::memory_order_relaxed);
  std::uint64_t start = 0;
  for (std::uint64_t i = 1; i <= k_warm_up + k_probe_round_trips; ++i) {
    shared.ping.value.store(base + i, std::memory_order_release);  // pairs with the acquire in answer_probe
    await(shared.pong.value, base + i);
    if (i == k_warm_up) start = now_ns();
  }
  return static_cast<double>(now_ns() - start) / (2.0 * k_probe_round_trips);
}

void answer_probe(BenchShared& shared) noexcept {
  const std::uint64_t base = shared.pong.value.load(std::memory_order_relaxed);
  for (std::uint64_t i = 1; i <= k_warm_up + k_probe_round_trips; ++i) {
    await(shared.ping.value, base + i);
    shared.pong.value.store(base + i, std::memory_order_release);  // pairs with the acquire in probe
  }
}

}  // namespace beltway::tool
