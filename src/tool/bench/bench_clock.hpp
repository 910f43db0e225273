// Time in a bench: the cheapest clock there is, for single round trips, and waiting between measurements.
#pragma once

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace beltway::tool {

/// CLOCK_MONOTONIC, the same in all processes.
[[nodiscard]] inline std::uint64_t now_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

/// Of unknown length: a TickScale tells it. Runs at one pace on all processors since about 2008.
[[nodiscard]] inline std::uint64_t now_ticks() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return now_ns();
#endif
}

/// The length of a tick, from two reads of both clocks as far apart as the measurement is long.
class TickScale {
 public:
  [[nodiscard]] double ns_per_tick() const noexcept {
    const std::uint64_t ticks = now_ticks() - ticks_;
    return ticks == 0 ? 1.0 : static_cast<double>(now_ns() - ns_) / static_cast<double>(ticks);
  }

 private:
  std::uint64_t ticks_ = now_ticks();
  std::uint64_t ns_ = now_ns();
};

/// Tells a sibling hardware thread that this one only waits.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// The least pause that keeps polls from being made ahead of time.
inline void short_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
  __builtin_ia32_lfence();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// Between two polls, as between those of Beltway's consumers (poll_gap() in atomics.hpp): all candidates are the faster
/// for it. On a machine with fewer processors than spinners the other side needs this one to step aside.
template <class Done>
void spin_until(const Done& done) noexcept(noexcept(done())) {
  constexpr unsigned k_spins = 20'000;
  for (unsigned spins = 0; !done();) {
    if (++spins % k_spins == 0) sched_yield();
    short_relax();
  }
}

/// Spins for a moment, then sleeps in short steps: a process that waits must not take a core from one that measures.
template <class Done>
void wait_until(const Done& done) noexcept {
  constexpr unsigned k_spins = 20'000;
  constexpr unsigned k_nap_us = 50;
  for (unsigned spins = 0; !done(); ++spins) {
    if (spins < k_spins) {
      relax();
    } else {
      usleep(k_nap_us);
    }
  }
}

}  // namespace beltway::tool
