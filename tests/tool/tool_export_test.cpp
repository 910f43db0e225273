// `export` and `import`: definitions come back as they were, and a file that is wrong changes nothing.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/error_of.hpp"
#include "support/tool_test.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/definitions.hpp"
#include "wire/options_schema.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// Each option has another value than its default.
QueueOptions all_options() {
  QueueOptions options;
  options.slots = 256;
  options.slot_bytes = 256;
  options.lane_bytes = 128UL * 1024;
  options.max_producers = 3;
  options.max_consumers = 5;
  options.max_groups = 4;
  options.mode = 0640;
  options.fence = Fence::symmetric;
  options.evict_after = 5s;
  options.retry_delay = 2ms;
  options.retry_delay_max = 3s;
  options.max_deliveries = 7;
  options.discard = true;
  options.dead_letter = "failed";
  options.ttl = 1min;
  options.lease_timeout = 10s;
  options.drop_oldest = 100;
  options.stamps = Stamps::coarse;
  options.max_parked = 16;
  options.type = {"order", 64, 8};
  options.description = "orders of the shop: \"quoted\", \u00fcnicode";
  options.expire_after = 1h;
  GroupOptions own;
  own.evict_after = 0ms;
  own.retry_delay = 4ms;
  own.retry_delay_max = 5s;
  own.max_deliveries = 2;
  own.discard = false;
  own.dead_letter = "failed";
  own.ttl = 2min;
  own.lease_timeout = 0ms;
  own.drop_oldest = 50;
  options.groups = {NamedGroup("audit", own), NamedGroup("billing")};
  return options;
}

/// The names of the options that differ. Groups are compared by their own table.
std::vector<std::string> differences(const QueueOptions& left, const QueueOptions& right) {
  std::vector<std::string> found;
  for (const auto& row : wire::options_of<QueueOptions>()) {
    if (row.name != "groups" && !row.is_equal(left, right)) found.emplace_back(row.name);
  }
  if (left.groups != right.groups) found.emplace_back("groups");
  return found;
}

std::string failure_of_parse(const std::string& text) {
  try {
    static_cast<void>(tool::parse_definitions(text, "file"));
  } catch (const tool::Failure& failure) {
    return failure.what();
  }
  return {};
}

TEST(Definitions, all_options_of_the_table_come_back_from_the_text) {
  const QueueOptions options = all_options();
  for (const auto& row : wire::options_of<QueueOptions>()) {
    EXPECT_TRUE(!row.is_default(options) || row.name == "exclusive") << row.name << " is not tested here";
  }
  for (const auto& row : wire::options_of<GroupOptions>()) {
    EXPECT_FALSE(row.is_default(options.groups.front().options)) << row.name << " is not tested here";
  }
  QueueInfo info;
  info.name = "orders";
  info.options = options;
  const std::string text = tool::definitions_text({info});
  const std::vector<tool::Definition> read = tool::parse_definitions(text, "file");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read.front().name, "orders");
  EXPECT_EQ(differences(read.front().options, options), std::vector<std::string>()) << text;
  info.options = read.front().options;
  EXPECT_EQ(tool::definitions_text({info}), text);
}

TEST(Definitions, a_queue_with_defaults_comes_back) {
  QueueInfo info;
  info.name = "plain";
  const std::vector<tool::Definition> read = tool::parse_definitions(tool::definitions_text({info}), "file");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(differences(read.front().options, QueueOptions{}), std::vector<std::string>());
}

TEST(Definitions, queues_are_sorted_by_name) {
  QueueInfo one;
  one.name = "b";
  QueueInfo two;
  two.name = "a";
  EXPECT_EQ(tool::definitions_text({one, two}), tool::definitions_text({two, one}));
}

TEST(Definitions, a_wrong_text_is_refused_with_its_place) {
  const auto queue = [](const std::string& options) {
    return R"({"beltway_definitions": 1, "queues": [{"name": "q")" + options + "}]}";
  };
  EXPECT_EQ(failure_of_parse(queue("")), "");
  EXPECT_NE(failure_of_parse("{"), "");
  EXPECT_NE(failure_of_parse("[]"), "");
  EXPECT_NE(failure_of_parse(R"({"beltway_definitions": 2, "queues": []})").find("is not 1"), std::string::npos);
  EXPECT_NE(failure_of_parse(R"({"queues": []})"), "");
  EXPECT_NE(failure_of_parse(R"({"beltway_definitions": 1, "queues": [], "more": 1})").find("more"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "slots": 1000)")).find("power of two"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "slotz": 1024)")).find("slotz"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "slots": 64, "slots": 128)")).find("twice"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "slots": "many")")).find("slots"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "slots": 9e999)")).find("too large"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "groups": ["g", "g"])")).find("twice"), std::string::npos);
  EXPECT_NE(failure_of_parse(queue(R"(, "exclusive": true)")).find("exclusive"), std::string::npos);
  EXPECT_NE(failure_of_parse(R"({"beltway_definitions": 1, "queues": [{"name": "q"}, {"name": "q"}]})").find("twice"),
            std::string::npos);
  EXPECT_NE(failure_of_parse(R"({"beltway_definitions": 1, "queues": [{"name": "no blanks"}]})").find("no blanks"),
            std::string::npos);
}

class ToolExport : public ToolTest {
 protected:
  [[nodiscard]] std::string write(const std::string& text) const {
    const std::string path = daemon_.dir().path() / "definitions";
    std::ofstream(path) << text;
    return path;
  }
  void make_queues() const {
    ASSERT_TRUE(tool({"declare", "z-failed", "--group", "all", "--lane-bytes", "2M"}).exit.ok());
    ASSERT_TRUE(tool({"declare", "orders", "--group", "billing,ttl=5s", "--group", "audit", "--dead-letter", "z-failed",
                      "--stamps", "fine"})
                    .exit.ok());
  }
};

TEST_F(ToolExport, an_import_at_another_daemon_makes_the_same_queues) {
  make_queues();
  const std::string exported = tool({"export"}).out;
  const TestDaemon other;
  const Outcome imported = other.tool({"import", write(exported)});
  EXPECT_EQ(imported.out, "made z-failed\nmade orders\n") << imported.err;
  EXPECT_EQ(other.tool({"export"}).out, exported);
  EXPECT_EQ(other.tool({"import", write(exported)}).out, "is the same: z-failed\nis the same: orders\n");
}

TEST_F(ToolExport, only_the_named_queues_are_exported) {
  make_queues();
  const json one = json::parse(tool({"export", "orders", "orders"}).out);
  ASSERT_EQ(one["queues"].size(), 1U);
  EXPECT_EQ(one["queues"][0]["name"], "orders");
  expect_failure({"export", "ordres"}, 5, "did you mean \"orders\"?");
}

TEST_F(ToolExport, a_dry_run_says_what_would_be_done_and_does_nothing) {
  make_queues();
  json file = json::parse(tool({"export"}).out);
  file["queues"][0]["ttl_ms"] = 9000;
  file["queues"][0]["groups"].push_back("new");
  file["queues"].push_back({{"name", "third"}});
  const std::string before = tool({"export"}).out;
  const Outcome dry = tool({"import", write(file.dump()), "--dry-run"});
  EXPECT_EQ(dry.out,
            "is the same: z-failed\nwould change orders\n  new group new\n  ttl_ms from 0 to 9000\nwould make third\n")
      << dry.err;
  EXPECT_EQ(tool({"export"}).out, before);
  const json done = tool_json({"import", write(file.dump())});
  EXPECT_EQ(done["dry_run"], false);
  EXPECT_EQ(done["queues"][1]["outcome"], "changed");
  EXPECT_EQ(json::parse(tool({"export", "orders"}).out)["queues"][0]["ttl_ms"], 9000);
}

TEST_F(ToolExport, a_fixed_option_that_differs_changes_nothing_at_all) {
  make_queues();
  const std::string before = tool({"export"}).out;
  json file = json::parse(before);
  file["queues"].insert(file["queues"].begin(), json{{"name", "a-new-one"}});
  file["queues"][1]["slots"] = 64;
  file["queues"][2]["ttl_ms"] = 1;
  expect_failure({"import", write(file.dump())}, 1, "queue \"orders\" has slots 1024, not 64");
  EXPECT_EQ(tool({"export"}).out, before);
  EXPECT_EQ(tool({"import", write(file.dump()), "--skip-existing"}).out,
            "made a-new-one\nskipped z-failed\nskipped orders\n");
}

TEST_F(ToolExport, queues_that_were_made_before_a_refusal_are_removed_again) {
  json file{{"beltway_definitions", 1}};
  file["queues"] = {{{"name", "a"}}, {{"name", "b"}, {"dead_letter", "nowhere"}}};
  expect_failure({"import", write(file.dump())}, 5, "the queues that were made before were removed again");
  EXPECT_EQ(tool_json({"list"})["queues"].size(), 0U);
}

TEST_F(ToolExport, dead_letters_that_go_round_are_refused_before_anything_is_made) {
  json file{{"beltway_definitions", 1}};
  file["queues"] = {{{"name", "a"}, {"dead_letter", "b"}}, {{"name", "b"}, {"dead_letter", "a"}}};
  expect_failure({"import", write(file.dump())}, 1, "circle");
  EXPECT_EQ(tool_json({"list"})["queues"].size(), 0U);
}

}  // namespace
}  // namespace beltway::test
