// Links to dead letter queues through a real daemon: they survive its restart, and rights decide who may cut them. Programs of an
// older layout.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "beltway/beltway.hpp"
#include "ring/layout.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/error_of.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

QueueOptions source(const std::string& target) {
  QueueOptions options = k_small;
  options.lane_bytes = 0;
  options.groups = {"workers"};
  options.dead_letter = target;
  return options;
}
QueueOptions target(std::uint32_t mode = 0600) {
  QueueOptions options = k_small;
  options.groups = {"all"};
  options.mode = mode;
  return options;
}

TEST(DaemonDeadLetters, links_are_there_after_a_restart_of_the_daemon_also_to_queues_that_are_restored_later) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  for (const char* const name : {"a-target", "z-target"}) static_cast<void>(link.declare(name, target()));
  static_cast<void>(link.declare("middle", source("z-target")));
  static_cast<void>(link.declare("other", source("a-target")));
  link.remove("a-target", {.force = true});
  const int before = daemon.pid();
  daemon.kill_daemon();
  ASSERT_NE(daemon.wait_for_another(before), before);
  const Connection again = daemon.connect();
  EXPECT_EQ(again.describe("middle").options.dead_letter, "z-target");
  EXPECT_TRUE(again.describe("middle").missing_dead_letter_queues.empty());
  EXPECT_EQ(again.describe("other").missing_dead_letter_queues, std::vector<std::string>{"a-target"});
  EXPECT_EQ(again.list().size(), 3U);
  EXPECT_EQ(reason_of([&] { again.remove("z-target"); }), Errc::misuse);
  EXPECT_EQ(reason_of([&] { again.open_queue("z-target").remove_group("all"); }), Errc::misuse);
  EXPECT_TRUE(again.try_remove("z-target", {.force = true}));
}

TEST(DaemonDeadLetters, only_the_owner_of_a_target_removes_it_and_only_the_owner_of_a_source_links_it) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const TestDaemon daemon;
  std::filesystem::permissions(daemon.dir().path(), std::filesystem::perms{0755});
  const Connection link = connect(daemon);
  static_cast<void>(link.declare("failed", target(0666)));
  QueueOptions options = source("failed");
  options.mode = 0666;
  static_cast<void>(link.declare("orders", options));
  const auto as_nobody = [&](const std::function<void(const Connection&)>& call) {
    return Child::fork([&] {
             if (::chdir(daemon.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             const auto open = [&] {
               call(Connection::open({.socket = daemon.socket().filename(), .start_daemon = false}));
             };
             return static_cast<int>(reason_of(open));
           })
        .wait()
        .code;
  };
  constexpr int k_refused = static_cast<int>(Errc::no_permission);
  EXPECT_EQ(as_nobody([](const Connection& theirs) { theirs.remove("failed", {.force = true}); }), k_refused);
  EXPECT_EQ(
      as_nobody([](const Connection& theirs) { theirs.open_queue("failed").remove_group("all", {.force = true}); }),
      k_refused);
  EXPECT_EQ(as_nobody([](const Connection& theirs) {
              static_cast<void>(theirs.declare_some("orders", {}, {"dead_letter"}));
            }),
            k_refused);
  EXPECT_EQ(as_nobody([](const Connection& theirs) {
              theirs.open_queue("orders").add_group({"mine", {.dead_letter = "failed"}});
            }),
            k_refused);
  EXPECT_EQ(as_nobody([](const Connection& theirs) { static_cast<void>(theirs.declare("own", source("failed"))); }), 0)
      << "it needs no right on the target";
  EXPECT_EQ(link.describe("own").options.dead_letter, "failed");
}

TEST(DaemonDeadLetters, program_of_an_older_layout_is_refused_at_its_attach_with_the_layout_that_it_needs) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", target());
  const auto attach_with = [&](const json& layout) {
    RawClient client(daemon);
    json hello{{"op", "hello"}, {"n", 0}, {"protocol", k_protocol_version}, {"version", "0.1.9"}};
    if (!layout.is_null()) hello["layout"] = layout;
    client.say(hello);
    EXPECT_EQ(client.hear()["n"], 0);
    client.say({{"op", "attach"},
                {"n", 1},
                {"queue", queue.id()},
                {"role", "consumer"},
                {"group", "all"},
                {"barriers", false},
                {"bells", false}});
    return client.hear();
  };
  const std::string own = std::to_string(ring::k_layout_major) + ".";
  const json refused = attach_with(std::to_string(ring::k_layout_major - 1) + ".9");
  EXPECT_EQ(refused["error"]["errc"], "incompatible") << refused;
  const std::string says = refused["error"]["message"];
  EXPECT_NE(says.find("attach \"orders\": the queue needs layout " + own), std::string::npos) << says;
  EXPECT_NE(says.find("the process, version 0.1.9, knows layout "), std::string::npos) << says;
  EXPECT_FALSE(attach_with(own + "0").contains("error"));
  EXPECT_FALSE(attach_with(own + "99").contains("error")) << "a later program knows all";
  EXPECT_FALSE(attach_with(nullptr).contains("error")) << "it does not say its layout";
}

TEST(DaemonDeadLetters, layout_of_a_client_that_is_no_layout_breaks_the_protocol) {
  const TestDaemon daemon;
  RawClient client(daemon);
  client.say({{"op", "hello"}, {"n", 0}, {"protocol", k_protocol_version}, {"layout", "four"}});
  EXPECT_EQ(client.hear()["error"]["errc"], "protocol");
}

}  // namespace
}  // namespace beltway::test
