// `list`: trouble first, order, filter, width, and again and again.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/terminal.hpp"
#include "support/tool_test.hpp"
#include "tool/text/list_text.hpp"
#include "tool/text/table.hpp"
#include "watch/process_info.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

watch::QueueView view_of(const std::string& name, std::uint64_t lag, std::uint64_t used = 0) {
  watch::QueueView view;
  view.info.name = name;
  view.readable = true;
  view.lag = lag;
  view.used = used;
  return view;
}

watch::QueueView view_in_trouble(const std::string& name, watch::Severity severity, const std::string& cause) {
  watch::QueueView view = view_of(name, 7);
  view.verdicts.push_back({.kind = "test", .severity = severity, .queue = name, .cause = cause});
  return view;
}

std::vector<std::string> names_of(const std::vector<watch::QueueView>& queues) {
  std::vector<std::string> names;
  for (const watch::QueueView& queue : queues) names.push_back(queue.info.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(ListText, queues_are_sorted_by_what_is_asked_for_and_then_by_name) {
  std::vector<watch::QueueView> queues{view_of("c", 1, 9), view_of("b", 5, 0), view_of("a", 1, 3)};
  tool::sort_queues(queues, tool::ListOrder::trouble);
  EXPECT_EQ(names_of(queues), (Names{"c", "b", "a"})) << "as they come";
  tool::sort_queues(queues, tool::ListOrder::name);
  EXPECT_EQ(names_of(queues), (Names{"a", "b", "c"}));
  tool::sort_queues(queues, tool::ListOrder::lag);
  EXPECT_EQ(names_of(queues), (Names{"b", "a", "c"}));
  tool::sort_queues(queues, tool::ListOrder::used);
  EXPECT_EQ(names_of(queues), (Names{"c", "a", "b"}));
  EXPECT_EQ(tool::parse_list_order("age"), tool::ListOrder::age);
  EXPECT_EQ(tool::parse_list_order("colour"), std::nullopt);
}

TEST(ListText, a_filter_looks_at_queue_groups_and_owner) {
  watch::QueueView queue = view_of("orders-eu", 0);
  queue.info.options.groups = {NamedGroup("billing")};
  queue.info.owner_uid = 0;
  EXPECT_TRUE(tool::matches(queue, "eu"));
  EXPECT_TRUE(tool::matches(queue, "bill"));
  EXPECT_TRUE(tool::matches(queue, watch::user_name(0)));
  EXPECT_FALSE(tool::matches(queue, "audit"));
  EXPECT_TRUE(tool::matches(queue, "orders*"));
  EXPECT_TRUE(tool::matches(queue, "b?lling"));
  EXPECT_FALSE(tool::matches(queue, "rders*")) << "a pattern matches the whole name";
}

TEST(ListText, each_queue_has_one_line_of_the_terminals_width) {
  std::vector<watch::QueueView> queues{
      view_in_trouble("orders", watch::Severity::trouble, std::string(300, 'x')),
      view_in_trouble("a-queue-with-a-name-that-takes-half-of-the-terminal", watch::Severity::warning, "full soon"),
      view_of("calm", 0)};
  for (const std::size_t width : {40U, 80U, 132U, 200U}) {
    for (const bool with_rates : {false, true}) {
      const std::vector<std::string> lines = lines_of(tool::list_text_fitted(queues, width, with_rates));
      ASSERT_EQ(lines.size(), 4U);
      for (const std::string& line : lines) EXPECT_LE(tool::columns_of(line), width) << line;
      EXPECT_TRUE(lines[1].starts_with("!  orders ")) << lines[1];
      EXPECT_TRUE(lines[2].starts_with("*  a-queue-")) << lines[2];
      EXPECT_TRUE(lines[3].starts_with("   calm")) << lines[3];
    }
  }
  EXPECT_NE(tool::list_text_fitted(queues, 80, false).find("full soon"), std::string::npos);
}

TEST(ListText, trouble_that_finds_no_room_begins_with_its_kind) {
  std::vector<watch::QueueView> queues{
      view_in_trouble("q", watch::Severity::warning, "consumer 0 (process 4711 beltway, stopped) holds nothing")};
  queues[0].verdicts[0].kind = "consumer_stopped";
  EXPECT_NE(tool::list_text_fitted(queues, 80, false).find("consumer stopped: consumer 0"), std::string::npos);
  EXPECT_EQ(tool::list_text_fitted(queues, 200, false).find("consumer stopped:"), std::string::npos);
}

TEST(ListText, control_characters_of_a_verdict_do_not_reach_the_terminal) {
  const std::vector<watch::QueueView> queues{view_in_trouble("q", watch::Severity::trouble, "\x1b[2J gone")};
  EXPECT_EQ(tool::list_text_fitted(queues, 80, false).find('\x1b'), std::string::npos);
  EXPECT_EQ(tool::list_text(queues).find('\x1b'), std::string::npos);
}

class ToolList : public ToolTest {
 protected:
  /// Queue "stuck" is full, and a program waits for room in it.
  void make_trouble() {
    ASSERT_TRUE(tool({"declare", "calm", "--group", "g"}).exit.ok());
    ASSERT_TRUE(tool({"declare", "stuck", "--slots", "16", "--group", "slow"}).exit.ok());
    pub_.emplace(Child::spawn({program("beltway"), "pub", "stuck", "x", "--count", "1k"}, daemon_.client_options()));
    ASSERT_TRUE(eventually([&] {
      const json state = tool_json({"show", "stuck"})["state"];
      return !state["producers"].empty() && state["producers"][0]["waits_for"] == "ring";
    }));
  }
  std::optional<Child> pub_;
};

TEST_F(ToolList, a_queue_in_trouble_comes_first_with_the_reason) {
  make_trouble();
  const std::vector<std::string> lines = lines_of(tool({"list"}).out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("QUEUE ") && lines[0].ends_with("TROUBLE")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("stuck ")) << lines[1];
  EXPECT_NE(lines[1].find("slow"), std::string::npos) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("calm ")) << lines[2];
}

TEST_F(ToolList, the_json_has_the_verdicts_and_the_order_of_names) {
  make_trouble();
  const json list = tool_json({"list"});
  EXPECT_EQ(list["queues"][0]["name"], "calm");
  EXPECT_EQ(list["queues"][0]["verdicts"], json::array());
  EXPECT_EQ(list["queues"][1]["lag"], 16);
  EXPECT_EQ(list["queues"][1]["verdicts"][0]["queue"], "stuck");
  EXPECT_EQ(list["verdicts"], json::array());
  EXPECT_EQ(tool_json({"list", "--sort", "trouble"})["queues"][0]["name"], "stuck");
  const json one = tool_json({"list", "--filter", "slow"});
  ASSERT_EQ(one["queues"].size(), 1U);
  EXPECT_EQ(one["queues"][0]["name"], "stuck");
}

TEST_F(ToolList, watch_lists_again_with_rates) {
  ASSERT_TRUE(tool({"declare", "q"}).exit.ok());
  const Outcome result = tool({"list", "--watch", "10ms", "--count", "2", "--format", "json"});
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2U) << result.err;
  EXPECT_FALSE(json::parse(lines[0])["queues"][0].contains("rates"));
  EXPECT_EQ(json::parse(lines[1])["queues"][0]["rates"]["in_per_s"], 0.0) << lines[1];
}

TEST_F(ToolList, a_terminal_of_80_columns_gets_a_line_for_each_queue) {
  make_trouble();
  Terminal terminal(80);
  Child::Options options = daemon_.client_options();
  options.standard_output = terminal.path();
  options.standard_error = "/dev/null";
  options.environment.emplace_back("COLUMNS", "");
  EXPECT_TRUE(Child::spawn({program("beltway"), "list"}, options).wait().ok());
  ASSERT_TRUE(terminal.shows("calm"));
  std::vector<std::string> lines = lines_of(terminal.seen());
  ASSERT_EQ(lines.size(), 3U) << terminal.seen();
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of("\r") + 1);
    EXPECT_LE(tool::columns_of(line), 80U) << line;
  }
  EXPECT_TRUE(lines[1].starts_with("!  stuck ")) << lines[1];
}

TEST_F(ToolList, an_order_that_is_none_is_a_wrong_command_line) {
  expect_failure({"list", "--sort", "colour"}, 2, "trouble|name|used");
}

}  // namespace
}  // namespace beltway::test
