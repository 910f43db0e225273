// Orders, probes, slices.
#include "tool/bench/bench_slices.hpp"

#include <algorithm>

#include "tool/bench/bench_clock.hpp"
#include "tool/bench/bench_probe.hpp"

namespace beltway::tool {

namespace {

constexpr std::chrono::nanoseconds k_default_run{2'000'000'000};
/// With a band that never comes, a count alone would run forever.
constexpr std::chrono::nanoseconds k_longest_search{60'000'000'000};
constexpr std::uint64_t k_first_warm_up_messages = 64;
constexpr unsigned k_kind_bits = 8;

std::uint64_t nanoseconds_of(std::chrono::nanoseconds duration) { return static_cast<std::uint64_t>(duration.count()); }

class Leader {
 public:
  Leader(BenchShared& shared, const BenchPlan& plan, const Measurement& measurement)
      : shared_(shared), plan_(plan), measurement_(measurement), orders_(shared, plan.producers + plan.consumers - 1) {
    limit_ns_ = plan.seconds  ? nanoseconds_of(*plan.seconds)
                : !plan.count ? nanoseconds_of(k_default_run)
                : plan.near   ? nanoseconds_of(k_longest_search)
                              : ~std::uint64_t{0};
    // Long runs have longer slices, so that their results find room.
    slice_ns_ = nanoseconds_of(plan.slice);
    if (plan.seconds) slice_ns_ = std::max(slice_ns_, limit_ns_ / (k_most_slices / 2));
  }

  void run() {
    const TickScale scale;
    std::uint64_t messages = warm_up();
    const std::uint64_t start = now_ns();
    std::uint64_t kept = 0;
    while (shared_.slice_count < k_most_slices && now_ns() - start < limit_ns_ &&
           (!plan_.count || kept < *plan_.count)) {
      if (plan_.count) messages = std::min(messages, *plan_.count - kept);
      const SliceResult& result = measure_slice(messages);
      if (result.kept) kept += result.messages;
    }
    shared_.ns_per_tick = scale.ns_per_tick();
    orders_.give(OrderKind::end);
    orders_.await_finished();
  }

 private:
  /// Runs ever longer slices, which count for nothing; returns how many messages fill one.
  std::uint64_t warm_up() {
    for (std::uint64_t messages = k_first_warm_up_messages;;) {
      const std::uint64_t elapsed = std::max<std::uint64_t>(1, run_slice(messages));
      const double wanted =
          static_cast<double>(messages) * static_cast<double>(slice_ns_) / static_cast<double>(elapsed);
      const auto next = static_cast<std::uint64_t>(std::max(1.0, wanted));
      if (next < 2 * messages || (plan_.count && messages >= *plan_.count)) return next;
      messages = std::min(next, 8 * messages);
    }
  }

  std::uint64_t run_slice(std::uint64_t messages) {
    orders_.give(OrderKind::slice, messages);
    const std::uint64_t elapsed = measurement_.run(messages);
    orders_.await_finished();
    return elapsed;
  }

  double run_probe() {
    orders_.give(OrderKind::probe);
    const double result = probe(shared_);
    orders_.await_finished();
    return result;
  }

  const SliceResult& measure_slice(std::uint64_t messages) {
    SliceResult& result = shared_.slices[shared_.slice_count];
    result.messages = messages;
    result.probe_before_ns = run_probe();
    result.elapsed_ns = run_slice(messages);
    result.probe_after_ns = run_probe();
    result.kept = in_band(result.probe_before_ns) && in_band(result.probe_after_ns);
    if (result.kept) measurement_.keep();
    ++shared_.slice_count;
    return result;
  }

  [[nodiscard]] bool in_band(double probe_ns) const {
    return !plan_.near || (probe_ns >= plan_.near->low_ns && probe_ns <= plan_.near->high_ns);
  }

  BenchShared& shared_;
  const BenchPlan& plan_;
  const Measurement& measurement_;
  Orders orders_;
  std::uint64_t limit_ns_ = 0;
  std::uint64_t slice_ns_ = 0;
};

}  // namespace

void Orders::give(OrderKind kind, std::uint64_t messages) noexcept {
  shared_.order_messages.value.store(messages, std::memory_order_relaxed);
  ++sequence_;
  // Pairs with the acquire in follow().
  shared_.order.value.store(sequence_ << k_kind_bits | static_cast<std::uint64_t>(kind), std::memory_order_release);
}

void Orders::await_finished() noexcept {
  // Pairs with the release in follow(): what the followers wrote for the leader is there.
  wait_until([&] { return shared_.finished.value.load(std::memory_order_acquire) == sequence_ * followers_; });
}

void lead(BenchShared& shared, const BenchPlan& plan, const Measurement& measurement) {
  const std::uint64_t workers = plan.producers + plan.consumers;
  wait_until([&] { return shared.attached.value.load(std::memory_order_acquire) == workers; });
  Leader(shared, plan, measurement).run();
}

void follow(BenchShared& shared, bool partner, const std::function<void(std::uint64_t messages)>& run) {
  for (std::uint64_t sequence = 1;; ++sequence) {
    std::uint64_t order = 0;
    wait_until([&] {
      order = shared.order.value.load(std::memory_order_acquire);  // pairs with the release in Orders::give
      return order >> k_kind_bits == sequence;
    });
    const auto kind = static_cast<OrderKind>(order & 0xffU);
    if (kind == OrderKind::probe && partner) answer_probe(shared);
    if (kind == OrderKind::slice) run(shared.order_messages.value.load(std::memory_order_relaxed));
    shared.finished.value.fetch_add(1, std::memory_order_release);  // pairs with the acquire in await_finished
    if (kind == OrderKind::end) return;
  }
}

}  // namespace beltway::tool
