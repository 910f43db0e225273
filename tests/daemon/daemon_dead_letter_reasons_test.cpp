// The whole way of a message that is given up since its lease was over, or since it expired, through a real daemon.
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class DaemonDeadLetterReasons : public ToolTest {
 protected:
  /// Queue "q", whose group "g" gives messages up to the queue "dead".
  Queue declare(GroupOptions own, const QueueOptions& more = k_small) {
    const Connection link = connect(daemon_);
    static_cast<void>(
        link.declare("dead", {.slots = 16, .slot_bytes = 1024, .lane_bytes = 16384, .groups = {"readers"}}));
    own.dead_letter = "dead";
    QueueOptions options = more;
    options.max_consumers = 4;
    options.groups = {NamedGroup("g", own)};
    return link.declare("q", options);
  }
  /// What the only message of the dead letter queue says of its end.
  json told() {
    const json peeked = tool_json({"peek", "dead"})["messages"];
    return peeked.size() == 1 ? peeked[0]["properties"]["dead_letter"] : peeked;
  }
};

TEST_F(DaemonDeadLetterReasons, message_that_a_worker_holds_for_too_long_says_that_its_lease_was_over) {
  const Queue queue = declare({.max_deliveries = 2, .lease_timeout = 50ms});
  auto out = queue.producer();
  auto first = queue.consumer({.group = "g"});
  auto second = queue.consumer({.group = "g"});
  auto third = queue.consumer({.group = "g"});
  out.publish("before");
  EXPECT_EQ(queue.purge("g").purged, 1U) << "a consumer that is slow would lose its lease";
  out.publish("job");
  Result<Message> held = first.receive(20s);
  ASSERT_TRUE(held);
  Result<Message> again = second.receive(20s);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_TRUE(eventually([&] {
    EXPECT_FALSE(third.receive(20ms)) << "it is not delivered again";
    return group_of(queue).dead_lettered == 1;
  }));
  const json said = told();
  EXPECT_EQ(said["reason"], "lease_over");
  EXPECT_EQ(said["queue"], "q");
  EXPECT_EQ(said["group"], "g");
  EXPECT_EQ(said["position"], 1);
  EXPECT_EQ(said["deliveries"], 2);
  EXPECT_EQ(group_of(queue).timed_out, 2U);
  EXPECT_FALSE(held->ack());
  EXPECT_FALSE(again->ack());
}

TEST_F(DaemonDeadLetterReasons, message_that_is_older_than_the_ttl_of_its_queue_says_that_it_expired) {
  QueueOptions options = k_small;
  options.ttl = 30ms;
  const Queue queue = declare({}, options);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  out.publish("old");
  ASSERT_TRUE(eventually([&] {
    const auto seen = queue.peek(1);
    return !seen.empty() && seen[0].age.value_or(0us) > 100ms;
  }));
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  const json said = told();
  EXPECT_EQ(said["reason"], "expired");
  EXPECT_EQ(said["queue"], "q");
  EXPECT_EQ(said["group"], "g");
  EXPECT_EQ(said["position"], 0);
  EXPECT_EQ(said["deliveries"], 0);
  EXPECT_EQ(group_of(queue).expired, 1U);
  EXPECT_EQ(group_of(queue).dead_lettered, 1U);
}

}  // namespace
}  // namespace beltway::test
