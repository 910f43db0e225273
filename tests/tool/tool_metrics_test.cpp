// Metrics: the text format, as a golden file and as promtool sees it, bounded series, counters that never go back, and the
// alert rules of examples/prometheus.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/golden.hpp"
#include "support/made_fleet.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "watch/metrics_text.hpp"

namespace beltway::test {
namespace {

bool has_promtool() { return run({"sh", "-c", "command -v promtool"}).exit.ok(); }

/// What promtool says about a text; empty: nothing. Skips the test if there is no promtool.
std::string promtool_check(const std::string& text) {
  const TempDir dir;
  Child::Options options;
  options.standard_input = dir.write("metrics", text);
  const Outcome outcome = run({"promtool", "check", "metrics"}, options);
  return outcome.exit.ok() ? outcome.out + outcome.err
                           : "exit code " + std::to_string(outcome.exit.code) + ": " + outcome.err;
}

std::size_t count_lines(const std::string& text, const std::string& start) {
  std::size_t count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(start)) ++count;
  return count;
}

TEST(Metrics, sums_of_all_queues_are_the_golden_text) {
  expect_golden("metrics.prom", watch::metrics_text(made_fleet()));
}

TEST(Metrics, series_of_single_queues_are_the_golden_text) {
  expect_golden("metrics_per_queue.prom", watch::metrics_text(made_fleet(), {.per_queue = true}));
}

TEST(Metrics, promtool_finds_no_fault) {
  if (!has_promtool()) GTEST_SKIP() << "promtool is missing: install the package prometheus";
  EXPECT_EQ(promtool_check(watch::metrics_text(made_fleet())), "");
  EXPECT_EQ(promtool_check(watch::metrics_text(made_fleet(), {.per_queue = true, .max_queues = 1})), "");
  EXPECT_EQ(promtool_check(watch::metrics_text({}, {.per_queue = true})), "") << "no daemon, no queue";
}

TEST(Metrics, queues_beyond_the_limit_are_summed_under_a_name_that_no_queue_can_have) {
  watch::Fleet fleet;
  for (unsigned i = 0; i < 1000; ++i) {
    watch::QueueView queue;
    queue.info.name = "q" + std::to_string(i);
    queue.info.id = 1000 - i;
    queue.readable = true;
    queue.counts.messages_in = 1;
    fleet.queues.push_back(queue);
  }
  const std::string text = watch::metrics_text(fleet, {.per_queue = true, .max_queues = 10});
  EXPECT_EQ(count_lines(text, "beltway_queue_messages_published_total{"), 11U);
  EXPECT_NE(text.find("beltway_queue_messages_published_total{queue=\"(other)\"} 990\n"), std::string::npos);
  EXPECT_NE(text.find("beltway_messages_published_total 1000\n"), std::string::npos);
  EXPECT_NE(text.find("{queue=\"q999\"}"), std::string::npos) << "the oldest have the lowest ids";
  EXPECT_EQ(text.find("{queue=\"q0\"}"), std::string::npos);
}

TEST(Metrics, labels_are_escaped) {
  EXPECT_EQ(watch::escape_label("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
  EXPECT_EQ(watch::escape_label("orders/eu"), "orders/eu");
}

TEST(Metrics, counts_of_removed_queues_stay_in_the_sums) {
  watch::Fleet fleet = made_fleet();
  fleet.removed_counts.messages_in = 100;
  EXPECT_NE(watch::metrics_text(fleet).find("beltway_messages_published_total 5110\n"), std::string::npos);
}

TEST(Metrics, alert_rules_are_right_and_fire_when_they_should) {
  if (!has_promtool()) GTEST_SKIP() << "promtool is missing: install the package prometheus";
  const std::string folder = std::string(BELTWAY_TEST_SOURCES) + "/examples/prometheus";
  const Outcome check = run({"promtool", "check", "rules", folder + "/alerts.yml"});
  EXPECT_TRUE(check.exit.ok()) << check.out << check.err;
  const Outcome test = run({"promtool", "test", "rules", folder + "/alerts_test.yml"});
  EXPECT_TRUE(test.exit.ok()) << test.out << test.err;
}

// A rule for a family that was renamed would never fire.
TEST(Metrics, alert_rules_name_only_families_that_exist) {
  const std::string rules = read_file(std::string(BELTWAY_TEST_SOURCES) + "/examples/prometheus/alerts.yml");
  const std::string text = watch::metrics_text(made_fleet(), {.per_queue = true});
  std::size_t names = 0;
  for (std::size_t at = rules.find("beltway_"); at != std::string::npos; at = rules.find("beltway_", at + 1)) {
    const std::string name = rules.substr(at, rules.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at) - at);
    EXPECT_NE(text.find("# TYPE " + name + " "), std::string::npos) << name;
    ++names;
  }
  EXPECT_GT(names, 10U);
}

class ToolMetrics : public ToolTest {};

TEST_F(ToolMetrics, counters_of_a_living_queue_are_exact) {
  const Queue queue = connect(daemon_).declare("orders", {.groups = {"billing"}});
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing"});
  for (int i = 0; i < 5; ++i) out.publish("12345678");
  for (int i = 0; i < 3; ++i) in.receive(std::chrono::seconds(20))->ack();
  const Outcome outcome = tool({"metrics", "--per-queue", "--for", "0.3"});
  ASSERT_TRUE(outcome.exit.ok()) << outcome.err;
  for (const char* line :
       {"beltway_up 1", "beltway_queues 1", "beltway_messages_published_total 5", "beltway_published_bytes_total 40",
        "beltway_messages_received_total 3", "beltway_queue_messages_published_total{queue=\"orders\"} 5",
        "beltway_group_lag_messages{queue=\"orders\",group=\"billing\"} 2",
        "beltway_group_consumers{queue=\"orders\",group=\"billing\"} 1"}) {
    EXPECT_NE(outcome.out.find(std::string(line) + "\n"), std::string::npos) << line << " is missing in\n"
                                                                             << outcome.out;
  }
  if (has_promtool()) {
    EXPECT_EQ(promtool_check(outcome.out), "");
  }
}

TEST_F(ToolMetrics, command_without_a_daemon_says_that_it_is_down_and_ends_with_4) {
  const TempDir empty;
  const Outcome outcome = run({program("beltway"), "--socket", empty.socket(), "metrics"});
  EXPECT_EQ(outcome.exit.code, 4) << outcome.err;
  EXPECT_TRUE(outcome.out.ends_with("\nbeltway_up 0\n")) << outcome.out;
  EXPECT_EQ(outcome.out.find("_total"), std::string::npos) << "a counter of 0 would have begun anew";
}

}  // namespace
}  // namespace beltway::test
