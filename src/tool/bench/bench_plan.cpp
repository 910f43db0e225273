// Defaults and checks of a bench.
#include "tool/bench/bench_plan.hpp"

#include <algorithm>
#include <bit>

#include "beltway/limits.hpp"

namespace beltway::tool {

namespace {

constexpr std::uint64_t k_largest_in_slot_bytes = 4096;
/// Bytes in flight: what fits a core's caches and still decouples the two (bench/README.md has the measurements).
constexpr std::uint64_t k_footprint_bytes = 4U << 20;
constexpr std::uint64_t k_most_slots = 1024;
constexpr std::uint64_t k_least_slots = 16;
constexpr std::uint64_t k_line_bytes = 64;

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

}  // namespace

std::optional<std::string> complaint_about(const BenchPlan& plan) {
  if (plan.kind == BenchKind::latency && (plan.producers != 1 || plan.consumers != 1)) {
    return "--producers and --consumers are for throughput; latency is measured between two processes";
  }
  if (plan.producers < 1 || plan.producers > k_max_producers)
    return "--producers: 1 to " + std::to_string(k_max_producers);
  if (plan.consumers < 1 || plan.consumers > k_max_consumers)
    return "--consumers: 1 to " + std::to_string(k_max_consumers);
  if (plan.batch < 1) return "--batch: at least 1";
  if (plan.kind == BenchKind::latency && plan.batch > 1) return "--batch is for throughput";
  if (plan.size_bytes > k_max_message_bytes / 2) return "--size: at most " + std::to_string(k_max_message_bytes / 2);
  return std::nullopt;
}

QueueOptions bench_queue(const BenchPlan& plan) {
  QueueOptions options;
  const bool in_slot = plan.size_bytes <= k_largest_in_slot_bytes;
  const std::uint64_t slot = in_slot ? rounded_up(plan.size_bytes + k_slot_overhead_bytes, k_line_bytes) : k_line_bytes;
  options.slot_bytes = plan.slot_bytes.value_or(static_cast<std::uint32_t>(slot));
  const std::uint64_t fitting = std::bit_floor(k_footprint_bytes / std::max(options.slot_bytes, k_min_slot_bytes));
  options.slots = plan.slots.value_or(static_cast<std::uint32_t>(std::clamp(fitting, k_least_slots, k_most_slots)));
  const bool needs_lane = plan.size_bytes + k_slot_overhead_bytes > options.slot_bytes;
  const std::uint64_t lane = std::max(k_footprint_bytes, rounded_up(4 * plan.size_bytes, k_lane_granule_bytes));
  options.lane_bytes = plan.lane_bytes.value_or(needs_lane ? std::min(lane, k_max_lane_bytes) : 0);
  options.max_producers = plan.multi_producer ? std::max(2U, plan.producers) : plan.producers;
  options.max_consumers = plan.consumers;
  options.max_groups = plan.group ? 1 : 0;
  if (plan.group) options.groups = {k_bench_group};
  return options;
}

}  // namespace beltway::tool
