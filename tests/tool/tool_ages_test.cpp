// Ages in the tool: declare with stamps, peek and show them, messages that expire, and a reset to a time.
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "support/tool_test.hpp"
#include "tool/text/ages_text.hpp"

namespace beltway::tool {
namespace {

using namespace std::chrono_literals;

TEST(ToolTimes, times_are_dates_or_ages) {
  const auto at = [](std::int64_t seconds) { return PublishTime(std::chrono::seconds(seconds)); };
  EXPECT_EQ(parse_time("2026-11-29T08:00:00Z"), at(1795939200));
  EXPECT_EQ(parse_time("2026-11-29 08:00Z"), at(1795939200));
  std::tm parts{};
  parts.tm_year = 126;
  parts.tm_mon = 10;
  parts.tm_mday = 29;
  parts.tm_hour = 8;
  parts.tm_isdst = -1;
  EXPECT_EQ(parse_time("2026-11-29T08:00:00"), at(std::mktime(&parts)));
  const auto age = parse_time("10m");
  ASSERT_TRUE(age);
  EXPECT_LT(std::chrono::abs(std::chrono::system_clock::now() - *age - 10min), 10s);
  for (const char* const wrong : {"", "1200", "yesterday", "2026-11-29T08:00:00+01:00", "-5m", "2026-13-29T08:00"}) {
    EXPECT_EQ(parse_time(wrong), std::nullopt) << wrong;
  }
}

class ToolAges : public test::ToolTest {};

TEST_F(ToolAges, the_tool_shows_ages_lets_messages_expire_and_resets_a_group_to_a_time) {
  ASSERT_TRUE(tool({"declare", "q", "--slots", "16", "--group", "g,ttl=1h", "--stamps", "fine"}).exit.ok());
  for (const char* const each : {"a", "b"}) ASSERT_TRUE(tool({"pub", "q", each}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "short", "--ttl", "1ms", "--key", "k"}).exit.ok());
  std::this_thread::sleep_for(20ms);
  const nlohmann::json looked = tool_json({"peek", "q"});
  EXPECT_GE(looked["messages"][0]["age_us"], 20'000);
  EXPECT_EQ(looked["messages"][2]["properties"]["expires_in_us"], 0);
  EXPECT_NE(tool({"peek", "q"}).out.find("AGE"), std::string::npos);
  const std::string before = tool({"show", "q"}).out;
  EXPECT_NE(before.find("group g"), std::string::npos) << before;
  const test::Outcome got = tool({"sub", "q", "--group", "g", "--timeout", "200ms", "--format", "json"});
  EXPECT_NE(got.out.find("\"age_us\":"), std::string::npos) << got.out;
  EXPECT_EQ(got.out.find("short"), std::string::npos) << got.out;
  EXPECT_EQ(tool_json({"show", "q"})["state"]["totals"]["expired"], 1);
  EXPECT_EQ(tool_json({"group", "reset", "q", "g", "--to", "1h"})["position"], 0);
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--count", "2"}).out, "a\nb\n");
  EXPECT_EQ(tool_json({"group", "reset", "q", "g", "--to", "2100-01-01T00:00:00Z"})["position"], 3);
  expect_failure({"group", "reset", "q", "g", "--to", "yesterday"}, 2, "a time");
  ASSERT_TRUE(tool({"declare", "plain", "--slots", "16", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "plain", "a"}).exit.ok());
  EXPECT_NE(tool({"group", "reset", "plain", "g", "--to", "1h"}).err.find("--stamps"), std::string::npos);
}

}  // namespace
}  // namespace beltway::tool
