// Measuring in slices, each between two raw probes, and the orders by which the leader keeps the others in step.
#pragma once

#include <cstdint>
#include <functional>

#include "tool/bench/bench_plan.hpp"
#include "tool/bench/bench_shared.hpp"

namespace beltway::tool {

enum class OrderKind : std::uint8_t { probe = 1, slice, end };

struct Order {
  OrderKind kind;
  std::uint64_t messages;
};

/// Gives orders and waits until they are carried out.
class Orders {
 public:
  /// `followers`: all workers but the leader.
  Orders(BenchShared& shared, std::uint64_t followers) noexcept : shared_(shared), followers_(followers) {}
  void give(OrderKind kind, std::uint64_t messages = 0) noexcept;
  void await_finished() noexcept;

 private:
  BenchShared& shared_;
  std::uint64_t followers_;
  std::uint64_t sequence_ = 0;
};

/// What the leader measures.
struct Measurement {
  /// Its side of a slice of so many messages; returns the nanoseconds that they took.
  std::function<std::uint64_t(std::uint64_t messages)> run;
  /// The slice just run counts.
  std::function<void()> keep = [] {};
};

/// The leader's whole work: warm-up and sizing of a slice, slices between probes until the plan is fulfilled, results
/// into `shared`, and the order to end.
void lead(BenchShared& shared, const BenchPlan& plan, const Measurement& measurement);

/// A follower's whole work: `run` for each slice; the partner also answers probes.
void follow(BenchShared& shared, bool partner, const std::function<void(std::uint64_t messages)>& run);

}  // namespace beltway::tool
