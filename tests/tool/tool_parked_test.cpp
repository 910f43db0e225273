// What `beltway show` says of parked messages, and of held messages that are not parked since too many are.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "beltway/info.hpp"
#include "tool/text/message_json.hpp"
#include "watch/causes.hpp"

namespace beltway::tool {
namespace {

/// A ring of 8 slots, full of a message that consumer 3 holds. `parked` others are parked, the oldest held by consumer 3.
QueueSnapshot full_ring(std::uint64_t parked) {
  QueueSnapshot snapshot;
  snapshot.info.name = "q";
  snapshot.info.options.slots = 8;
  snapshot.position = 100;
  snapshot.used = 8;
  snapshot.parked = parked;
  snapshot.max_parked = 4;
  ConsumerState consumer;
  consumer.endpoint = {.index = 3, .pid = ::getpid(), .group = "g"};
  snapshot.consumers.push_back(consumer);
  GroupState group{.name = "g", .floor = 92, .depth = 8, .holder = 3U, .consumers = {3}};
  group.parked = parked;
  if (parked != 0) {
    group.oldest_parked = 7;
    group.parked_holder = 3;
  }
  snapshot.groups.push_back(group);
  return snapshot;
}

const watch::Cause* find(const std::vector<watch::Cause>& causes, const std::string& kind) {
  const auto found = std::ranges::find(causes, kind, &watch::Cause::kind);
  return found == causes.end() ? nullptr : &*found;
}

TEST(ToolParked, parked_messages_and_the_holder_of_the_oldest_are_named) {
  const std::vector<watch::Cause> causes = watch::find_causes(full_ring(2), 1);
  const watch::Cause* const cause = find(causes, "parked");
  ASSERT_NE(cause, nullptr);
  EXPECT_FALSE(cause->blocks);
  EXPECT_EQ(cause->position, 7U);
  EXPECT_EQ(cause->consumer, 3U);
  EXPECT_EQ(cause->pid, ::getpid());
  EXPECT_NE(cause->text.find("2 parked messages"), std::string::npos) << cause->text;
  EXPECT_EQ(find(watch::find_causes(full_ring(0), 1), "parked"), nullptr);
}

TEST(ToolParked, parked_message_without_a_holder_says_why_it_waits_and_what_ends_that) {
  QueueSnapshot snapshot = full_ring(1);
  GroupState& group = snapshot.groups[0];
  group.parked_holder.reset();
  const auto first_remedy = [&snapshot](const std::string& words) -> std::string {
    const std::vector<watch::Cause> causes = watch::find_causes(snapshot, 1);
    const watch::Cause* const cause = find(causes, "parked");
    if (cause == nullptr || cause->remedies.empty()) return "none";
    EXPECT_NE(cause->text.find(words), std::string::npos) << cause->text;
    return cause->remedies[0].command;
  };
  group.due_in = std::chrono::minutes(3);
  EXPECT_EQ(first_remedy("the next delivery is in 3 min"), "beltway ack q 7 --group g");
  group.consumers.clear();
  EXPECT_EQ(first_remedy("the group has no consumer; start a consumer of the application"), "beltway sub q --group g");
  group.paused_for = std::chrono::minutes(5);
  EXPECT_EQ(first_remedy("the group has been paused for 5 min"), "beltway group resume q g");
}

TEST(ToolParked, full_ring_says_that_max_parked_keeps_a_held_message_from_being_parked) {
  for (const std::uint64_t parked : {3U, 4U}) {
    const std::vector<watch::Cause> causes = watch::find_causes(full_ring(parked), 1);
    const watch::Cause* const cause = find(causes, "ring_full_by_consumer");
    ASSERT_NE(cause, nullptr);
    EXPECT_EQ(cause->text.find("max_parked") != std::string::npos, parked == 4) << cause->text;
  }
}

TEST(ToolParked, figures_are_in_the_json) {
  const Json state = to_json(full_ring(2))["state"];
  EXPECT_EQ(state["parked"], 2);
  EXPECT_EQ(state["max_parked"], 4);
  EXPECT_EQ(state["groups"][0]["parked"], 2);
  EXPECT_EQ(state["groups"][0]["oldest_parked"], 7);
  EXPECT_EQ(state["groups"][0]["parked_holder"], 3);
}

}  // namespace
}  // namespace beltway::tool
