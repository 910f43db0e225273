// The option drop_oldest of queue and group: declared, changed on a living queue, told by show, kept over a restart.
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::connect;
using test::eventually;
using test::k_small;
using test::SupervisedDaemon;
using test::TestDaemon;

QueueOptions keeping(std::uint32_t of_queue, std::optional<std::uint32_t> of_group = {}) {
  QueueOptions options = k_small;
  options.drop_oldest = of_queue;
  options.groups = {NamedGroup("g", {.drop_oldest = of_group})};
  return options;
}

void publish_laps(Producer& out) {
  for (std::uint32_t i = 1; i <= 3 * k_small.slots; ++i) ASSERT_EQ(out.try_publish(std::to_string(i)), Status::ok) << i;
}

/// What a consumer of the group gets now.
unsigned count_left(const Queue& queue) {
  auto in = queue.consumer({.group = "g", .ack = Ack::automatic});
  unsigned count = 0;
  while (in.try_receive()) ++count;
  return count;
}

TEST(DaemonDropOldest, group_has_its_own_number_or_that_of_the_queue) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", keeping(5));
  auto out = queue.producer();
  publish_laps(out);
  EXPECT_EQ(count_left(queue), 5U);
  const Queue other = link.declare("other", keeping(5, 2));
  auto out_of_other = other.producer();
  publish_laps(out_of_other);
  EXPECT_EQ(count_left(other), 2U);
}

TEST(DaemonDropOldest, show_tells_number_and_losses) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", keeping(0, 4));
  auto out = queue.producer();
  publish_laps(out);
  const std::uint64_t dropped = queue.snapshot().groups.at(0).dropped;
  EXPECT_GE(dropped, 2 * k_small.slots);
  EXPECT_EQ(queue.snapshot().groups.at(0).drop_oldest, 4U);
  const json group = json::parse(daemon.tool({"show", "q", "--format", "json"}).out)["state"]["groups"][0];
  EXPECT_EQ(group["drop_oldest"], 4);
  EXPECT_EQ(group["dropped"], dropped);
  EXPECT_NE(daemon.tool({"show", "q"}).out.find("KEEPS THE NEWEST"), std::string::npos);
}

TEST(DaemonDropOldest, producer_that_waits_goes_on_when_the_owner_sets_the_option) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", keeping(0));
  auto out = queue.producer();
  while (out.try_publish("x") == Status::ok) {
  }
  Status status = Status::full;
  std::jthread producer([&] { status = out.publish_until("later", 20s); });
  ASSERT_TRUE(eventually([&] { return queue.snapshot().producers.at(0).sleep == SleepState::asleep; }));
  QueueOptions wanted;
  wanted.groups = {NamedGroup("g", {.drop_oldest = 3})};
  static_cast<void>(link.declare_some("q", wanted, {}));
  producer.join();
  EXPECT_EQ(status, Status::ok);
}

TEST(DaemonDropOldest, a_restart_keeps_the_option) {
  const SupervisedDaemon daemon;
  const Queue queue = daemon.connect().declare("q", keeping(0, 3));
  auto out = queue.producer();
  const int before = daemon.pid();
  daemon.kill_daemon();
  EXPECT_NE(daemon.wait_for_another(before), before);
  publish_laps(out);
  EXPECT_EQ(daemon.connect().open_queue("q").snapshot().groups.at(0).drop_oldest, 3U);
  EXPECT_EQ(count_left(queue), 3U);
}

}  // namespace
}  // namespace beltway
