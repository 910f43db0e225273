// The request `list` with changed_since: a client that asks again and again hears of what has changed, and of nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "client/queries.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway::test {
namespace {

class ListChanges : public testing::Test {
 protected:
  /// What has changed since the call before.
  client::QueueChanges changes() {
    client::QueueChanges answer = client::list_changes(session_, revision_, Until());
    revision_ = answer.revision;
    return answer;
  }
  /// The names of the queues that have.
  std::vector<std::string> changed() {
    std::vector<std::string> names;
    for (const wire::Description& each : changes().queues) names.push_back(each.info.name);
    return names;
  }
  using Names = std::vector<std::string>;

  TestDaemon daemon_;
  Connection connection_ = connect(daemon_);
  client::Session session_{{.socket = daemon_.socket(), .start_daemon = false}};
  std::uint64_t revision_ = 0;
};

TEST_F(ListChanges, the_first_answer_is_complete_and_the_next_one_is_empty) {
  static_cast<void>(connection_.declare("a", k_small));
  const client::QueueChanges first = changes();
  EXPECT_TRUE(first.complete);
  EXPECT_EQ(first.queues.size(), 1U);
  EXPECT_NE(first.revision, 0U);
  const client::QueueChanges second = changes();
  EXPECT_FALSE(second.complete);
  EXPECT_TRUE(second.queues.empty());
  EXPECT_TRUE(second.removed.empty());
}

TEST_F(ListChanges, each_change_of_a_description_is_told_once) {
  const Queue queue = connection_.declare("a", k_small);
  static_cast<void>(connection_.declare("b", k_small));
  EXPECT_EQ(changed(), (Names{"a", "b"}));
  queue.add_group("g");
  EXPECT_EQ(changed(), Names{"a"});
  {
    const auto in = queue.consumer({.group = "g"});
    EXPECT_EQ(changed(), Names{"a"});
    EXPECT_EQ(changed(), Names{});
  }
  EXPECT_TRUE(eventually([&] { return changed() == Names{"a"}; })) << "the consumer is gone";
  queue.pause_group("g");
  EXPECT_EQ(changed(), Names{"a"});
  queue.resume_group("g");
  EXPECT_EQ(changed(), Names{"a"});
  static_cast<void>(connection_.declare("c", k_small));
  EXPECT_EQ(changed(), Names{"c"});
}

TEST_F(ListChanges, messages_change_no_description) {
  auto out = connection_.declare("a", k_small).producer();
  static_cast<void>(changes());
  out.publish("x");
  EXPECT_EQ(changed(), Names{});
}

TEST_F(ListChanges, a_removed_queue_is_told_by_its_id) {
  const Queue queue = connection_.declare("a", k_small);
  static_cast<void>(changes());
  connection_.remove("a");
  const client::QueueChanges after = changes();
  EXPECT_EQ(after.removed, std::vector<std::uint64_t>{queue.id()});
  EXPECT_TRUE(after.queues.empty());
  EXPECT_TRUE(changes().removed.empty());
}

TEST_F(ListChanges, a_dead_letter_queue_that_goes_changes_its_sources) {
  QueueOptions failed = k_small;
  failed.groups = {"all"};
  static_cast<void>(connection_.declare("failed", failed));
  QueueOptions options = k_small;
  options.dead_letter = "failed";
  options.lane_bytes = 0;
  options.slot_bytes = 64;
  static_cast<void>(connection_.declare("a", options));
  static_cast<void>(changes());
  connection_.remove("failed", {.force = true});
  EXPECT_EQ(changed(), Names{"a"});
}

TEST_F(ListChanges, more_removals_than_are_remembered_make_the_answer_complete) {
  static_cast<void>(connection_.declare("a", k_small));
  static_cast<void>(changes());
  for (int i = 0; i < 1100; ++i) {
    static_cast<void>(connection_.declare("brief", k_small));
    connection_.remove("brief");
  }
  const client::QueueChanges after = changes();
  EXPECT_TRUE(after.complete);
  EXPECT_EQ(after.queues.size(), 1U);
}

TEST_F(ListChanges, a_revision_of_the_future_makes_the_answer_complete) {
  static_cast<void>(connection_.declare("a", k_small));
  EXPECT_TRUE(client::list_changes(session_, ~std::uint64_t{0}, Until()).complete);
}

TEST(ListChangesOfAnother, a_daemon_started_anew_sends_all) {
  SupervisedDaemon daemon;
  const Connection connection = daemon.connect();
  static_cast<void>(connection.declare("a", k_small));
  client::Session session({.socket = daemon.socket(), .start_daemon = false});
  const std::uint64_t revision = client::list_changes(session, 0, Until()).revision;
  const int before = daemon.pid();
  daemon.kill_daemon();
  daemon.wait_for_another(before);
  const client::QueueChanges after = client::list_changes(session, revision, Until());
  EXPECT_TRUE(after.complete);
  EXPECT_EQ(after.queues.size(), 1U);
  EXPECT_GT(after.revision, revision);
}

}  // namespace
}  // namespace beltway::test
