// What `beltway bench` is told to measure, and the queue that fits it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beltway/options.hpp"

namespace beltway::tool {

enum class BenchKind : std::uint8_t { latency, throughput };

/// Raw probes (half a round trip of a cache line, ns) between which a slice counts.
struct ProbeBand {
  double low_ns = 0;
  double high_ns = 0;
};

struct BenchPlan {
  BenchKind kind = BenchKind::latency;
  std::uint64_t size_bytes = 8;
  std::optional<std::uint64_t> count;               ///< messages or round trips in kept slices
  std::optional<std::chrono::nanoseconds> seconds;  ///< of the whole run
  std::chrono::nanoseconds slice{20'000'000};
  WaitStrategy wait = WaitStrategy::adaptive;
  std::optional<std::uint32_t> slots;
  std::optional<std::uint32_t> slot_bytes;
  std::optional<std::uint64_t> lane_bytes;
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  bool multi_producer = false;  ///< the several-producer ring also for one producer
  bool group = false;           ///< consumers share a named group instead of seeing everything each
  std::uint32_t batch = 1;      ///< messages of a publish_batch and receive_batch
  bool copy = false;            ///< publish(bytes) from a buffer instead of writing in place
  std::vector<int> processors;  ///< of the first producer, the first consumer, and so on; missing: not pinned
  std::optional<ProbeBand> near;
};

/// One error sentence, or nothing.
[[nodiscard]] std::optional<std::string> complaint_about(const BenchPlan& plan);

/// A queue whose slots hold the message up to 4 KiB and whose lane does beyond, with about 4 MiB in flight, unless told
/// otherwise.
[[nodiscard]] QueueOptions bench_queue(const BenchPlan& plan);

/// The group's name in a group bench.
inline constexpr const char* k_bench_group = "bench";

}  // namespace beltway::tool
