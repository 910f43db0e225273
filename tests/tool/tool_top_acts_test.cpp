// The acts of `beltway top`, done to living queues: what they do, what they leave alone, and what another user is refused.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/error_of.hpp"
#include "tool/commands/top_acts.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::test {
namespace {

using tool::Act;

class TopActs : public testing::Test {
 protected:
  TopActs() : connection_(Connection::open({.socket = daemon_.socket().string(), .start_daemon = false})) {
    queue_.emplace(connection_.declare(
        "orders", {.slots = 16, .groups = {{"billing"}}, .mode = 0666, .evict_after = std::chrono::hours(1)}));
  }

  Act act(Act::Kind kind) const {
    return {.kind = kind, .queue = "orders", .queue_id = queue_->id(), .group = "billing", .to = "oldest"};
  }
  std::string perform(const Act& what) const { return tool::perform_act(connection_, what, {}); }
  GroupState group() const { return queue_->snapshot().groups.at(0); }
  void publish(int count) const {
    Producer producer = queue_->producer();
    for (int i = 0; i < count; ++i) producer.publish("x");
  }

  TestDaemon daemon_;
  Connection connection_;
  std::optional<Queue> queue_;
};

TEST_F(TopActs, group_is_paused_resumed_reset_and_purged) {
  publish(3);
  EXPECT_TRUE(perform(act(Act::Kind::pause)).starts_with("group billing is paused"));
  EXPECT_TRUE(group().paused_for);
  EXPECT_EQ(perform(act(Act::Kind::resume)), "group billing goes on");
  EXPECT_FALSE(group().paused_for);
  EXPECT_EQ(perform(act(Act::Kind::purge)), "purged 3 messages of group billing");
  EXPECT_EQ(group().available, 0U);
  EXPECT_NE(perform(act(Act::Kind::reset)).find("3 to be delivered again"), std::string::npos);
  EXPECT_EQ(group().available, 3U);
  Act later = act(Act::Kind::reset);
  later.to = "2";
  EXPECT_NE(perform(later).find("begins at position 2"), std::string::npos);
  later.to = "soon";
  EXPECT_THROW(perform(later), tool::Failure);
}

TEST_F(TopActs, dead_letters_go_back_to_their_queue) {
  const Queue failed = connection_.declare("failed", {.slots = 16, .lane_bytes = 4 << 20, .groups = {{"hands"}}});
  const Queue jobs = connection_.declare("jobs", {.slots = 16, .groups = {{"workers"}}, .dead_letter = "failed"});
  Producer producer = jobs.producer();
  producer.publish("job");
  {
    Consumer consumer = jobs.consumer({.group = "workers"});
    auto message = consumer.receive();
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->reject());
  }
  ASSERT_EQ(failed.snapshot().groups.at(0).available, 1U);
  EXPECT_EQ(perform({.kind = Act::Kind::requeue, .queue = "failed", .queue_id = failed.id(), .group = "hands"}),
            "requeued 1 message");
  EXPECT_EQ(jobs.snapshot().groups.at(0).available, 1U);
}

TEST_F(TopActs, consumer_is_evicted_only_if_it_is_still_the_one_that_was_seen) {
  const Consumer consumer = queue_->consumer({.group = "billing"});
  Act evict = act(Act::Kind::evict);
  evict.consumer = queue_->describe().endpoints.at(0).index;
  evict.pid = 1;  // another process had the place
  EXPECT_THROW(perform(evict), tool::Failure);
  EXPECT_FALSE(queue_->describe().endpoints.at(0).evicted);
  evict.pid = ::getpid();
  EXPECT_NE(perform(evict).find("is evicted"), std::string::npos);
  EXPECT_TRUE(queue_->describe().endpoints.at(0).evicted);
}

TEST_F(TopActs, one_message_is_acknowledged_and_another_one_moved) {
  const Queue aside = connection_.declare("aside", {.slots = 16});
  publish(3);
  Act ack = act(Act::Kind::ack);
  ack.position = 1;
  EXPECT_EQ(perform(ack), "acknowledged the message at position 1 for group billing");
  Act move = act(Act::Kind::move);
  move.to = "aside";
  move.position = 2;
  EXPECT_EQ(perform(move), "moved the message at position 2 to aside");
  EXPECT_EQ(group().available, 1U);
  EXPECT_EQ(aside.peek(10).size(), 1U);
  EXPECT_EQ(error_of([&] { (void)perform(move); }).reason(), Errc::not_found) << "it is not there any more";
  move.position = 0;
  move.to = "orders";
  EXPECT_THROW(perform(move), tool::Failure);
  move.to = "none";
  EXPECT_EQ(error_of([&] { (void)perform(move); }).reason(), Errc::not_found);
}

TEST_F(TopActs, message_that_a_consumer_holds_is_left_and_the_consumer_named) {
  publish(1);
  Consumer consumer = queue_->consumer({.group = "billing"});
  auto message = consumer.receive();
  ASSERT_TRUE(message);
  const Error refusal = error_of([&] { (void)perform(act(Act::Kind::ack)); });
  EXPECT_EQ(refusal.reason(), Errc::misuse);
  EXPECT_NE(std::string(refusal.what()).find("consumer 0"), std::string::npos) << refusal.what();
}

TEST_F(TopActs, queue_that_was_made_anew_is_left_alone) {
  const Act remove = act(Act::Kind::remove);
  connection_.remove("orders");
  const Queue anew = connection_.declare("orders", {.groups = {{"billing"}}});
  EXPECT_THROW(perform(remove), tool::Failure);
  EXPECT_EQ(anew.describe().name, "orders");
  Act right = remove;
  right.queue_id = anew.id();
  EXPECT_EQ(perform(right), "queue orders is removed");
  EXPECT_EQ(error_of([&] { (void)connection_.describe("orders"); }).reason(), Errc::not_found);
}

TEST_F(TopActs, another_user_is_refused_and_told_why) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may start a process as another user";
  publish(2);
  ::chmod(daemon_.dir().path().c_str(), 0755);
  const auto as_nobody = [&](Act::Kind kind) {
    return Child::fork([&] {
             if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             const auto link = Connection::open({.socket = daemon_.socket().filename(), .start_daemon = false});
             const auto try_it = [&] { (void)tool::perform_act(link, act(kind), {}); };
             return static_cast<int>(error_of(try_it).reason());
           })
        .wait()
        .code;
  };
  for (const Act::Kind kind :
       {Act::Kind::pause, Act::Kind::resume, Act::Kind::purge, Act::Kind::reset, Act::Kind::remove, Act::Kind::ack}) {
    EXPECT_EQ(as_nobody(kind), static_cast<int>(Errc::no_permission)) << static_cast<int>(kind);
  }
  EXPECT_EQ(group().available, 2U) << "nothing has changed";
}

}  // namespace
}  // namespace beltway::test
