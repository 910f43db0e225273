// `beltway bench` end to end: both kinds give figures of the documented shape and leave nothing behind. No figure is
// judged here: that is the business of machines that do nothing else.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/daemon.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

class ToolBench : public testing::Test {
 protected:
  json bench(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome result = daemon_.tool(arguments);
    EXPECT_TRUE(result.exit.ok()) << result.err;
    return json::parse(result.out);
  }
  [[nodiscard]] std::size_t queues() const {
    return json::parse(daemon_.tool({"list", "--format", "json"}).out)["queues"].size();
  }

  TestDaemon daemon_;
};

TEST_F(ToolBench, latency_has_percentiles_and_a_raw_line_beside_them) {
  for (const char* wait : {"spin", "adaptive", "sleep"}) {
    const json result = bench({"latency", "--count", "300", "--size", "100", "--wait", wait});
    EXPECT_EQ(result["bench"], "latency");
    EXPECT_EQ(result["wait"], wait);
    EXPECT_EQ(result["size"], 100);
    EXPECT_EQ(result["messages"], 300);
    double before = 0;
    for (const char* key : {"min", "p50", "p90", "p99", "p99_9", "p99_99", "max"}) {
      const double value = result["half_round_trip_ns"][key];
      EXPECT_GE(value, before) << key;
      before = value;
    }
    EXPECT_GT(result["half_round_trip_ns"]["min"], 0);
    EXPECT_GT(result["raw_half_round_trip_ns"]["min"], 0);
  }
  EXPECT_EQ(queues(), 0U);
}

TEST_F(ToolBench, bench_measures_latency_in_a_group_and_through_lanes) {
  EXPECT_EQ(bench({"latency", "--count", "100", "--group"})["group"], true);
  EXPECT_GT(bench({"latency", "--count", "50", "--size", "64K"})["lane_bytes"], 65536);
  EXPECT_EQ(queues(), 0U);
}

TEST_F(ToolBench, throughput_counts_messages_and_bytes) {
  const json result = bench({"throughput", "--count", "20k", "--size", "64"});
  EXPECT_EQ(result["bench"], "throughput");
  EXPECT_EQ(result["messages"], 20'000);
  EXPECT_EQ(result["single_producer_ring"], true);
  EXPECT_GT(result["messages_per_s"]["median"], 0);
  EXPECT_EQ(result["bytes_per_s"], result["messages_per_s"]["median"].get<double>() * 64);
  EXPECT_EQ(queues(), 0U);
}

TEST_F(ToolBench, bench_measures_throughput_of_several_producers_and_consumers) {
  for (const std::vector<std::string>& how :
       std::vector<std::vector<std::string>>{{"--producers", "2", "--consumers", "2"},
                                             {"--producers", "2", "--consumers", "2", "--group"},
                                             {"--batch", "16"},
                                             {"--batch", "16", "--group", "--consumers", "3"},
                                             {"--copy"},
                                             {"--size", "0"},
                                             {"--size", "100000"}}) {
    std::vector<std::string> arguments{"throughput", "--count", "2000"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    EXPECT_EQ(bench(arguments)["messages"], 2000) << testing::PrintToString(how);
  }
  EXPECT_EQ(queues(), 0U);
}

TEST_F(ToolBench, a_band_keeps_only_slices_between_probes_that_lie_in_it) {
  // A probe of two processes that share a processor with others may take very long.
  const json all = bench({"throughput", "--seconds", "50ms", "--slice", "5ms", "--near", "0:1000G"});
  EXPECT_EQ(all["slices_kept"], all["slices"]);
  const json none = bench({"throughput", "--seconds", "50ms", "--slice", "5ms", "--near", "0:1"});
  EXPECT_EQ(none["slices_kept"], 0);
  EXPECT_GT(none["slices"], 0);
}

TEST_F(ToolBench, an_interrupt_removes_the_queues) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Child child = Child::spawn({program("beltway"), "bench", "latency", "--seconds", "100"}, daemon_.client_options());
    ASSERT_TRUE(eventually([&] { return queues() == 2; }));
    child.kill(signal);
    EXPECT_EQ(child.wait().code, 128 + signal);
    EXPECT_EQ(queues(), 0U);
  }
}

TEST_F(ToolBench, a_removed_queue_is_an_error_and_not_a_hang) {
  Child child = Child::spawn({program("beltway"), "bench", "throughput", "--seconds", "100"}, daemon_.client_options());
  json list;
  ASSERT_TRUE(eventually([&] {
    list = json::parse(daemon_.tool({"list", "--format", "json"}).out);
    return list["queues"].size() == 1 && list["queues"][0]["endpoints"].size() == 2;
  }));
  EXPECT_TRUE(daemon_.tool({"remove", list["queues"][0]["name"]}).exit.ok());
  EXPECT_EQ(child.wait().code, 7);
}

TEST_F(ToolBench, a_plan_that_cannot_be_measured_is_refused) {
  EXPECT_EQ(daemon_.tool({"bench", "latency", "--pin", "99999"}).exit.code, 1);
  EXPECT_EQ(daemon_.tool({"bench", "latency", "--slots", "3"}).exit.code, 1);
  EXPECT_EQ(daemon_.tool({"bench", "latency", "--size", "8K", "--lane-bytes", "4K"}).exit.code, 1);
  EXPECT_EQ(queues(), 0U);
}

TEST(ToolBenchTerminal, text_on_a_terminal_is_for_people) {
  const TestDaemon daemon;
  const Outcome result = daemon.tool({"bench", "latency", "--count", "100"});
  EXPECT_TRUE(result.exit.ok()) << result.err;
  for (const char* part : {"latency, 8 B messages", "p50", "p99.99", "max", "raw line", "slices"}) {
    EXPECT_NE(result.out.find(part), std::string::npos) << result.out;
  }
}

}  // namespace
}  // namespace beltway::test
