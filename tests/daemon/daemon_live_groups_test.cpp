// Named groups that are paused and reset at a daemon: what processes see, what is refused, and what survives the daemon's death.
#include <gtest/gtest.h>

#include <string>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::connect;
using test::drain;
using test::error_of;
using test::k_small;
using test::SupervisedDaemon;
using test::TestDaemon;

QueueOptions with_two_groups() {
  QueueOptions options = k_small;
  options.groups = {"g", "other"};
  return options;
}

TEST(DaemonLiveGroups, a_paused_group_keeps_its_messages_and_says_how_long_it_is_paused) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", with_two_groups());
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  queue.pause_group("g");
  queue.pause_group("g");
  EXPECT_EQ(queue.describe().paused.size(), 1U);
  EXPECT_GE(queue.describe().paused_for("g"), 0ms);
  EXPECT_EQ(queue.describe().paused_for("other"), std::nullopt);
  out.publish("a");
  EXPECT_EQ(in.receive(5ms).status(), Status::timeout);
  const QueueSnapshot snapshot = queue.snapshot();
  EXPECT_TRUE(snapshot.groups[0].paused_for);
  EXPECT_FALSE(snapshot.groups[1].paused_for);
  EXPECT_EQ(snapshot.groups[0].available, 1U);
  Consumer late = queue.consumer({.group = "g"});
  EXPECT_EQ(late.try_receive().status(), Status::empty) << "a consumer that attaches during the pause waits, too";
  queue.resume_group("g");
  queue.resume_group("g");
  EXPECT_EQ(drain(late), "a");
  EXPECT_TRUE(queue.describe().paused.empty());
}

TEST(DaemonLiveGroups, a_pause_ends_with_its_group) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", with_two_groups());
  queue.pause_group("g");
  queue.remove_group("g");
  queue.add_group("g");
  EXPECT_TRUE(queue.describe().paused.empty());
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  out.publish("a");
  EXPECT_EQ(drain(in), "a");
}

TEST(DaemonLiveGroups, a_purge_and_an_attach_leave_a_group_paused) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", with_two_groups());
  Producer out = queue.producer();
  queue.pause_group("g");
  out.publish("a");
  EXPECT_EQ(queue.purge("g").purged, 1U);
  Consumer in = queue.consumer({.group = "g"});
  out.publish("b");
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  queue.resume_group("g");
  EXPECT_EQ(drain(in), "b");
}

TEST(DaemonLiveGroups, a_pause_survives_the_death_of_the_daemon) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("q", with_two_groups());
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  queue.pause_group("g");
  out.publish("a");
  const int first = daemon.pid();
  daemon.kill_daemon();
  EXPECT_NE(link.ping().pid, first);
  EXPECT_TRUE(queue.describe().paused_for("g"));
  EXPECT_EQ(in.receive(5ms).status(), Status::timeout);
  queue.resume_group("g");
  EXPECT_EQ(in.receive(20s)->text(), "a");
}

TEST(DaemonLiveGroups, a_reset_moves_the_beginning_of_a_group_and_of_no_other) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", with_two_groups());
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  Consumer other = queue.consumer({.group = "other"});
  for (const char* const each : {"a", "b", "c", "d"}) out.publish(each);
  EXPECT_EQ(drain(in), "abcd");
  const ResetResult back = queue.reset_group("g", Start::oldest);
  EXPECT_EQ(back.position, 0U);
  EXPECT_EQ(back.restored, 4U);
  EXPECT_EQ(back.acknowledged, 0U);
  EXPECT_EQ(back.held, 0U);
  const ResetResult on = queue.reset_group("g", 3);
  EXPECT_EQ(on.position, 3U);
  EXPECT_EQ(on.acknowledged, 3U);
  EXPECT_EQ(drain(in), "d");
  Message held = *other.try_receive();
  const ResetResult latest = queue.reset_group("other", Start::latest);
  EXPECT_EQ(latest.position, 4U);
  EXPECT_EQ(latest.acknowledged, 3U);
  EXPECT_EQ(latest.held, 1U);
  EXPECT_TRUE(held.ack());
  out.publish("e");
  EXPECT_EQ(drain(in), "e");
  EXPECT_EQ(drain(other), "e");
}

TEST(DaemonLiveGroups, a_reset_to_a_position_that_the_ring_does_not_have_is_refused_with_its_range) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", with_two_groups());
  Producer out = queue.producer();
  for (int i = 0; i < 3; ++i) out.publish("x");
  const Error error = error_of([&] { (void)queue.reset_group("g", 4); });
  EXPECT_EQ(error.reason(), Errc::invalid_option);
  EXPECT_NE(std::string(error.what()).find("position 4 is not in the ring, which has 0 to 3"), std::string::npos)
      << error.what();
  EXPECT_EQ(error_of([&] { (void)queue.reset_group("none", 0); }).reason(), Errc::not_found);
  EXPECT_EQ(error_of([&] { queue.pause_group("none"); }).reason(), Errc::not_found);
  EXPECT_EQ(queue.reset_group("g", 3).acknowledged, 3U) << "behind the newest message";
}

}  // namespace
}  // namespace beltway
