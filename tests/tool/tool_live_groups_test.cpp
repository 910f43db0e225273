// `beltway group pause`, `resume` and `reset`, and `beltway sub --conflate`.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

class ToolLiveGroups : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.tool({"declare", "q", "--slots", "16", "--group", "g"}).exit.ok());
    for (const char* const each : {"a", "b", "c"}) ASSERT_TRUE(daemon_.tool({"pub", "q", each}).exit.ok());
  }
  [[nodiscard]] Outcome sub(const std::string& count) const {
    return daemon_.tool({"sub", "q", "--group", "g", "--count", count, "--timeout", "200ms"});
  }

  TestDaemon daemon_;
};

TEST_F(ToolLiveGroups, the_command_group_pause_ends_deliveries_until_group_resume) {
  const Outcome paused = daemon_.tool({"group", "pause", "q", "g", "--format", "json"});
  EXPECT_TRUE(paused.exit.ok()) << paused.err;
  EXPECT_EQ(paused.out, "{\"queue\":\"q\",\"group\":\"g\",\"paused\":true}\n");
  EXPECT_EQ(sub("1").exit.code, 3);
  const std::string shown = daemon_.tool({"show", "q"}).out;
  EXPECT_NE(shown.find("! group \"g\" is paused: its consumers get nothing"), std::string::npos) << shown;
  EXPECT_NE(shown.find("beltway group resume q g"), std::string::npos) << shown;
  EXPECT_TRUE(daemon_.tool({"group", "resume", "q", "g"}).exit.ok());
  EXPECT_EQ(sub("3").out, "a\nb\nc\n");
}

TEST_F(ToolLiveGroups, the_command_group_reset_says_where_the_group_begins_and_what_happens_to_its_messages) {
  EXPECT_EQ(sub("3").out, "a\nb\nc\n");
  const Outcome back = daemon_.tool({"group", "reset", "q", "g", "--to", "oldest"});
  EXPECT_TRUE(back.exit.ok()) << back.err;
  EXPECT_EQ(back.out, "begins at position 0: 0 messages acknowledged, 3 to be delivered again\n");
  const Outcome middle = daemon_.tool({"group", "reset", "q", "g", "--to", "1", "--format", "json"});
  const json said = json::parse(middle.out);
  EXPECT_EQ(said.dump(),
            json({{"queue", "q"}, {"group", "g"}, {"position", 1}, {"acknowledged", 1}, {"restored", 0}, {"held", 0}})
                .dump());
  EXPECT_EQ(sub("2").out, "b\nc\n");
  EXPECT_TRUE(daemon_.tool({"pub", "q", "d"}).exit.ok());
  EXPECT_EQ(daemon_.tool({"group", "reset", "q", "g", "--to", "latest"}).out,
            "begins at position 4: 1 messages acknowledged, 0 to be delivered again\n");
  const Outcome refused = daemon_.tool({"group", "reset", "q", "g", "--to", "99"});
  EXPECT_NE(refused.exit.code, 0);
  EXPECT_NE(refused.err.find("position 99 is not in the ring, which has 0 to 4"), std::string::npos) << refused.err;
}

TEST_F(ToolLiveGroups, the_flag_conflate_writes_the_newest_message_only) {
  const Outcome newest = daemon_.tool({"sub", "q", "--lossy", "--conflate", "--from", "oldest"});
  EXPECT_TRUE(newest.exit.ok()) << newest.err;
  EXPECT_EQ(newest.out, "c\n");
  EXPECT_NE(newest.err.find("lost"), std::string::npos) << "skipped messages count as lost: " << newest.err;
}

}  // namespace
}  // namespace beltway::test
