// What a snapshot shows of the causes of waiting. tool_causes_test has the same for living queues.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "watch/causes.hpp"

namespace beltway::test {
namespace {

/// A queue of 16 slots with one producer and a group, in this process.
QueueSnapshot some_snapshot() {
  QueueSnapshot snapshot;
  snapshot.info.name = "q";
  snapshot.info.options = {.slots = 16, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .groups = {"g"}};
  snapshot.position = 100;
  ProducerState producer;
  producer.endpoint = {.index = 1, .producer = true, .pid = ::getpid(), .group = {}};
  snapshot.producers.push_back(producer);
  snapshot.groups.push_back({.name = "g", .floor = 100, .consumers = {}});
  return snapshot;
}

TEST(ToolCause, a_sleep_that_no_group_explains_is_caused_by_the_producers_own_loans) {
  QueueSnapshot snapshot = some_snapshot();
  snapshot.producers[0].sleep = SleepState::asleep;
  snapshot.producers[0].waits_for = WaitsFor::own_loans;
  snapshot.producers[0].waits_since_ns = 1'000'000'000;
  const auto causes = watch::find_causes(snapshot, 3'000'000'000);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].kind, "own_loans");
  EXPECT_EQ(causes[0].for_ns, 2'000'000'000U);
  EXPECT_NE(causes[0].text.find("its own open loans"), std::string::npos) << causes[0].text;
}

TEST(ToolCause, each_fault_of_the_memory_is_a_cause) {
  QueueSnapshot snapshot = some_snapshot();
  snapshot.broken = 3;
  snapshot.removed = true;
  snapshot.symmetric_fences = true;
  snapshot.producers[0].counters.rescued = 1;
  ConsumerState consumer;
  consumer.endpoint.pid = ::getpid();
  consumer.counters.corrupt = 2;
  snapshot.consumers.push_back(consumer);
  std::vector<std::string> kinds;
  for (const auto& cause : watch::find_causes(snapshot, 0)) {
    kinds.push_back(cause.kind);
    const bool says_what_to_do =
        !cause.remedies.empty() || cause.text.find("nothing need be done") != std::string::npos;
    EXPECT_TRUE(says_what_to_do) << cause.text;
  }
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"removed", "broken_words", "rescued", "corrupt_messages", "symmetric_fences"}));
}

TEST(ToolCause, the_cause_for_waiting_producers_names_the_one_that_has_waited_longest) {
  QueueSnapshot snapshot = some_snapshot();
  snapshot.used = 13;  // room, but less than the quarter that sleepers wait for
  snapshot.groups[0].floor = 87;
  snapshot.groups[0].depth = 13;
  for (unsigned i = 0; i < 2; ++i) {
    ProducerState producer = snapshot.producers[0];
    producer.endpoint.index = i;
    producer.sleep = SleepState::asleep;
    producer.waits_for = WaitsFor::ring;
    producer.waits_past = 87;
    producer.waits_since_ns = 5'000'000'000 - i * 1'000'000'000;
    snapshot.producers.push_back(producer);
  }
  snapshot.producers.erase(snapshot.producers.begin());
  const auto causes = watch::find_causes(snapshot, 6'000'000'000);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].for_ns, 2'000'000'000U);
  EXPECT_TRUE(causes[0].text.starts_with("producers wait for room in the ring, and producer 1 ")) << causes[0].text;
  EXPECT_NE(causes[0].text.find("has waited for 2 s, 1 more with it"), std::string::npos) << causes[0].text;
}

}  // namespace
}  // namespace beltway::test
