// Competing consumers of a named group, over plain memory: leases, acks, nacks, prefetch, death, purge and removal.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/groups.hpp"
#include "ring/readers/named_reader.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

QueueOptions with_group(std::uint32_t slots, std::uint32_t producers = 4) {
  return {.slots = slots, .max_producers = producers, .groups = {"g"}};
}

TEST(NamedGroup, a_named_group_keeps_messages_for_consumers_that_come_later) {
  LocalQueue queue(with_group(8));
  Producer out = queue.producer();
  out.publish("kept");
  Consumer in = queue.consumer({.group = "g"});
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "kept");
  EXPECT_TRUE(message->ack());
  EXPECT_FALSE(message->ack()) << "ended already";
  EXPECT_FALSE(*message);
}

TEST(NamedGroup, each_message_goes_to_one_consumer) {
  LocalQueue queue(with_group(64));
  Producer out = queue.producer();
  Consumer a = queue.consumer({.group = "g"});
  Consumer b = queue.consumer({.group = "g"});
  std::set<std::string> seen;
  for (int i = 0; i < 60; ++i) out.publish(std::to_string(i));
  for (int i = 0; i < 30; ++i) {
    for (Consumer* in : {&a, &b}) {
      Result<Message> message = in->try_receive();
      ASSERT_TRUE(message);
      EXPECT_TRUE(seen.insert(std::string(message->text())).second);
      message->ack();
    }
  }
  EXPECT_EQ(a.try_receive().status(), Status::empty);
}

TEST(NamedGroup, nack_brings_the_message_back_first_and_marked) {
  LocalQueue queue(with_group(8));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (int i = 0; i < 3; ++i) out.publish(std::to_string(i));
  Result<Message> zero = in.receive();
  Result<Message> one = in.receive();
  EXPECT_TRUE(zero->nack());
  Result<Message> again = in.receive();
  EXPECT_EQ(again->text(), "0");
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_EQ(in.receive()->text(), "2");
  EXPECT_EQ(in.counters().redelivered, 1U);
  again->ack();
  one->ack();
}

TEST(NamedGroup, a_dropped_message_goes_back_unless_ack_is_automatic) {
  LocalQueue queue(with_group(8));
  Producer out = queue.producer();
  out.publish("m");
  Consumer in = queue.consumer({.group = "g"});
  EXPECT_EQ(in.receive()->deliveries(), 1U);
  EXPECT_EQ(in.receive()->deliveries(), 2U) << "dropped without ack";
  Consumer automatic = queue.consumer({.group = "g", .ack = Ack::automatic});
  EXPECT_EQ(automatic.receive()->deliveries(), 3U);
  EXPECT_EQ(automatic.try_receive().status(), Status::empty);
}

TEST(NamedGroup, the_tries_of_a_message_stay_at_their_maximum) {
  LocalQueue queue(with_group(2));
  Producer out = queue.producer();
  out.publish("m");
  Consumer in = queue.consumer({.group = "g"});
  for (unsigned i = 0; i < 300; ++i) EXPECT_EQ(in.receive()->deliveries(), std::min(i, k_max_tries) + 1);
}

TEST(NamedGroup, acks_may_come_in_any_order_and_free_the_ring_from_the_floor) {
  for (const std::uint32_t producers : {1U, 4U}) {
    QueueOptions options = with_group(4, producers);
    options.max_parked = 0;  // what is held holds the ring
    LocalQueue queue(options);
    Producer out = queue.producer();
    Consumer in = queue.consumer({.group = "g"});
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 4; ++i) ASSERT_EQ(out.try_publish(std::to_string(i)), Status::ok);
      std::array<Message, 4> held;
      ASSERT_EQ(in.receive_batch(held).value_or(0), 4U);
      held[2].ack();
      held[1].ack();
      EXPECT_EQ(out.try_publish("x"), Status::full);
      held[0].ack();
      for (int i = 0; i < 3; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok) << i;
      EXPECT_EQ(out.try_publish("x"), Status::full);
      held[3].ack();
      for (int i = 0; i < 3; ++i) in.receive()->ack();
    }
  }
}

TEST(NamedGroup, prefetch_limits_what_one_consumer_holds) {
  LocalQueue queue(with_group(16));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .prefetch = 2});
  for (int i = 0; i < 5; ++i) out.publish(std::to_string(i));
  std::array<Message, 5> held;
  EXPECT_EQ(in.try_receive_batch(held).value_or(0), 2U);
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit);
  EXPECT_EQ(in.receive(1ms).status(), Status::prefetch_limit);
  std::thread other([&] {
    std::this_thread::sleep_for(5ms);
    held[1].ack();
  });
  Result<Message> next = in.receive();
  other.join();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->text(), "2");
  next->ack();
  held[0].ack();
}

// Each message is handed to another thread, which ends it while the consumer goes to sleep for it: no end may be missed.
TEST(NamedGroup, a_consumer_that_sleeps_at_its_prefetch_limit_is_woken_by_every_end) {
  constexpr std::uint64_t k_messages = 5000;
  LocalQueue queue(with_group(16));
  Consumer in = queue.consumer({.group = "g", .prefetch = 1, .wait = WaitStrategy::sleep});
  std::jthread sender([out = queue.producer()]() mutable {
    for (std::uint64_t i = 0; i < k_messages; ++i) out.publish("x");
  });
  std::atomic<Message*> handed = nullptr;
  std::jthread other([&] {
    for (std::uint64_t i = 0; i < k_messages; ++i) {
      handed.wait(nullptr);
      Message message = std::move(*handed.load());
      handed.store(nullptr);
      if (i % 3 == 0) std::this_thread::yield();
      EXPECT_TRUE(message.ack());
    }
  });
  for (std::uint64_t i = 0; i < k_messages; ++i) {
    Result<Message> received = in.receive();
    ASSERT_TRUE(received) << to_string(received.status());
    handed.store(&*received);
    handed.notify_one();
    while (handed.load() != nullptr) std::this_thread::yield();
  }
  other.join();
  EXPECT_EQ(in.counters().acks, k_messages);
  EXPECT_EQ(in.counters().rescued, 0U);
}

TEST(NamedGroup, a_consumer_may_go_while_it_waits_for_credit) {
  LocalQueue queue(with_group(8));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .prefetch = 1});
  EXPECT_GE(in.poll_fd(), 0);
  out.publish("x");
  Result<Message> held = in.try_receive();
  ASSERT_TRUE(held);
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit) << "from now on it wants to know of the end";
  {
    const Consumer gone = std::move(in);
  }
  EXPECT_TRUE(held->ack())
      << "and nobody is there to be told; a core that is not deleted is a leak for AddressSanitizer";
}

// `next` is moved with every eighth message only: others walk over what is held, and find what is not.
TEST(NamedGroup, messages_that_one_consumer_took_one_by_one_are_skipped_by_others) {
  LocalQueue queue(with_group(32));
  Producer out = queue.producer();
  Consumer one = queue.consumer({.group = "g"});
  Consumer two = queue.consumer({.group = "g"});
  for (int i = 0; i < 20; ++i) out.publish(std::to_string(i));
  std::vector<Message> held;
  const auto take = [&](Consumer& from, int times) {
    for (int i = 0; i < times; ++i) {
      Result<Message> message = from.try_receive();
      ASSERT_TRUE(message);
      EXPECT_EQ(message->text(), std::to_string(held.size()));
      EXPECT_EQ(message->deliveries(), 1U);
      held.push_back(std::move(*message));
    }
  };
  take(one, 3);
  take(two, 2);
  take(one, 9);  // over what `two` holds, and past the eighth
  take(two, 1);
  take(one, 4);
  held[1].nack();
  Result<Message> again = two.try_receive();
  ASSERT_TRUE(again) << "given back before what `two` would look at next";
  EXPECT_EQ(again->text(), "1");
  EXPECT_EQ(again->deliveries(), 2U);
}

TEST(NamedGroup, a_batch_takes_the_free_messages_between_those_that_others_hold_and_have_ended) {
  // Two leases side by side are taken in one swap where both are free: every pattern of two, at even and odd places.
  constexpr unsigned k_messages = 60;
  QueueOptions options = with_group(64, 1);
  options.max_parked = 0;  // a parked message that is given back is found by another way
  LocalQueue queue(options);
  Producer out = queue.producer();
  Consumer others = queue.consumer({.group = "g"});
  Consumer in = queue.consumer({.group = "g"});
  for (unsigned lap = 0; lap < 5; ++lap) {
    for (unsigned i = 0; i < k_messages; ++i) out.publish(std::to_string(i));
    std::vector<Message> kept;
    std::vector<Message> back;
    std::vector<std::string> expected;
    for (unsigned i = 0; i < k_messages; ++i) {
      Result<Message> message = others.try_receive();
      ASSERT_TRUE(message);
      const unsigned what = i * (i + lap) / 3 % 3;
      if (what == 0) message->ack();
      if (what == 1) kept.push_back(std::move(*message));
      if (what != 2) continue;
      expected.emplace_back(message->text());
      back.push_back(std::move(*message));
    }
    for (Message& message : back) EXPECT_TRUE(message.nack());  // now: `others` would get it at once again
    for (unsigned i = 0; i < 3; ++i) out.publish("new");
    expected.insert(expected.end(), 3, "new");
    std::array<Message, k_messages> taken;
    const Result<std::size_t> batch = in.try_receive_batch(taken);
    ASSERT_EQ(batch.value_or(0), expected.size());
    for (std::size_t i = 0; i < batch.value_or(0); ++i) {
      EXPECT_EQ(taken[i].text(), expected[i]);
      EXPECT_EQ(taken[i].deliveries(), expected[i] == "new" ? 1U : 2U);
      EXPECT_TRUE(taken[i].ack());
    }
    for (Message& message : kept) EXPECT_TRUE(message.ack());
    EXPECT_EQ(in.try_receive().status(), Status::empty);
  }
}

TEST(NamedGroup, a_corrupt_message_is_ended_and_its_neighbours_are_delivered) {
  LocalQueue queue(with_group(8, 1));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (unsigned lap = 0; lap < 8; ++lap) {
    const std::uint64_t first = out.publish("0");
    for (const char* text : {"1", "2", "3"}) out.publish(text);
    const std::uint64_t bad = first + lap % 4;
    queue.memory().slot(bad).meta.store_relaxed(SlotMeta{1U << 30, 0}.word());
    std::array<Message, 4> taken;
    ASSERT_EQ(in.try_receive_batch(taken).value_or(0), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(taken[i].position(), first + i + (first + i < bad ? 0 : 1));
      EXPECT_TRUE(taken[i].ack());
    }
    EXPECT_EQ(in.counters().corrupt, lap + 1);
    EXPECT_EQ(in.try_receive().status(), Status::empty);
  }
}

TEST(NamedGroup, messages_of_a_dead_consumer_are_delivered_again_and_marked) {
  LocalQueue queue(with_group(8));
  Producer out = queue.producer();
  for (int i = 0; i < 4; ++i) out.publish(std::to_string(i));
  Attachment dead = queue.attach_consumer({.group = "g"});
  NamedReader reader(dead.memory, dead.group, dead.group_incarnation, dead.owner, false);
  SlotView views[3];
  std::size_t leased = 0;
  std::uint64_t corrupt = 0;
  ASSERT_EQ(reader.lease(views, 3, leased, corrupt), ReadResult::message);
  ASSERT_EQ(leased, 3U);
  ASSERT_TRUE(reader.ack(views[1].position, views[1].tries));
  queue.detach(dead.owner);
  Consumer in = queue.consumer({.group = "g"});
  for (const auto& [text, tries] : {std::pair{"0", 1U}, {"2", 1U}, {"3", 0U}}) {
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), text);
    EXPECT_EQ(message->deliveries(), tries + 1);
    message->ack();
  }
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_FALSE(reader.ack(views[0].position, views[0].tries)) << "the dead one's lease is over";
}

TEST(NamedGroup, a_purge_takes_messages_that_no_consumer_holds) {
  QueueOptions options = with_group(4);
  options.max_parked = 0;  // what is held holds the ring
  LocalQueue queue(options);
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (int i = 0; i < 4; ++i) out.publish(std::to_string(i));
  Result<Message> held = in.receive();
  const Purged purged = purge(queue.memory(), queue.group("g"));
  EXPECT_EQ(purged.messages, 3U);
  EXPECT_EQ(purged.held[k_first_consumer].messages, 1U);
  EXPECT_EQ(purged.held[k_first_consumer].oldest, held->position());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(out.try_publish("x"), Status::full) << "the held one holds the floor";
  EXPECT_TRUE(held->ack());
  EXPECT_EQ(out.try_publish("x"), Status::ok);
  EXPECT_EQ(in.receive()->text(), "x");
}

TEST(NamedGroup, removal_ends_its_consumers_and_lets_producers_go_on) {
  LocalQueue queue(with_group(4));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (int i = 0; i < 4; ++i) out.publish(std::to_string(i));
  Result<Message> held = in.receive();
  EXPECT_FALSE(leave(queue.memory(), queue.group("g"))) << "a lease is left";
  EXPECT_EQ(in.try_receive().status(), Status::removed);
  EXPECT_EQ(out.try_publish("x"), Status::full);
  held->ack();
  EXPECT_EQ(out.try_publish("x"), Status::ok);
  free_group(queue.memory(), queue.group("g"));
  join(queue.memory(), queue.group("g"), GroupKind::named, Start::latest);
  EXPECT_EQ(in.try_receive().status(), Status::removed) << "another group in the same place is not ours";
}

TEST(NamedGroup, every_group_sees_one_total_order) {
  LocalQueue queue({.slots = 16, .groups = {"g", "h"}});
  Producer a = queue.producer();
  Producer b = queue.producer();
  Consumer g = queue.consumer({.group = "g"});
  Consumer h = queue.consumer({.group = "h"});
  Consumer priv = queue.consumer();
  for (int i = 0; i < 100; ++i) {
    (i % 3 == 0 ? a : b).publish(std::to_string(i));
    for (Consumer* in : {&g, &h, &priv}) {
      Result<Message> message = in->receive();
      EXPECT_EQ(message->text(), std::to_string(i));
      EXPECT_EQ(message->producer(), i % 3 == 0 ? a.index() : b.index());
      message->ack();
    }
  }
}

// Whoever is last deletes what both have used: the Consumer's end here, or the end of a message in another thread, of which
// there may be several. What is touched after that shows under a sanitizer.
TEST(NamedGroup, messages_end_in_other_threads_while_the_consumer_goes) {
  LocalQueue queue(with_group(8));
  Producer out = queue.producer();
  for (int turn = 0; turn < 300; ++turn) {
    Consumer in = queue.consumer({.group = "g"});
    out.publish("x");
    out.publish("y");
    Result<Message> first = in.receive();
    Result<Message> second = in.receive();
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    std::jthread one([message = std::move(*first)]() mutable { EXPECT_TRUE(message.ack()); });
    std::jthread other([message = std::move(*second)]() mutable { EXPECT_TRUE(message.ack()); });
    if (turn % 3 == 0) one.join();
    if (turn % 3 == 1) std::this_thread::yield();
    const Consumer last = std::move(in);
  }
}

TEST(NamedGroup, messages_that_no_user_has_seen_are_given_back_without_a_try) {
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  Producer out = queue.producer();
  const Attachment at = queue.attach_consumer({.group = "g"});
  for (const char* const each : {"a", "b", "c"}) out.publish(each);
  NamedReader reader(at.memory, at.group, at.group_incarnation, at.owner, false);
  SlotView views[3];
  std::size_t leased = 0;
  std::uint64_t corrupt = 0;
  ASSERT_EQ(reader.lease(views, 3, leased, corrupt), ReadResult::message);
  ASSERT_EQ(leased, 3U);
  reader.give_back(views, 3);  // as when the group is paused, or removed, at that moment
  Consumer in = queue.consumer({.group = "g"});
  for (const char* const each : {"a", "b", "c"}) {
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), each);
    EXPECT_EQ(message->deliveries(), 1U);
    message->ack();
  }
}

}  // namespace
}  // namespace beltway::test
