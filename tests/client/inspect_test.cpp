// Looking into a queue without taking part, and what the owner does to its groups and types, through a real daemon.
#include <gtest/gtest.h>
#include <unistd.h>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway {
namespace {

using test::connect;
using test::error_of;
using test::k_small;
using test::TestDaemon;

TEST(Snapshot, a_snapshot_shows_endpoints_groups_leases_and_counters) {
  const TestDaemon daemon;
  QueueOptions options = k_small;
  options.groups = {"billing"};
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer();
  auto worker = queue.consumer({.group = "billing"});
  auto tap = queue.consumer({.lossy = true});
  for (int i = 0; i < 3; ++i) out.publish(std::to_string(i));
  Result<Message> leased = worker.try_receive();
  Result<Message> given_back = worker.try_receive();
  ASSERT_TRUE(leased && given_back);
  given_back->nack(std::chrono::microseconds(0));  // without a delay
  const QueueSnapshot now = queue.snapshot();
  EXPECT_EQ(now.position, 3U);
  EXPECT_EQ(now.used, 3U);
  EXPECT_FALSE(now.symmetric_fences);
  ASSERT_EQ(now.producers.size(), 1U);
  ASSERT_EQ(now.consumers.size(), 2U);
  ASSERT_EQ(now.groups.size(), 1U);
  EXPECT_EQ(now.groups[0].name, "billing");
  EXPECT_EQ(now.groups[0].depth, 3U);
  EXPECT_EQ(now.groups[0].leased, 1U);
  EXPECT_EQ(now.groups[0].retry, 1U);
  EXPECT_EQ(now.groups[0].consumers, (std::vector<unsigned>{0}));
  EXPECT_EQ(now.consumers[0].held, 1U);
  EXPECT_EQ(now.consumers[1].lag, 3U);
  EXPECT_TRUE(now.consumers[1].endpoint.lossy);
  EXPECT_EQ(now.producers[0].endpoint.pid, ::getpid());
}

TEST(Snapshot, a_snapshot_counts_slots_that_are_claimed_and_not_finished) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  for (const std::uint32_t producers : {1U, 2U}) {
    QueueOptions options = k_small;
    options.max_producers = producers;
    const Queue queue = link.declare("of_" + std::to_string(producers), options);
    auto out = queue.producer();
    const auto claimed = [&] { return queue.snapshot().producers.at(0).claimed; };
    EXPECT_EQ(claimed(), 0U);
    for (int lap = 0; lap < 3 * static_cast<int>(options.slots); ++lap) {
      // A single producer tells nobody its claim.
      out.publish(8, [&](std::span<std::byte>) { EXPECT_EQ(claimed(), producers == 1 ? 0U : 1U); });
      EXPECT_EQ(claimed(), 0U);
    }
  }
}

TEST(Peek, peek_copies_messages_and_takes_none) {
  const TestDaemon daemon;
  QueueOptions options = k_small;
  options.groups = {"billing"};
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing", .ack = Ack::automatic});
  out.publish("first");
  out.publish(std::string(1000, 'x'));
  out.publish("third");
  ASSERT_TRUE(in.try_receive());
  const std::vector<PeekedMessage> waiting = queue.peek(10, 100, "billing");
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_EQ(waiting[0].position, 1U);
  EXPECT_EQ(waiting[0].size, 1000U);
  EXPECT_EQ(waiting[0].bytes, std::vector<std::byte>(100, std::byte{'x'}));
  EXPECT_EQ(queue.peek(10).size(), 3U) << "of the whole ring, whoever has had it";
  EXPECT_EQ(queue.peek(1).at(0).position, 0U);
  EXPECT_TRUE(queue.peek(0).empty());
  EXPECT_EQ(in.try_receive()->position(), 1U);
  EXPECT_EQ(error_of([&] { (void)queue.peek(1, 1, "none"); }).reason(), Errc::not_found);
}

TEST(Peek, peek_begins_at_any_position_that_the_group_needs) {
  const TestDaemon daemon;
  QueueOptions options = k_small;
  options.groups = {"billing"};
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing", .ack = Ack::automatic});
  const auto published = 2 * std::uint64_t{options.slots};
  for (std::uint64_t i = 0; i < published; ++i) {
    out.publish(std::to_string(i));
    if (i <= options.slots) {
      ASSERT_TRUE(in.try_receive());
    }
  }
  const auto first_of = [&](std::uint64_t from, const std::string& group) {
    const std::vector<PeekedMessage> found = queue.peek({.count = 1, .group = group, .from = from});
    return found.empty() ? std::optional<std::uint64_t>() : found[0].position;
  };
  const std::uint64_t floor = options.slots + 1;
  EXPECT_EQ(first_of(floor + 2, "billing"), floor + 2);
  EXPECT_EQ(first_of(0, "billing"), floor) << "a position before the floor means the floor";
  EXPECT_EQ(first_of(published - 1, "billing"), published - 1);
  EXPECT_EQ(first_of(published, "billing"), std::nullopt) << "no message has this position yet";
  EXPECT_EQ(first_of(~std::uint64_t{0}, "billing"), std::nullopt) << "no message ever has this position";
  EXPECT_EQ(first_of(0, ""), options.slots) << "of the whole ring: the oldest that is still there";
  EXPECT_EQ(first_of(floor, ""), floor);
  EXPECT_EQ(queue.peek({.group = "billing", .from = published - 3}).size(), 3U);
  EXPECT_EQ(queue.peek({.group = "billing"}).at(0).position, floor) << "without a position: from the oldest on";
}

TEST(Groups, groups_are_made_emptied_and_removed_through_the_queue) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  auto out = queue.producer();
  out.publish("before");
  queue.add_group("all", Start::oldest);
  queue.add_group("new");
  queue.add_group("new");
  out.publish("after");
  EXPECT_EQ(queue.peek(10, 100, "all").size(), 2U);
  EXPECT_EQ(queue.peek(10, 100, "new").size(), 1U);
  EXPECT_EQ(queue.purge("all").purged, 2U);
  EXPECT_TRUE(queue.peek(10, 100, "all").empty());
  auto in = queue.consumer({.group = "new"});
  queue.remove_group("new");
  EXPECT_EQ(in.receive(std::chrono::seconds(20)).status(), Status::removed);
  EXPECT_EQ(queue.describe().options.groups, (std::vector<NamedGroup>{"all"}));
  EXPECT_EQ(error_of([&] { queue.remove_group("new"); }).reason(), Errc::not_found);
}

TEST(Purge, a_purge_returns_which_messages_are_left_and_which_consumers_hold_them) {
  const TestDaemon daemon;
  QueueOptions options = k_small;
  options.groups = {"workers", "audit"};
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer();
  auto first = queue.consumer({.group = "workers"});
  auto second = queue.consumer({.group = "workers"});
  for (std::uint32_t i = 0; i < options.slots; ++i) out.publish("x");
  Message one = std::move(*first.try_receive());
  Message two = std::move(*second.try_receive());
  Message three = std::move(*second.try_receive());
  const PurgeResult audit = queue.purge("audit");
  EXPECT_EQ(audit.purged, options.slots);
  EXPECT_EQ(audit.left, 0U);
  EXPECT_EQ(audit.used, options.slots) << "the other group holds them";
  EXPECT_TRUE(audit.holders.empty());
  const PurgeResult workers = queue.purge("workers");
  EXPECT_EQ(workers.purged, options.slots - 3);
  EXPECT_EQ(workers.left, 3U);
  EXPECT_EQ(workers.used, options.slots);
  ASSERT_EQ(workers.holders.size(), 2U);
  EXPECT_EQ(workers.holders[0].index, first.index());
  EXPECT_EQ(workers.holders[0].pid, ::getpid());
  EXPECT_EQ(workers.holders[0].messages, 1U);
  EXPECT_EQ(workers.holders[0].oldest, one.position());
  EXPECT_EQ(workers.holders[1].index, second.index());
  EXPECT_EQ(workers.holders[1].messages, 2U);
  EXPECT_EQ(workers.holders[1].oldest, two.position());
  EXPECT_FALSE(workers.holders[1].producer);
  for (Message* message : {&one, &two, &three}) message->ack();
  EXPECT_EQ(queue.purge("workers").used, 0U);
}

TEST(Purge, a_purge_names_a_producer_that_is_writing_the_oldest_message) {
  const TestDaemon daemon;
  QueueOptions options = k_small;
  options.groups = {"workers"};
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer();
  auto other = queue.producer();
  PurgeResult purged;
  out.publish(8, [&](std::span<std::byte>) {
    other.publish("behind it");
    purged = queue.purge("workers");
  });
  EXPECT_EQ(purged.purged, 1U);
  EXPECT_EQ(purged.left, 1U);
  ASSERT_EQ(purged.holders.size(), 1U);
  EXPECT_TRUE(purged.holders[0].producer);
  EXPECT_EQ(purged.holders[0].index, out.index());
  EXPECT_EQ(purged.holders[0].oldest, 0U);
}

}  // namespace
}  // namespace beltway
