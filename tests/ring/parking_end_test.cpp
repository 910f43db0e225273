// What ends the parking of a message, or looks at it: deaths, evictions, purges, removals, the end of a stream, sleepers, wrong
// words, and the figures that people see.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "client/inspect.hpp"
#include "local_queue.hpp"
#include "recovery/eviction.hpp"
#include "recovery/lane_recovery.hpp"
#include "ring/groups.hpp"
#include "ring/parking.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

QueueOptions with_group(std::uint32_t slots, std::uint32_t producers = 4) {
  return {.slots = slots, .slot_bytes = 64, .lane_bytes = 4096, .max_producers = producers, .groups = {"g"}};
}

/// A queue with one message that consumer `slow` holds and that is parked.
struct OneParked {
  explicit OneParked(const QueueOptions& options = with_group(4), std::size_t size = 6)
      : queue(options),
        out(queue.producer()),
        slow(queue.consumer({.group = "g"})),
        quick(queue.consumer({.group = "g"})) {
    text = std::string(size, 'h');
    out.publish(text);
    held = *slow.try_receive();
    go_round(3 * options.slots);
  }
  void go_round(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      ASSERT_EQ(out.try_publish(std::to_string(i)), Status::ok);
      Result<Message> message = quick.try_receive();
      ASSERT_TRUE(message);
      ASSERT_EQ(message->text(), std::to_string(i));
      message->ack();
    }
  }
  [[nodiscard]] Word& word() const { return queue.memory().lease(0, held.position()); }
  [[nodiscard]] LeasePhase phase() const { return Lease::of(word().load_acquire()).phase; }

  LocalQueue queue;
  Producer out;
  Consumer slow;
  Consumer quick;
  std::string text;
  Message held;
};

TEST(ParkedMessage, eviction_of_its_holder_gives_it_to_another_consumer) {
  OneParked one;
  recovery::revoke(one.queue.memory(), k_first_consumer + one.slow.index(), 1, 0);
  EXPECT_EQ(one.phase(), LeasePhase::parked_delayed);
  EXPECT_FALSE(one.held.ack());
  Result<Message> again = one.quick.try_receive();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), one.text);
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_TRUE(again->ack());
}

TEST(ParkedMessage, purge_counts_it_as_held_and_takes_it_once_it_is_given_back) {
  OneParked one;
  Purged purged = purge(one.queue.memory(), 0);
  EXPECT_EQ(purged.messages, 0U);
  EXPECT_EQ(purged.held[k_first_consumer + one.slow.index()].messages, 1U);
  EXPECT_EQ(purged.held[k_first_consumer + one.slow.index()].oldest, one.held.position());
  const Position position = one.held.position();
  EXPECT_TRUE(one.held.nack());
  purged = purge(one.queue.memory(), 0);
  EXPECT_EQ(purged.messages, 1U);
  EXPECT_EQ(Lease::of(one.queue.memory().lease(0, position).load_acquire()).phase, LeasePhase::done);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(count_parked(one.queue.memory()), 0U);
}

TEST(ParkedMessage, purge_up_to_a_position_leaves_parked_messages_behind_it) {
  OneParked one;
  EXPECT_TRUE(one.held.nack());
  EXPECT_EQ(purge(one.queue.memory(), 0, Position{0}).messages, 0U);
  EXPECT_EQ(purge(one.queue.memory(), 0, Position{1}).messages, 1U);
}

TEST(ParkedMessage, lease_of_the_daemon_is_not_parked) {
  LocalQueue queue(with_group(4));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (unsigned i = 0; i < 4; ++i) {
    out.publish("x");
    in.try_receive()->ack();
  }
  // As while the daemon sets the group back: the first message is its own.
  queue.memory().group(0).floor.store_relaxed(
      Floor{Floor::of(queue.memory().group(0).floor.load_relaxed()).incarnation, 0}.word());
  queue.memory().lease(0, 0).store_relaxed(Lease{0, k_no_owner, 0, LeasePhase::leased}.word());
  EXPECT_EQ(out.try_publish("x"), Status::full);
  EXPECT_EQ(count_parked(queue.memory()), 0U);
}

TEST(ParkedMessage, removed_group_is_drained_when_it_is_acknowledged) {
  OneParked one;
  EXPECT_FALSE(leave(one.queue.memory(), 0));
  EXPECT_EQ(one.out.try_publish("more"), Status::ok);
  EXPECT_EQ(one.held.text(), one.text);
  EXPECT_TRUE(one.held.ack());
  EXPECT_TRUE(try_drain(one.queue.memory(), 0));
}

TEST(ParkedMessage, removed_group_takes_along_what_is_given_back) {
  OneParked one;
  EXPECT_TRUE(one.held.nack());
  EXPECT_TRUE(leave(one.queue.memory(), 0));
  EXPECT_EQ(count_parked(one.queue.memory()), 0U);
}

TEST(ParkedMessage, end_of_the_stream_waits_for_it) {
  LocalQueue queue(with_group(4));
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  Message held;
  {
    Producer out = queue.producer();
    out.publish("held");
    held = *slow.try_receive();
    for (unsigned i = 0; i < 8; ++i) {
      ASSERT_EQ(out.try_publish("x"), Status::ok);
      quick.try_receive()->ack();
    }
    queue.detach(out.index());
  }
  EXPECT_EQ(quick.try_receive().status(), Status::empty) << "another consumer may give it back";
  EXPECT_TRUE(held.nack());
  EXPECT_EQ(quick.try_receive()->text(), "held");
  EXPECT_EQ(quick.try_receive()->deliveries(), 3U) << "it was dropped without an ack";
  Result<Message> last = quick.try_receive();
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->ack());
  EXPECT_EQ(quick.try_receive().status(), Status::end_of_stream);
}

TEST(ParkedMessage, producer_that_sleeps_since_max_parked_is_reached_is_woken_by_its_end) {
  QueueOptions options = with_group(4);
  options.max_parked = 1;
  OneParked one(options);
  // A second held message cannot be parked: the ring is full behind it.
  one.out.publish("held, too");
  Message second = *one.slow.try_receive();
  while (one.out.try_publish("x") == Status::ok) one.quick.try_receive()->ack();
  std::atomic<bool> published = false;
  std::thread producer([&] {
    one.out.publish("at last");
    published = true;
  });
  while (Wait::of(one.queue.memory().endpoint(one.out.index()).wait.load_acquire()).phase != WaitPhase::asleep)
    std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(published);
  EXPECT_TRUE(one.held.ack());
  producer.join();
  EXPECT_EQ(one.out.counters().rescued, 0U);
  EXPECT_EQ(second.text(), "held, too");
}

TEST(ParkedMessage, producer_that_sleeps_for_its_lane_is_woken_by_its_end) {
  OneParked one(with_group(16), 3000);
  std::atomic<bool> published = false;
  std::thread producer([&] {
    one.out.publish(std::string(2000, 'n'));
    published = true;
  });
  while (Wait::of(one.queue.memory().endpoint(one.out.index()).wait.load_acquire()).phase != WaitPhase::asleep)
    std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(published);
  EXPECT_EQ(one.held.text(), one.text);
  EXPECT_TRUE(one.held.ack());
  producer.join();
  EXPECT_EQ(one.out.counters().rescued, 0U);
  EXPECT_EQ(one.quick.try_receive()->text(), std::string(2000, 'n'));
}

TEST(ParkedMessage, producer_that_sleeps_for_its_lane_is_woken_when_a_parked_message_is_given_up) {
  OneParked one(with_group(16), 3000);
  one.queue.set_redelivery("g", {0, 0, 1, true});
  std::thread producer([&] { one.out.publish(std::string(2000, 'n')); });
  while (Wait::of(one.queue.memory().endpoint(one.out.index()).wait.load_acquire()).phase != WaitPhase::asleep)
    std::this_thread::sleep_for(1ms);
  // As the repair of its consumer does, but without waking all endpoints.
  ASSERT_TRUE(give_back_parked(one.queue.memory(), 0, one.word(), one.word().load_acquire()));
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty) << "its one delivery has failed";
  EXPECT_EQ(one.quick.counters().discarded, 1U);
  producer.join();
  EXPECT_EQ(one.out.counters().rescued, 0U);
  EXPECT_EQ(count_parked(one.queue.memory()), 0U);
}

TEST(ParkedMessage, lane_of_a_producer_that_is_gone_keeps_its_bytes) {
  OneParked one(with_group(4), 3000);
  one.queue.detach(one.out.index());
  const recovery::UnneededLane gone = recovery::find_unneeded_parts(one.queue.memory(), one.out.index(), 4096);
  EXPECT_FALSE(gone.whole);
  // The next producer at that place goes around the bytes.
  Producer heir = one.queue.producer();
  for (unsigned i = 0; i < 20; ++i) {
    ASSERT_EQ(heir.try_publish(std::string(700, 'n')), Status::ok);
    Result<Message> message = one.quick.try_receive();
    ASSERT_TRUE(message);
    ASSERT_EQ(message->text(), std::string(700, 'n'));
    message->ack();
  }
  EXPECT_EQ(one.held.text(), one.text);
  EXPECT_TRUE(one.held.ack());
  ASSERT_EQ(heir.try_publish(std::string(4000, 'n')), Status::ok);
}

TEST(ParkedMessage, healing_leaves_what_a_living_consumer_has_parked) {
  OneParked one;
  const std::uint64_t before = one.word().load_relaxed();
  const recovery::HealCounts counts = one.queue.heal();
  EXPECT_EQ(counts.released, 0U);
  EXPECT_FALSE(counts.disorder());
  EXPECT_EQ(one.word().load_relaxed(), before);
}

TEST(ParkedMessage, healing_gives_back_what_no_living_consumer_holds) {
  OneParked one;
  Lease lease = Lease::of(one.word().load_relaxed());
  lease.owner = k_first_consumer + 9;
  one.word().store_relaxed(lease.word());
  EXPECT_EQ(one.queue.heal().released, 1U);
  EXPECT_EQ(one.phase(), LeasePhase::parked_delayed);
  EXPECT_EQ(one.queue.heal().released, 0U);
  EXPECT_EQ(one.quick.try_receive()->text(), one.text);
}

TEST(ParkedMessage, healing_frees_a_slot_whose_parked_word_makes_no_sense) {
  for (const unsigned phase : {5U, 6U}) {
    OneParked one;
    Lease lease = Lease::of(one.word().load_relaxed());
    lease.position += 1;  // of another slot
    lease.phase = static_cast<LeasePhase>(phase);
    one.word().store_relaxed(lease.word());
    EXPECT_EQ(one.queue.heal().released, 1U);
    EXPECT_EQ(count_parked(one.queue.memory()), 0U);
    one.go_round(20);
  }
}

TEST(ParkedMessage, healing_brings_a_lost_due_time_back) {
  OneParked one;
  EXPECT_TRUE(one.held.nack());
  one.queue.memory().group(0).earliest_due.store_relaxed(0);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  one.queue.heal();
  EXPECT_EQ(one.quick.try_receive()->text(), one.text);
}

TEST(ParkedMessage, healing_marks_the_slots_of_parked_messages_again) {
  OneParked one;
  Word& marks = one.queue.memory().parked_slots(0);
  const std::uint32_t slots = ParkedSlots::of(marks.load_relaxed()).slots;
  // Without a version no producer looks at the marks.
  for (const ParkedSlots wrong : {ParkedSlots{7, 0}, ParkedSlots{0, slots}, ParkedSlots{0, 0}}) {
    marks.store_relaxed(wrong.word());
    EXPECT_TRUE(one.queue.heal().disorder());
    EXPECT_FALSE(one.queue.heal().disorder());
    one.go_round(20);
    EXPECT_EQ(one.held.text(), one.text);
  }
}

TEST(ParkedMessage, no_version_of_the_marks_is_0_again) {
  LocalQueue queue(with_group(4));
  Word& marks = queue.memory().parked_slots(0);
  marks.store_relaxed(ParkedSlots{~0U, 0}.word());
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  out.publish("a long job");
  const Result<Message> held = slow.try_receive();
  ASSERT_TRUE(held);
  for (unsigned i = 0; i < 20; ++i) {
    out.publish("short");
    quick.try_receive()->ack();
  }
  EXPECT_GT(ParkedSlots::of(marks.load_relaxed()).version, 0U);
  EXPECT_LT(ParkedSlots::of(marks.load_relaxed()).version, 20U);
  EXPECT_EQ(held->text(), "a long job");
}

TEST(ParkedMessage, message_whose_slot_was_overwritten_is_counted_as_corrupt) {
  OneParked one;
  const Position position = one.held.position();
  EXPECT_TRUE(one.held.nack());
  Word& state = one.queue.memory().slot(position).state;
  SlotState wrong = SlotState::of(state.load_relaxed());
  wrong.phase = SlotPhase::ready;
  state.store_relaxed(wrong.word());
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(one.quick.counters().corrupt, 1U);
  EXPECT_EQ(count_parked(one.queue.memory()), 0U);
}

TEST(ParkedMessage, figures_name_its_holder_and_its_bytes_can_be_peeked) {
  OneParked one;
  wire::Description description;
  description.info.options.groups = {"g"};
  description.info.endpoints = {{.index = one.slow.index(), .group = "g"}};
  description.group_indexes = {0};
  const QueueSnapshot snapshot = client::take_snapshot(one.queue.memory(), description);
  EXPECT_EQ(snapshot.parked, 1U);
  EXPECT_EQ(snapshot.max_parked, 2U);
  ASSERT_EQ(snapshot.groups.size(), 1U);
  const GroupState& group = snapshot.groups.front();
  EXPECT_EQ(group.parked, 1U);
  EXPECT_EQ(group.leased, 1U);
  EXPECT_EQ(group.oldest_parked, one.held.position());
  EXPECT_EQ(group.parked_holder, one.slow.index());
  ASSERT_EQ(snapshot.consumers.size(), 1U);
  EXPECT_EQ(snapshot.consumers.front().held, 1U);
  const std::vector<PeekedMessage> peeked = client::copy_messages(one.queue.memory(), 10, 100, 0U);
  ASSERT_EQ(peeked.size(), 1U);
  EXPECT_EQ(peeked.front().position, one.held.position());
  EXPECT_EQ(peeked.front().size, one.text.size());
}

}  // namespace

}  // namespace beltway::test
