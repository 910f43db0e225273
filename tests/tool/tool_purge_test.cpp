// `beltway purge` says what it could not take, who holds it, and what ends that.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A consumer of "g" in a process of its own, which takes four messages and stops itself; it ends with them when it goes on.
Child stopped_holder(const TestDaemon& daemon) {
  Child child = Child::fork([socket = daemon.socket()] {
    auto in = Connection::open({.socket = socket}).open_queue("q").consumer({.group = "g"});
    std::vector<Message> held(4);
    if (in.receive_batch(held, 20s).value_or(0) != 4) return 1;
    ::raise(SIGSTOP);
    return 0;
  });
  EXPECT_TRUE(eventually(
      [&] { return read_file("/proc/" + std::to_string(child.pid()) + "/stat").find(") T ") != std::string::npos; }));
  return child;
}

TEST(ToolPurge, a_purge_names_the_holders_of_messages_and_ends_with_8_while_there_are_some) {
  const TestDaemon daemon;
  ASSERT_TRUE(daemon.tool({"declare", "q", "--slots", "16", "--group", "g"}).exit.ok());
  ASSERT_TRUE(daemon.tool({"pub", "q", "x", "--count", "4"}).exit.ok());
  Child holder = stopped_holder(daemon);
  ASSERT_TRUE(daemon.tool({"pub", "q", "y", "--count", "12"}).exit.ok());
  const Outcome left = daemon.tool({"purge", "q", "--group", "g"});
  EXPECT_EQ(left.exit.code, 8);
  EXPECT_EQ(left.err, "");
  EXPECT_TRUE(
      left.out.starts_with("purged 12 messages\nleft 4 messages, which are held; 16 of 16 slots are in use: the "
                           "ring is still full\n  ! consumer 0 (process " +
                           std::to_string(holder.pid())))
      << left.out;
  EXPECT_NE(left.out.find(", stopped) holds 4 of them, the oldest at position 0\n"), std::string::npos) << left.out;
  EXPECT_NE(left.out.find("kill -CONT " + std::to_string(holder.pid())), std::string::npos) << left.out;
  const Outcome again = daemon.tool({"purge", "q", "--group", "g", "--format", "json"});
  EXPECT_EQ(again.exit.code, 8);
  const json said = json::parse(again.out);
  EXPECT_EQ(said["purged"], 0);
  EXPECT_EQ(said["left"], 4);
  EXPECT_EQ(said["used"], 16);
  ASSERT_EQ(said["holders"].size(), 1U);
  EXPECT_EQ(said["holders"][0]["role"], "consumer");
  EXPECT_EQ(said["holders"][0]["pid"], holder.pid());
  EXPECT_EQ(said["holders"][0]["stopped"], true);
  EXPECT_EQ(said["holders"][0]["messages"], 4);
  // The remedy that it named: what was held comes back, and can be purged.
  EXPECT_TRUE(run({"sh", "-c", "kill -CONT " + std::to_string(holder.pid())}).exit.ok());
  EXPECT_EQ(holder.wait(), (Exit{.code = 0}));
  ASSERT_TRUE(eventually([&] { return daemon.tool({"purge", "q", "--group", "g"}).exit.ok(); }));
  EXPECT_TRUE(daemon.tool({"pub", "q", "fits", "--timeout", "10"}).exit.ok());
}

TEST(ToolPurge, a_purge_of_messages_that_no_consumer_holds_leaves_none_and_ends_with_0) {
  const TestDaemon daemon;
  ASSERT_TRUE(daemon.tool({"declare", "q", "--group", "g"}).exit.ok());
  ASSERT_TRUE(daemon.tool({"pub", "q", "x", "--count", "4"}).exit.ok());
  const Outcome purged = daemon.tool({"purge", "q", "--group", "g"});
  EXPECT_TRUE(purged.exit.ok());
  EXPECT_EQ(purged.out, "purged 4 messages\n");
}

}  // namespace
}  // namespace beltway::test
