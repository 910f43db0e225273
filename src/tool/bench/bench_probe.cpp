// The ping-pong.
#include "tool/bench/bench_probe.hpp"

#include "tool/bench/bench_clock.hpp"

namespace beltway::tool {

namespace {

constexpr std::uint64_t k_warm_up = 20;
/// Round trips between two reads of the clock: long enough for one read not to matter.
constexpr std::uint64_t k_round_trips_per_check = 50;
constexpr std::uint64_t k_most_round_trips = 2000;
/// Two processes that got one processor between them take thousands of times longer.
constexpr std::uint64_t k_longest_ns = 2'000'000;
/// Set in the last ping: the partner need not wait for another.
constexpr std::uint64_t k_last = std::uint64_t{1} << 63;

void round_trip(BenchShared& shared, std::uint64_t value) noexcept {
  shared.ping.value.store(value, std::memory_order_release);                               // pairs with answer_probe
  spin_until([&] { return shared.pong.value.load(std::memory_order_acquire) == value; });  // pairs with answer_probe
}

}  // namespace

double probe(BenchShared& shared) noexcept {
  std::uint64_t value = shared.ping.value.load(std::memory_order_relaxed) & ~k_last;
  for (std::uint64_t i = 0; i < k_warm_up; ++i) round_trip(shared, ++value);
  std::uint64_t done = 0;
  std::uint64_t elapsed_ns = 0;
  const std::uint64_t start_ns = now_ns();
  while (done < k_most_round_trips && elapsed_ns < k_longest_ns) {
    for (std::uint64_t i = 0; i < k_round_trips_per_check; ++i) round_trip(shared, ++value);
    done += k_round_trips_per_check;
    elapsed_ns = now_ns() - start_ns;
  }
  round_trip(shared, (value + 1) | k_last);
  return static_cast<double>(elapsed_ns) / (2.0 * static_cast<double>(done));
}

void answer_probe(BenchShared& shared) noexcept {
  std::uint64_t last = shared.pong.value.load(std::memory_order_relaxed);
  for (;;) {
    std::uint64_t value = last;
    spin_until(
        [&] { return (value = shared.ping.value.load(std::memory_order_acquire)) != last; });  // pairs with round_trip
    shared.pong.value.store(value, std::memory_order_release);                                 // pairs with round_trip
    last = value;
    if ((value & k_last) != 0) return;
  }
}

}  // namespace beltway::tool
