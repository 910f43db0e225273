// Stamps, ages and expiry of queues that the daemon keeps, and resets to a time.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/error_of.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {

using test::connect;
using test::drain;
using test::error_of;
using test::SupervisedDaemon;
using test::TestDaemon;

namespace {

using namespace std::chrono_literals;

TEST(DaemonStamps, the_owner_turns_stamps_on_and_off_and_attached_endpoints_follow) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", {.slots = 16, .max_producers = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const auto age_of_next = [&] {
    out.publish("x");
    return in.try_receive()->age();
  };
  EXPECT_EQ(age_of_next(), std::nullopt);
  for (const Stamps stamps : {Stamps::fine, Stamps::off, Stamps::coarse, Stamps::off}) {
    (void)link.declare_some("q", {.stamps = stamps}, {"stamps"});
    EXPECT_EQ(queue.describe().options.stamps, stamps);
    EXPECT_EQ(age_of_next().has_value(), stamps != Stamps::off);
  }
}

TEST(DaemonStamps, a_ttl_of_the_queue_or_of_a_group_turns_stamps_on) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue of_queue = link.declare("q", {.slots = 16, .ttl = 30ms});
  const Queue of_group = link.declare("r", {.slots = 16, .groups = {{"g", {.ttl = 30ms}}, {"h", {}}}});
  const Queue added = link.declare("s", {.slots = 16});
  Producer before = added.producer();
  added.add_group({"g", {.ttl = 30ms}});
  Consumer one = of_queue.consumer();
  Consumer two = of_group.consumer({.group = "g"});
  Consumer three = of_group.consumer({.group = "h"});
  Consumer four = added.consumer({.group = "g"});
  of_queue.producer().publish("a");
  of_group.producer().publish("a");
  before.publish("a");
  std::this_thread::sleep_for(60ms);
  EXPECT_EQ(drain(one), "");
  EXPECT_EQ(drain(two), "");
  EXPECT_EQ(drain(three), "a") << "the group has no ttl";
  EXPECT_EQ(drain(four), "");
  EXPECT_EQ(four.counters().expired, 1U);
  const QueueSnapshot seen = of_group.snapshot();
  ASSERT_EQ(seen.groups.size(), 2U);
  EXPECT_EQ(seen.groups[0].expired, 1U);
  EXPECT_EQ(seen.groups[0].ttl, 30ms);
  EXPECT_EQ(seen.groups[1].ttl, 0ms);
  EXPECT_EQ(seen.groups[1].ages.delivered, 1U);
}

TEST(DaemonStamps, a_changed_ttl_counts_for_messages_that_are_there) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", {.slots = 16, .groups = {"g"}, .ttl = 1h});
  Consumer in = queue.consumer({.group = "g"});
  queue.producer().publish("a");
  std::this_thread::sleep_for(50ms);
  (void)link.declare_some("q", {.ttl = 10ms}, {"ttl_ms"});
  EXPECT_EQ(drain(in), "");
  EXPECT_EQ(in.counters().expired, 1U);
}

TEST(DaemonStamps, a_snapshot_and_a_look_tell_the_ages_of_messages) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", {.slots = 16, .groups = {"g"}, .stamps = Stamps::fine});
  Producer out = queue.producer();
  Consumer worker = queue.consumer({.group = "g"});
  Consumer all = queue.consumer();
  EXPECT_EQ(queue.snapshot().groups[0].ages.oldest, std::nullopt);
  for (int i = 0; i < 3; ++i) out.publish("x");
  std::this_thread::sleep_for(20ms);
  const Message held = *worker.try_receive();
  EXPECT_TRUE(all.try_receive());
  const QueueSnapshot seen = queue.snapshot();
  for (const MessageAges& ages : {seen.groups[0].ages, seen.consumers[0].ages, seen.consumers[1].ages}) {
    EXPECT_EQ(ages.delivered, 1U);
    EXPECT_GT(ages.p50, 20ms);
    EXPECT_EQ(ages.max, ages.p50);
    EXPECT_EQ(ages.max, ages.p99);
  }
  EXPECT_GE(seen.groups[0].ages.oldest.value_or(0us), 20ms) << "a held message is not finished";
  EXPECT_EQ(seen.consumers[0].ages.oldest, std::nullopt) << "it is of a named group";
  EXPECT_GE(seen.consumers[1].ages.oldest.value_or(0us), 20ms);
  const auto looked = queue.peek(3);
  ASSERT_EQ(looked.size(), 3U);
  EXPECT_GE(looked[0].age.value_or(0us), 20ms);
}

TEST(DaemonStamps, ages_of_an_earlier_consumer_are_not_those_of_the_next) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", {.slots = 16, .stamps = Stamps::coarse});
  Producer out = queue.producer();
  {
    Consumer in = queue.consumer();
    out.publish("x");
    EXPECT_TRUE(in.try_receive());
    EXPECT_EQ(queue.snapshot().consumers[0].ages.delivered, 1U);
  }
  const Consumer in = queue.consumer();
  EXPECT_EQ(queue.snapshot().consumers[0].ages.delivered, 0U);
}

TEST(DaemonStamps, stamps_and_published_times_outlive_the_daemon) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("q", {.slots = 16, .stamps = Stamps::coarse});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  daemon.kill_daemon();
  const int pid = link.ping().pid;
  EXPECT_GT(pid, 0);
  out.publish("x");
  const Result<Message> message = in.try_receive();
  ASSERT_TRUE(message && message->published_at());
  EXPECT_LT(std::chrono::abs(*message->published_at() - std::chrono::system_clock::now()), 1min);
}

TEST(DaemonStamps, a_group_is_reset_to_a_time) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", {.slots = 16, .groups = {"g"}, .stamps = Stamps::fine});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  out.publish("a");
  std::this_thread::sleep_for(20ms);
  const auto between = std::chrono::system_clock::now();
  std::this_thread::sleep_for(20ms);
  out.publish("b");
  out.publish("c");
  EXPECT_EQ(drain(in), "abc");
  const ResetResult back = queue.reset_group("g", between);
  EXPECT_EQ(back.position, 1U);
  EXPECT_EQ(back.restored, 2U);
  EXPECT_EQ(drain(in), "bc");
  EXPECT_EQ(queue.reset_group("g", PublishTime()).position, 0U) << "all messages are younger";
  EXPECT_EQ(drain(in), "abc");
  EXPECT_EQ(queue.reset_group("g", PublishTime(-1h)).position, 0U);
  EXPECT_EQ(queue.reset_group("g", std::chrono::system_clock::now() + 1h).position, 3U) << "all messages are older";
  EXPECT_EQ(drain(in), "");
}

TEST(DaemonStamps, a_reset_to_a_time_without_stamps_is_refused_with_the_remedy) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", {.slots = 16, .groups = {"g"}});
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(queue.reset_group("g", now).position, 0U) << "there is no message";
  queue.producer().publish("a");
  const Error error = error_of([&] { (void)queue.reset_group("g", now); });
  EXPECT_EQ(error.reason(), Errc::invalid_option);
  EXPECT_NE(std::string(error.what()).find("--stamps coarse"), std::string::npos) << error.what();
}

}  // namespace
}  // namespace beltway
