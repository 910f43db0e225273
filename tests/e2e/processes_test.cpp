// Producers and consumers as processes, with the real daemon between them: 1, 2 and 8 of each.
#include <gtest/gtest.h>

#include <vector>

#include "actors.hpp"
#include "daemon.hpp"

namespace beltway::test {
namespace {

struct Shape {
  std::uint32_t producers;
  std::uint32_t consumers;
  std::uint32_t slots;
  WaitStrategy wait;
};

class Processes : public ::testing::TestWithParam<Shape> {};

TEST_P(Processes, nothing_is_lost_doubled_torn_or_out_of_order) {
  const Shape shape = GetParam();
  constexpr std::uint64_t k_count = 3000;
  TestDaemon daemon;
  Ledger ledger;
  const Stage stage{.socket = daemon.socket(), .wait = shape.wait};
  const Connection link = Connection::open({.socket = stage.socket});
  static_cast<void>(link.declare(
      stage.queue,
      {.slots = shape.slots, .lane_bytes = 65536, .max_producers = shape.producers, .groups = {"workers"}}));
  std::vector<Child> consumers;
  for (std::uint32_t i = 0; i < shape.consumers; ++i) {
    consumers.push_back(Child::fork([&] { return run_consumer(ledger, stage, 0, "workers"); }));
  }
  for (const std::uint32_t reader : {1U, 2U}) {
    consumers.push_back(Child::fork([&, reader] { return run_consumer(ledger, stage, reader, ""); }));
  }
  ASSERT_TRUE(eventually([&] { return ledger.tally(1) + ledger.tally(2) == 2; })) << "private consumers come first";
  std::vector<Child> producers;
  for (std::uint32_t i = 0; i < shape.producers; ++i) {
    producers.push_back(Child::fork([&, i] { return run_producer(ledger, stage, i, k_count / shape.producers); }));
  }
  for (Child& child : producers) EXPECT_EQ(child.wait().code, 0);
  ledger.stop() = true;
  for (Child& child : consumers) EXPECT_EQ(child.wait().code, 0);
  EXPECT_EQ(ledger.begun(), (k_count / shape.producers) * shape.producers);
  for (const std::uint32_t reader : {0U, 1U, 2U}) EXPECT_EQ(ledger.judge(reader, true), "");
}

INSTANTIATE_TEST_SUITE_P(Shapes, Processes,
                         ::testing::Values(Shape{1, 1, 1024, WaitStrategy::adaptive},
                                           Shape{1, 2, 4, WaitStrategy::sleep}, Shape{2, 2, 64, WaitStrategy::adaptive},
                                           Shape{8, 1, 16, WaitStrategy::sleep},
                                           Shape{8, 8, 1024, WaitStrategy::adaptive}),
                         [](const ::testing::TestParamInfo<Shape>& shape) {
                           return std::to_string(shape.param.producers) + "To" + std::to_string(shape.param.consumers) +
                                  "Slots" + std::to_string(shape.param.slots);
                         });

}  // namespace
}  // namespace beltway::test
