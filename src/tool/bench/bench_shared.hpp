// The page that the processes of one bench share: anonymous memory made before they fork, zero at first.
//
// The parent makes the queues and waits; the workers measure. Worker 0 is the first producer and the leader: it gives
// the orders; the partner, the first consumer, answers its raw probes. Each word names its writer. None of
// this is used while a slice runs, the counts of several consumers of a group excepted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tool/bench/histogram.hpp"

namespace beltway::tool {

/// A word on a cache line of its own.
struct alignas(64) SharedWord {
  std::atomic<std::uint64_t> value{0};
};

/// One stretch of measuring between two raw probes.
struct SliceResult {
  double probe_before_ns = 0;
  double probe_after_ns = 0;
  std::uint64_t messages = 0;
  std::uint64_t elapsed_ns = 0;
  bool kept = false;
};

inline constexpr std::size_t k_most_slices = 4096;

struct BenchShared {
  SharedWord ping;             ///< the raw probe: leader
  SharedWord pong;             ///< the raw probe: partner
  SharedWord go;               ///< parent, once: the names below are there
  SharedWord attached;         ///< each worker adds 1 when its endpoints are attached
  SharedWord order;            ///< leader: sequence:56 | kind:8
  SharedWord order_messages;   ///< leader, before `order`
  SharedWord finished;         ///< each worker adds 1 when it has done an order; never reset
  SharedWord taken;            ///< consumers of a group, if several: messages received; never reset
  SharedWord consumers_done;   ///< each consumer adds 1 after a slice of throughput; never reset
  SharedWord last_receive_ns;  ///< consumers: the latest, CLOCK_MONOTONIC
  SharedWord failed;           ///< the first worker that failed owns `error`

  std::array<char, 128> queue{};
  std::array<char, 4096> socket{};
  std::array<char, 1024> error{};

  // Leader, read by the parent after all have ended.
  std::uint32_t slice_count = 0;
  double ns_per_tick = 1;
  std::array<SliceResult, k_most_slices> slices{};
  Histogram round_trips;  ///< of kept slices, in ticks
};

/// Maps one; lives until the process ends, in the children too.
[[nodiscard]] BenchShared& make_bench_shared();

/// Copies what fits, always ended by a zero.
void store_text(std::span<char> place, const std::string& text) noexcept;

}  // namespace beltway::tool
