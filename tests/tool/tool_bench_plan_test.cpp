// What a bench measures with which queue, and how its figures are made.
#include "tool/bench/bench_plan.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "beltway/limits.hpp"
#include "tool/bench/bench_payload.hpp"
#include "tool/bench/bench_report.hpp"

namespace beltway::tool {
namespace {

TEST(ToolBenchPlan, small_messages_lie_in_their_slots) {
  for (const std::uint64_t size : {0U, 8U, 48U, 49U, 64U, 1024U, 4096U}) {
    BenchPlan plan;
    plan.size_bytes = size;
    const QueueOptions queue = bench_queue(plan);
    EXPECT_GE(queue.slot_bytes, size + k_slot_overhead_bytes);
    EXPECT_EQ(queue.slot_bytes % 64, 0U);
    EXPECT_EQ(queue.lane_bytes, 0U);
    EXPECT_LE(std::uint64_t{queue.slots} * queue.slot_bytes, 4U << 20);
  }
}

TEST(ToolBenchPlan, large_messages_get_a_lane_that_holds_some) {
  for (const std::uint64_t size : {4097U, 65536U, 1U << 20, 16U << 20}) {
    BenchPlan plan;
    plan.size_bytes = size;
    const QueueOptions queue = bench_queue(plan);
    EXPECT_EQ(queue.slot_bytes, 64U);
    EXPECT_GE(queue.lane_bytes, 4 * size);
    EXPECT_EQ(queue.lane_bytes % k_lane_granule_bytes, 0U);
  }
}

TEST(ToolBenchPlan, a_plan_keeps_the_given_options) {
  BenchPlan plan;
  plan.size_bytes = 100;
  plan.slots = 16;
  plan.slot_bytes = 32;
  plan.lane_bytes = 8192;
  plan.group = true;
  plan.multi_producer = true;
  const QueueOptions queue = bench_queue(plan);
  EXPECT_EQ(queue.slots, 16U);
  EXPECT_EQ(queue.slot_bytes, 32U);
  EXPECT_EQ(queue.lane_bytes, 8192U);
  EXPECT_EQ(queue.groups, std::vector<NamedGroup>{k_bench_group});
  EXPECT_GT(queue.max_producers, 1U);
  plan.multi_producer = false;
  EXPECT_EQ(bench_queue(plan).max_producers, 1U) << "the single-producer ring";
}

TEST(ToolBenchPlan, a_plan_refuses_options_that_it_cannot_measure) {
  BenchPlan plan;
  EXPECT_FALSE(complaint_about(plan));
  plan.producers = 2;
  EXPECT_TRUE(complaint_about(plan)) << "latency is between two";
  plan.kind = BenchKind::throughput;
  EXPECT_FALSE(complaint_about(plan));
  plan.producers = 65;
  EXPECT_TRUE(complaint_about(plan));
  plan.producers = 0;
  EXPECT_TRUE(complaint_about(plan));
  plan.producers = 1;
  plan.batch = 0;
  EXPECT_TRUE(complaint_about(plan));
}

TEST(ToolBenchPayload, a_payload_has_the_right_sum_at_every_size_unless_it_is_torn) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::array<std::byte, 40> memory{};
    const std::span<std::byte> place = std::span(memory).first(size);
    fill(place, 0x0102030405060708);
    EXPECT_TRUE(adds_up(place)) << size;
    // Below two words a single value is all there is.
    for (std::size_t i = 0; size > 8 && i < size; ++i) {
      place[i] ^= std::byte{1};
      const bool has_another_copy = i + 8 < size || i >= 8;
      EXPECT_EQ(adds_up(place), !has_another_copy) << size << ' ' << i;
      place[i] ^= std::byte{1};
    }
  }
}

TEST(ToolBenchReport, a_report_shows_medians) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({5, 1, 3}), 3);
  EXPECT_EQ(median({4, 1, 3, 2}), 2);
}

std::unique_ptr<BenchShared> some_results() {
  auto results = std::make_unique<BenchShared>();
  results->slice_count = 3;
  results->slices[0] = {60, 70, 1000, 1'000'000, true};
  results->slices[1] = {300, 310, 1000, 9'000'000, false};
  results->slices[2] = {65, 66, 3000, 1'000'000, true};
  results->ns_per_tick = 0.5;
  for (int i = 0; i < 1000; ++i) results->round_trips.record(400);
  return results;
}

TEST(ToolBenchReport, a_report_counts_only_the_slices_that_were_kept) {
  BenchPlan plan;
  plan.kind = BenchKind::throughput;
  const Json json = bench_json(plan, bench_queue(plan), *some_results());
  EXPECT_EQ(json["slices"], 3);
  EXPECT_EQ(json["slices_kept"], 2);
  EXPECT_EQ(json["messages"], 4000);
  EXPECT_EQ(json["messages_per_s"]["median"], 1e6);
  EXPECT_EQ(json["messages_per_s"]["max"], 3e6);
  EXPECT_EQ(json["bytes_per_s"], 8e6);
  EXPECT_EQ(json["raw_half_round_trip_ns"]["min"], 60);
  EXPECT_EQ(json["raw_half_round_trip_ns"]["max"], 70);
  EXPECT_FALSE(json.contains("half_round_trip_ns"));
}

TEST(ToolBenchReport, latency_is_half_a_round_trip) {
  const BenchPlan plan;
  const Json json = bench_json(plan, bench_queue(plan), *some_results());
  for (const char* key : {"min", "p50", "p90", "p99", "p99_9", "p99_99", "max"}) {
    EXPECT_EQ(json["half_round_trip_ns"][key], 100) << key;
  }
  const std::string text = bench_text(plan, bench_queue(plan), *some_results());
  EXPECT_NE(text.find("100 ns"), std::string::npos) << text;
  EXPECT_NE(text.find("2 of 3 kept"), std::string::npos) << text;
}

TEST(ToolBenchReport, a_report_says_so_when_no_slice_was_kept) {
  auto results = some_results();
  results->slice_count = 2;
  results->slices[0].kept = false;
  const BenchPlan plan;
  EXPECT_NE(bench_text(plan, bench_queue(plan), *results).find("none"), std::string::npos);
}

}  // namespace
}  // namespace beltway::tool
