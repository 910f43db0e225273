// `beltway declare` of a queue that lives: only what is said is compared, all differences are named, and the time after which a
// consumer is thrown out is changed while the messages stay.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolDeclare : public ToolTest {
 protected:
  /// A consumer of group "g" in a process of its own, which takes one message and stops itself.
  Child stopped_consumer() const {
    Child child = Child::fork([socket = daemon_.socket()] {
      auto in = Connection::open({.socket = socket}).open_queue("q").consumer({.group = "g"});
      const Result<Message> held = in.receive(20s);
      ::raise(SIGSTOP);
      return held ? 0 : 1;
    });
    EXPECT_TRUE(eventually(
        [&] { return read_file("/proc/" + std::to_string(child.pid()) + "/stat").find(") T ") != std::string::npos; }));
    return child;
  }
};

TEST_F(ToolDeclare, one_option_of_a_living_queue_is_changed_and_the_messages_stay) {
  ASSERT_TRUE(tool({"declare", "q", "--slots", "2048", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "one", "two", "three"}).exit.ok());
  const Outcome changed = tool({"declare", "q", "--evict-after", "5s"});
  EXPECT_TRUE(changed.exit.ok()) << changed.err;
  EXPECT_NE(changed.out.find("changed: evict_after_ms from 0 to 5000"), std::string::npos) << changed.out;
  EXPECT_NE(tool({"show", "q"}).out.find("evicts after"), std::string::npos);
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--count", "3"}).out, "one\ntwo\nthree\n");
}

TEST_F(ToolDeclare, a_description_is_shown_and_changed_and_refuses_no_program) {
  ASSERT_TRUE(tool({"declare", "q", "--description", "orders of the shop"}).exit.ok());
  EXPECT_NE(tool({"show", "q"}).out.find("orders of the shop"), std::string::npos);
  EXPECT_EQ(tool_json({"list"})["queues"][0]["description"], "orders of the shop");
  const Connection link = connect(daemon_);
  EXPECT_EQ(link.declare("q", {.description = "other"}).options().description, "orders of the shop");
  const Outcome changed = tool({"declare", "q", "--description", "returns"});
  EXPECT_NE(changed.out.find("changed: description from \"orders of the shop\" to \"returns\""), std::string::npos)
      << changed.out << changed.err;
  EXPECT_EQ(link.open_queue("q").options().description, "returns");
  EXPECT_TRUE(tool({"declare", "q", "--description", ""}).exit.ok());
  EXPECT_EQ(tool({"show", "q"}).out.find("description"), std::string::npos);
}

TEST_F(ToolDeclare, queue_that_would_belong_to_the_command_is_refused_with_the_remedy) {
  const Outcome refused = tool({"declare", "q", "--exclusive"});
  EXPECT_EQ(refused.exit.code, 2);
  EXPECT_NE(refused.err.find("--expire-after"), std::string::npos) << refused.err;
  EXPECT_EQ(tool_json({"list"})["queues"], json::array());
}

TEST_F(ToolDeclare, time_until_an_unused_queue_ends_is_fixed_and_shown) {
  ASSERT_TRUE(tool({"declare", "q", "--expire-after", "1h"}).exit.ok());
  EXPECT_NE(tool({"show", "q"}).out.find("until it is unused for"), std::string::npos);
  EXPECT_NE(tool({"list"}).out.find("unused"), std::string::npos);
  const json queue = tool_json({"list"})["queues"][0];
  EXPECT_EQ(queue["expire_after_ms"], 3'600'000);
  EXPECT_LE(queue["expires_in_ms"], 3'600'000);
  EXPECT_TRUE(tool({"declare", "q", "--expire-after", "1h"}).exit.ok());
  const Outcome other = tool({"declare", "q", "--expire-after", "2h"});
  EXPECT_EQ(other.exit.code, 1);
  EXPECT_NE(other.err.find("expire_after_ms 3600000, not 7200000"), std::string::npos) << other.err;
  EXPECT_EQ(tool({"declare", "r", "--expire-after", "10ms"}).exit.code, 1) << "below the limit";
}

TEST_F(ToolDeclare, options_that_are_not_given_are_not_compared) {
  ASSERT_TRUE(tool({"declare", "q", "--slots", "64", "--mode", "0640", "--max-producers", "1"}).exit.ok());
  EXPECT_TRUE(tool({"declare", "q"}).exit.ok());
  const json queue = tool_json({"declare", "q", "--slots", "64", "--group", "late"});
  EXPECT_EQ(queue["mode"], "0640");
  EXPECT_EQ(queue["groups"], json::array({"late"})) << "missing groups are made";
  EXPECT_EQ(queue["created"], false);
  EXPECT_EQ(queue["changed"], json::array());
}

TEST_F(ToolDeclare, all_options_that_differ_are_named_and_nothing_is_changed) {
  ASSERT_TRUE(tool({"declare", "q"}).exit.ok());
  const Outcome refused = tool({"declare", "q", "--slots", "64", "--lane-bytes", "0", "--mode", "0666", "--evict-after",
                                "5s", "--group", "new"});
  EXPECT_EQ(refused.exit.code, 1);
  EXPECT_NE(refused.err.find("slots 1024, not 64; lane_bytes 1048576, not 0; mode 0600, not 0666"), std::string::npos)
      << refused.err;
  EXPECT_EQ(refused.err.find("slot_bytes"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("leave them out"), std::string::npos) << refused.err;
  const json queue = tool_json({"declare", "q"});
  EXPECT_EQ(queue["evict_after_ms"], 0);
  EXPECT_EQ(queue["groups"], json::array());
}

TEST_F(ToolDeclare, a_groups_own_time_is_changed_and_told) {
  ASSERT_TRUE(tool({"declare", "q", "--evict-after", "1m", "--group", "g,evict-after=5s"}).exit.ok());
  const json queue = tool_json({"declare", "q", "--group", "g,evict-after=0", "--evict-after", "2m"});
  EXPECT_EQ(queue["changed"], json::parse(R"([{"option":"evict_after_ms","group":null,"from":"60000","to":"120000"},
                                              {"option":"evict_after_ms","group":"g","from":"5000","to":"0"}])"));
  EXPECT_EQ(queue["own_evict_after_ms"]["g"], 0);
}

TEST_F(ToolDeclare, a_consumer_that_attached_without_a_time_is_named_and_not_thrown_out) {
  ASSERT_TRUE(tool({"declare", "q", "--slots", "4", "--group", "g"}).exit.ok());
  const Queue queue = connect(daemon_).open_queue("q");
  auto out = queue.producer();
  out.publish("held");
  Child early = stopped_consumer();
  const Outcome changed = tool({"declare", "q", "--evict-after", "50ms"});
  EXPECT_NE(changed.out.find("never thrown out: consumer 0 (process " + std::to_string(early.pid()) + ")"),
            std::string::npos)
      << changed.out;
  for (int i = 0; i < 3; ++i) out.publish("more");
  EXPECT_EQ(out.publish_until("no room", 500ms), Status::timeout);
  EXPECT_FALSE(queue.describe().endpoints[1].evicted);
  early.kill();
  static_cast<void>(early.wait());
  // What attaches from now on is measured.
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
  Child late = stopped_consumer();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints[1].evicted; }));
}

TEST_F(ToolDeclare, another_user_may_ask_for_what_is_and_change_nothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  ASSERT_TRUE(tool({"declare", "q", "--mode", "0666", "--evict-after", "5s"}).exit.ok());
  const auto as_nobody = [&](std::chrono::milliseconds evict_after) {
    return Child::fork([&] {
             if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             const auto declare = [&] {
               const auto link = Connection::open({.socket = daemon_.socket().filename(), .start_daemon = false});
               static_cast<void>(link.declare_some("q", {.evict_after = evict_after}, {"evict_after_ms"}));
             };
             return static_cast<int>(error_of(declare).reason());
           })
        .wait()
        .code;
  };
  EXPECT_EQ(as_nobody(5s), 0);
  EXPECT_EQ(as_nobody(0s), static_cast<int>(Errc::no_permission));
  EXPECT_EQ(tool_json({"declare", "q"})["evict_after_ms"], 5000);
}

TEST_F(ToolDeclare, a_library_that_asks_for_no_time_attaches_to_what_the_operator_has_set) {
  const Connection link = connect(daemon_);
  static_cast<void>(link.declare("q", k_small));
  ASSERT_TRUE(tool({"declare", "q", "--evict-after", "5s"}).exit.ok());
  EXPECT_EQ(link.declare("q", k_small).options().evict_after, 5s);
  QueueOptions other = k_small;
  other.evict_after = 7s;
  const Error refused = error_of([&] { static_cast<void>(link.declare("q", other)); });
  EXPECT_EQ(refused.reason(), Errc::already_exists);
  EXPECT_NE(std::string(refused.what()).find("beltway declare q --evict-after TIME"), std::string::npos)
      << refused.what();
}

}  // namespace
}  // namespace beltway::test
