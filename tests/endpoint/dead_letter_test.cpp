// Messages that a group gives up go to a dead letter queue, over plain memory.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "error_of.hpp"
#include "failing_group.hpp"
#include "local_dead_letters.hpp"
#include "ring/counters.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/redelivery.hpp"
#include "ring/tuning.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using ring::FailReason;
using ring::LeasePhase;
using ring::Redelivery;

constexpr Redelivery k_moves{
    .delay_ms = 0, .max_delay_ms = 0, .max_deliveries = 3, .discards = false, .dead_letters = true};

/// Group "g" whose failed messages are dead letters.
struct MovingGroup : FailingGroup {
  explicit MovingGroup(std::uint32_t slots = 64, Redelivery redelivery = k_moves) : FailingGroup(slots) {
    queue.set_redelivery("g", redelivery);
  }
  [[nodiscard]] Consumer consumer() { return consumer_with(queue, letters, {.group = "g"}); }
  [[nodiscard]] FailReason reason(std::uint64_t position) const {
    return ring::reason_of(queue.memory(), 0, lease(position), position);
  }

  std::shared_ptr<LocalDeadLetters> letters = std::make_shared<LocalDeadLetters>();
};

/// A pause after which what could not be moved is due for certain.
void wait_for_another_move() {
  std::this_thread::sleep_for(std::chrono::microseconds(ring::k_dead_letter_retry_us) + 20ms);
}

TEST(DeadLetters, a_rejected_message_is_moved_with_its_payload_its_properties_and_its_origin) {
  MovingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  Consumer dead = group.letters->consumer();
  const MessageHeader header{"tenant", "acme"};
  const PublishTime published(1234567ns);
  const auto before = std::chrono::system_clock::now();
  out.publish("first");
  out.publish(Bytes("bad"), {.key = "k", .headers = {&header, 1}, .publish_time = published});
  in.receive()->ack();
  EXPECT_TRUE(in.receive()->reject());
  Result<Message> letter = dead.try_receive();
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->text(), "bad");
  const PropertiesView properties = letter->properties();
  EXPECT_EQ(properties.key(), "k");
  EXPECT_EQ(properties.header("tenant"), "acme");
  EXPECT_EQ(properties.publish_time(), published);
  const DeadLetter* const said = properties.dead_letter();
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(to_string(said->reason), "rejected");
  EXPECT_EQ(said->queue, "local");
  EXPECT_EQ(said->group, "g");
  EXPECT_EQ(said->position, 1U);
  EXPECT_EQ(said->deliveries, 1U);
  EXPECT_EQ(said->first_time, said->last_time);
  EXPECT_GE(said->last_time, before);
  EXPECT_LE(said->last_time, std::chrono::system_clock::now());
  EXPECT_EQ(in.counters().dead_lettered, 1U);
  EXPECT_EQ(in.counters().discarded, 0U);
  EXPECT_EQ(in.counters().acks, 1U);
  EXPECT_EQ(in.counters().failed_moves, 0U);
  EXPECT_EQ(group.lease(1).phase, LeasePhase::done);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(DeadLetters, a_message_that_failed_max_deliveries_times_is_moved) {
  MovingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("bad");
  out.publish("good");
  in.receive()->nack();
  in.receive()->nack(0us);
  in.receive() = Status::empty;  // dropped: the third failure
  EXPECT_EQ(text_of(in.try_receive()), "good");
  Consumer dead = group.letters->queue.consumer({.group = "dead", .start = Start::oldest});
  Result<Message> letter = dead.try_receive();
  ASSERT_TRUE(letter);
  const PropertiesView properties = letter->properties();
  ASSERT_NE(properties.dead_letter(), nullptr);
  EXPECT_EQ(properties.dead_letter()->reason, DeadLetterReason::too_many_deliveries);
  EXPECT_EQ(properties.dead_letter()->deliveries, 3U);
}

TEST(DeadLetters, a_message_that_kills_its_consumers_is_moved_by_the_next_one) {
  MovingGroup group(4);
  Producer out = group.queue.producer();
  out.publish("deadly");
  for (unsigned deaths = 0; deaths < 3; ++deaths) {
    Attachment victim = group.queue.attach_consumer({.group = "g"});
    ring::NamedReader reader(victim.memory, victim.group, victim.group_incarnation, victim.owner, false);
    ring::SlotView view;
    std::size_t leased = 0;
    std::uint64_t corrupt = 0;
    ASSERT_EQ(reader.lease(&view, 1, leased, corrupt), ring::ReadResult::message) << deaths;
    group.queue.detach(victim.owner);
  }
  Consumer in = group.consumer();
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(in.counters().dead_lettered, 1U);
  EXPECT_EQ(in.counters().messages, 0U);
  Consumer dead = group.letters->consumer();
  Result<Message> letter = dead.try_receive();
  ASSERT_TRUE(letter);
  const PropertiesView properties = letter->properties();
  ASSERT_NE(properties.dead_letter(), nullptr);
  EXPECT_EQ(properties.dead_letter()->deliveries, 3U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok) << "its slot is free";
}

TEST(DeadLetters, a_message_that_cannot_be_moved_waits_is_not_delivered_and_is_moved_later_by_any_consumer) {
  for (const bool no_way : {false, true}) {
    MovingGroup group;
    Producer out = group.queue.producer();
    Consumer in = no_way ? group.queue.consumer({.group = "g"}) : group.consumer();
    group.letters->is_open = false;
    out.publish("bad");
    out.publish("good");
    EXPECT_TRUE(in.receive()->reject());
    EXPECT_EQ(group.lease(0).phase, LeasePhase::delayed);
    EXPECT_EQ(group.reason(0), FailReason::rejected);
    EXPECT_EQ(in.counters().failed_moves, 1U);
    EXPECT_EQ(in.counters().dead_lettered, 0U);
    EXPECT_EQ(in.counters().discarded, 0U);
    in.receive()->ack();
    wait_for_another_move();
    EXPECT_EQ(in.try_receive().status(), Status::empty) << "it is due, and failed again";
    EXPECT_EQ(in.counters().failed_moves, 2U);
    EXPECT_EQ(group.reason(0), FailReason::rejected);
    group.letters->is_open = true;
    Consumer other = group.consumer();
    EXPECT_EQ(other.receive(400ms).status(), Status::timeout) << "a sleeping consumer wakes, moves it and sleeps again";
    EXPECT_EQ(other.counters().dead_lettered, 1U);
    EXPECT_EQ(group.lease(0).phase, LeasePhase::done);
    Consumer dead = group.letters->consumer();
    Result<Message> letter = dead.try_receive();
    ASSERT_TRUE(letter);
    const PropertiesView properties = letter->properties();
    ASSERT_NE(properties.dead_letter(), nullptr);
    EXPECT_EQ(properties.dead_letter()->reason, DeadLetterReason::rejected);
    EXPECT_EQ(properties.dead_letter()->deliveries, 1U);
  }
}

TEST(DeadLetters, a_full_dead_letter_queue_blocks_no_thread_and_loses_no_message) {
  MovingGroup group(256);
  group.letters = std::make_shared<LocalDeadLetters>(QueueOptions{.slots = 4, .max_producers = 2, .groups = {"dead"}});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  Consumer dead = group.letters->consumer();
  constexpr unsigned k_messages = 40;
  for (unsigned i = 0; i < k_messages; ++i) out.publish(std::to_string(i));
  for (unsigned i = 0; i < k_messages; ++i) EXPECT_TRUE(in.receive()->reject());
  EXPECT_EQ(in.counters().dead_lettered, 4U);
  EXPECT_EQ(in.counters().failed_moves, k_messages - 4);
  EXPECT_LE(group.letters->attempts, k_messages);
  std::vector<bool> came(k_messages);
  for (const auto end = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < end;) {
    while (Result<Message> letter = dead.try_receive()) {
      const auto number = static_cast<std::size_t>(std::stoi(std::string(letter->text())));
      EXPECT_FALSE(came[number]) << number;
      came[number] = true;
    }
    if (in.counters().dead_lettered == k_messages && dead.counters().messages == k_messages) break;
    EXPECT_EQ(in.receive(50ms).status(), Status::timeout);
  }
  EXPECT_EQ(in.counters().dead_lettered, k_messages);
  EXPECT_EQ(dead.counters().messages, k_messages);
}

TEST(DeadLetters, a_message_that_waits_for_its_move_is_parked_and_holds_no_producer) {
  MovingGroup group(4);
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  group.letters->is_open = false;
  out.publish("bad");
  EXPECT_TRUE(in.receive()->reject());
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(out.publish_until("good", 5s), Status::ok);
    Result<Message> message = in.receive(5s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), "good");
    message->ack();
  }
  EXPECT_EQ(group.lease(0).phase, LeasePhase::parked_delayed);
  EXPECT_EQ(group.reason(0), FailReason::rejected);
  group.letters->is_open = true;
  EXPECT_EQ(in.receive(2500ms).status(), Status::timeout);
  EXPECT_EQ(in.counters().dead_lettered, 1U);
  EXPECT_EQ(text_of(group.letters->consumer().try_receive()), "bad");
}

TEST(DeadLetters, many_messages_to_move_do_not_hide_the_message_behind_them) {
  MovingGroup group(256, {0, 0, 1, false, true});
  group.letters =
      std::make_shared<LocalDeadLetters>(QueueOptions{.slots = 128, .max_producers = 2, .groups = {"dead"}});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  constexpr unsigned k_bad = 3 * ring::k_put_aside_batch + 1;
  group.queue.set_redelivery("g", {0, 0, 0, false, false});
  for (unsigned i = 0; i < k_bad; ++i) out.publish("bad");
  {
    std::array<Message, k_bad> held;
    ASSERT_EQ(*in.try_receive_batch(held), k_bad);
    for (Message& message : held) message.nack(0us);
  }
  out.publish("good");
  group.queue.set_redelivery("g", {0, 0, 1, false, true});
  Result<Message> good = in.try_receive();
  EXPECT_EQ(text_of(good), "good");
  EXPECT_EQ(in.counters().dead_lettered, k_bad);
}

TEST(DeadLetters, the_dead_letter_queue_wins_over_dropping) {
  MovingGroup group(64, {0, 0, 1, true, true});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("x");
  in.receive()->nack();
  EXPECT_EQ(in.counters().discarded, 0U);
  EXPECT_EQ(in.counters().dead_lettered, 1U);
}

TEST(DeadLetters, a_dead_letter_that_fails_again_keeps_its_first_time) {
  MovingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  const DeadLetter earlier{.reason = DeadLetterReason::expired,
                           .deliveries = 7,
                           .position = 99,
                           .first_time = PublishTime(1000ns),
                           .last_time = PublishTime(2000ns),
                           .queue = "origin",
                           .group = "workers"};
  out.publish(Bytes("x"), {.dead_letter = &earlier});
  {
    Result<Message> message = in.receive();
    const PropertiesView properties = message->properties();
    ASSERT_NE(properties.dead_letter(), nullptr);
    EXPECT_EQ(properties.dead_letter()->queue, "origin");
    EXPECT_EQ(properties.dead_letter()->position, 99U);
    EXPECT_EQ(properties.dead_letter()->deliveries, 7U);
    message->reject();
  }
  Consumer dead = group.letters->consumer();
  Result<Message> letter = dead.try_receive();
  ASSERT_TRUE(letter);
  const PropertiesView properties = letter->properties();
  ASSERT_NE(properties.dead_letter(), nullptr);
  EXPECT_EQ(properties.dead_letter()->first_time, PublishTime(1000ns));
  EXPECT_GT(properties.dead_letter()->last_time, PublishTime(2000ns));
  EXPECT_EQ(properties.dead_letter()->queue, "local");
}

TEST(DeadLetters, a_message_that_is_not_ours_any_more_is_not_moved) {
  MovingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("x");
  Result<Message> message = in.receive();
  // As the daemon takes the lease of a consumer away that it throws out.
  group.queue.memory().lease(0, 0).store_release(ring::Lease{0, 65, 1, LeasePhase::leased}.word());
  EXPECT_FALSE(message->reject());
  EXPECT_EQ(group.letters->attempts, 0U);
  EXPECT_EQ(in.counters().dead_lettered, 0U);

  // Taken away while it is copied: the claim in the dead letter queue is taken back.
  Attachment late = group.queue.attach_consumer({.group = "g"});
  ring::NamedReader reader(late.memory, late.group, late.group_incarnation, late.owner, true);
  out.publish("y");
  ring::SlotView view;
  std::size_t leased = 0;
  std::uint64_t corrupt = 0;
  ASSERT_EQ(reader.lease(&view, 1, leased, corrupt), ring::ReadResult::message);
  group.queue.memory()
      .lease(0, view.position)
      .store_release(ring::Lease{view.position, 65, 1, LeasePhase::leased}.word());
  Status status = Status::ok;
  EXPECT_EQ(endpoint::try_move(group.letters->out, view, {}, reader, status), endpoint::Move::not_ours);
  Consumer dead = group.letters->consumer();
  EXPECT_EQ(dead.try_receive().status(), Status::empty);
  EXPECT_EQ(group.letters->out.try_publish("z"), Status::ok);
  EXPECT_EQ(text_of(dead.try_receive()), "z");
}

TEST(DeadLetters, a_group_that_gives_up_no_longer_delivers_what_waits_for_its_move) {
  MovingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  group.letters->is_open = false;
  out.publish("x");
  EXPECT_TRUE(in.receive()->reject());
  group.queue.set_redelivery("g", {0, 0, 0, false, false});
  wait_for_another_move();
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->deliveries(), 2U);
}

TEST(DeadLetters, a_reason_that_makes_no_sense_counts_as_none) {
  for (unsigned reason = 0; reason < 8; ++reason) {
    MovingGroup group(64, {0, 0, 0, false, true});
    Producer out = group.queue.producer();
    Consumer in = group.consumer();
    out.publish("x");
    EXPECT_TRUE(in.receive()->nack(1us));
    ring::Word& time = group.queue.memory().lease_time(0, 0);
    ring::LeaseTime scribbled = ring::LeaseTime::of(time.load_acquire());
    scribbled.reason = static_cast<FailReason>(reason);
    time.store_release(scribbled.word());
    std::this_thread::sleep_for(1ms);
    const bool is_known = reason >= 1 && reason <= 4;
    EXPECT_EQ(text_of(in.try_receive()), is_known ? "empty" : "x") << reason;
    EXPECT_EQ(in.counters().dead_lettered, is_known ? 1U : 0U) << reason;
  }
}

TEST(DeadLetters, moves_that_fail_are_tried_again_after_pauses_that_grow_up_to_a_second) {
  MovingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  group.letters->is_open = false;
  out.publish("x");
  EXPECT_TRUE(in.receive()->reject());
  EXPECT_EQ(in.receive(1500ms).status(), Status::timeout);
  // After 100, 300 and 700 ms; a fourth came after 1500 ms at the earliest.
  EXPECT_GE(group.letters->attempts, 3U);
  EXPECT_LE(group.letters->attempts, 5U);
}

TEST(DeadLetters, the_counts_of_a_consumer_that_is_gone_are_in_the_totals) {
  MovingGroup group;
  Producer out = group.queue.producer();
  std::optional<Consumer> in = group.consumer();
  out.publish("x");
  in->receive()->reject();
  in.reset();
  const auto totals = ring::load_counters<QueueTotals>(group.queue.memory().shared_status().totals);
  EXPECT_EQ(totals.dead_lettered, 1U);
}

}  // namespace
}  // namespace beltway::test
