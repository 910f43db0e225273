// What each phase of a lease word allows to each operation, and messages that are given up. Over plain memory.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "beltway/beltway.hpp"
#include "error_of.hpp"
#include "failing_group.hpp"
#include "ring/counters.hpp"
#include "ring/groups.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/tuning.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

enum class Phase : std::uint8_t { leased, done, retry, delayed, due };

/// A message in the given phase, and the consumer that had it.
struct InPhase {
  explicit InPhase(Phase phase) : in(group.consumer()), other(group.consumer()) {
    group.queue.set_redelivery("g", {0, 0, 0, true});
    Producer out = group.queue.producer();
    out.publish("x");
    Result<Message> message = in.receive();
    if (phase == Phase::leased) held = std::move(*message);
    if (phase == Phase::done) message->ack();
    if (phase == Phase::retry) message->nack();
    if (phase == Phase::delayed) message->nack(k_late);
    if (phase == Phase::due) message->nack(1us), std::this_thread::sleep_for(1ms);
  }
  [[nodiscard]] LeasePhase now() const { return group.lease(0).phase; }

  FailingGroup group;
  Consumer in;
  Consumer other;
  Message held;
};

TEST(LeasePhases, only_messages_that_are_given_back_and_due_are_delivered) {
  for (const auto& [phase, text] : {std::pair{Phase::leased, "empty"},
                                    {Phase::done, "empty"},
                                    {Phase::retry, "x"},
                                    {Phase::delayed, "empty"},
                                    {Phase::due, "x"}}) {
    InPhase one(phase);
    EXPECT_EQ(text_of(one.other.try_receive()), text) << static_cast<int>(phase);
  }
}

TEST(LeasePhases, only_a_lease_is_ended_by_its_holder) {
  for (const bool evicted : {false, true}) {
    for (int end = 0; end < 4; ++end) {
      InPhase one(Phase::leased);
      if (evicted) {
        Word& word = one.group.queue.memory().lease(0, 0);
        word.store_release(Lease{0, one.group.lease(0).owner, 1, LeasePhase::retry}.word());
      }
      const bool ours = end == 0   ? one.held.ack()
                        : end == 1 ? one.held.nack()
                        : end == 2 ? one.held.nack(k_late)
                                   : one.held.reject();
      EXPECT_EQ(ours, !evicted) << end;
      constexpr std::array k_phases{LeasePhase::done, LeasePhase::retry, LeasePhase::delayed, LeasePhase::done};
      EXPECT_EQ(one.now(), evicted ? LeasePhase::retry : k_phases.at(static_cast<std::size_t>(end)));
    }
  }
}

TEST(LeasePhases, a_purge_takes_all_but_leases) {
  for (const auto& [phase, purged] :
       {std::pair{Phase::leased, 0U}, {Phase::done, 0U}, {Phase::retry, 1U}, {Phase::delayed, 1U}, {Phase::due, 1U}}) {
    InPhase one(phase);
    EXPECT_EQ(purge(one.group.queue.memory(), 0).messages, purged) << static_cast<int>(phase);
    EXPECT_EQ(one.other.try_receive().status(), Status::empty);
  }
}

TEST(LeasePhases, a_removed_group_is_drained_by_all_but_leases) {
  for (const Phase phase : {Phase::leased, Phase::done, Phase::retry, Phase::delayed, Phase::due}) {
    InPhase one(phase);
    EXPECT_EQ(leave(one.group.queue.memory(), 0), phase != Phase::leased) << static_cast<int>(phase);
    EXPECT_EQ(one.other.try_receive().status(), Status::removed);
  }
}

TEST(LeasePhases, heal_leaves_each_phase_as_it_is) {
  for (const Phase phase : {Phase::leased, Phase::done, Phase::retry, Phase::delayed, Phase::due}) {
    InPhase one(phase);
    const LeasePhase before = one.now();
    EXPECT_FALSE(one.group.queue.heal().disorder());
    EXPECT_EQ(one.now(), before);
  }
}

TEST(LeasePhases, a_death_gives_only_leases_back_and_a_new_group_forgets_delayed_messages) {
  for (const auto& [phase, after] : {std::pair{Phase::leased, LeasePhase::retry},
                                     {Phase::done, LeasePhase::done},
                                     {Phase::retry, LeasePhase::retry},
                                     {Phase::delayed, LeasePhase::delayed}}) {
    InPhase one(phase);
    one.group.queue.detach(k_first_consumer);
    EXPECT_EQ(one.now(), after);
    leave(one.group.queue.memory(), 0);
    free_group(one.group.queue.memory(), 0);
    join(one.group.queue.memory(), 0, GroupKind::named, Start::latest);
    EXPECT_EQ(one.group.earliest().due_us, 0U);
  }
}

TEST(LeasePhases, a_lease_word_without_a_known_phase_is_healed) {
  InPhase one(Phase::delayed);
  one.group.queue.memory().lease(0, 0).store_release(Lease{0, 64, 1, static_cast<LeasePhase>(7)}.word());
  EXPECT_EQ(one.group.queue.heal().released, 1U);
  EXPECT_EQ(text_of(one.other.try_receive()), "x");
}

// -- messages that are given up -------------------------------------------------------------------------------------

TEST(Discard, a_message_that_failed_max_deliveries_times_is_dropped_and_counted) {
  FailingGroup group(4);
  group.queue.set_redelivery("g", {0, 0, 3, true});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("bad");
  out.publish("good");
  for (unsigned i = 1; i <= 3; ++i) {
    Result<Message> message = in.receive();
    EXPECT_EQ(message->text(), "bad");
    EXPECT_EQ(message->deliveries(), i);
    EXPECT_TRUE(i == 2 ? message->nack(0us) : message->nack());
  }
  EXPECT_EQ(text_of(in.try_receive()), "good");
  EXPECT_EQ(in.counters().discarded, 1U);
  EXPECT_EQ(in.counters().nacks, 4U) << "with the one that was dropped just now";
  EXPECT_EQ(group.lease(0).phase, LeasePhase::done);
}

TEST(Discard, a_message_that_kills_its_consumers_is_given_up) {
  for (const bool delayed : {false, true}) {
    FailingGroup group(4);
    group.queue.set_redelivery("g", {0, 0, 3, true});
    Producer out = group.queue.producer();
    out.publish("deadly");
    for (unsigned deaths = 0; deaths < 3; ++deaths) {
      Attachment victim = group.queue.attach_consumer({.group = "g"});
      NamedReader reader(victim.memory, victim.group, victim.group_incarnation, victim.owner, false);
      SlotView view;
      std::size_t leased = 0;
      std::uint64_t corrupt = 0;
      ASSERT_EQ(reader.lease(&view, 1, leased, corrupt), ReadResult::message) << deaths;
      EXPECT_EQ(view.tries, deaths);
      if (delayed && deaths == 2) {
        EXPECT_NE(reader.delay(view.position, view.tries, 1), NamedReader::Delayed::not_ours);
        std::this_thread::sleep_for(1ms);
      }
      group.queue.detach(victim.owner);
    }
    Consumer in = group.consumer();
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    EXPECT_EQ(in.counters().discarded, 1U);
    EXPECT_EQ(group.lease(0).phase, LeasePhase::done);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok) << "its slot is free";
  }
}

TEST(Discard, many_messages_to_give_up_do_not_hide_the_message_behind_them) {
  constexpr unsigned k_bad = 3 * k_put_aside_batch + 1;
  for (const auto delay : {0us, 1us}) {
    FailingGroup group(128);
    Producer out = group.queue.producer();
    Consumer in = group.consumer();
    for (unsigned i = 0; i < k_bad; ++i) out.publish("bad");
    {
      std::array<Message, k_bad> held;
      ASSERT_EQ(*in.try_receive_batch(held), k_bad);
      for (Message& message : held) message.nack(delay);
    }
    std::this_thread::sleep_for(1ms);
    out.publish("good");
    group.queue.set_redelivery("g", {0, 0, 1, true});
    Result<Message> good = in.try_receive();
    EXPECT_EQ(text_of(good), "good");
    EXPECT_EQ(text_of(in.try_receive()), "empty");
    EXPECT_EQ(in.counters().discarded, k_bad);
    EXPECT_EQ(in.counters().messages, k_bad + 1);
  }
}

TEST(Discard, a_rejected_message_is_dropped_and_counted) {
  FailingGroup group;
  group.queue.set_redelivery("g", {1, 1000, 0, true});
  Producer out = group.queue.producer();
  std::optional<Consumer> in = group.consumer();
  out.publish("x");
  Result<Message> message = in->receive();
  EXPECT_TRUE(message->reject());
  EXPECT_FALSE(*message);
  EXPECT_FALSE(message->reject());
  EXPECT_EQ(in->counters().discarded, 1U);
  EXPECT_EQ(in->counters().acks, 0U);
  EXPECT_EQ(in->try_receive().status(), Status::empty);
  in.reset();
  const auto totals = load_counters<QueueTotals>(group.queue.memory().shared_status().totals);
  EXPECT_EQ(totals.discarded, 1U);
}

TEST(Discard, a_group_that_does_not_discard_gives_a_rejected_message_back_and_says_what_is_missing) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("x");
  Result<Message> message = in.receive();
  const Error error = error_of([&] { message->reject(); });
  EXPECT_EQ(error.reason(), Errc::misuse);
  EXPECT_NE(std::string(error.what()).find("discard"), std::string::npos) << error.what();
  EXPECT_FALSE(*message);
  EXPECT_EQ(text_of(in.try_receive()), "x");
  EXPECT_EQ(in.counters().discarded, 0U);
}

TEST(Discard, a_private_consumer_releases_what_it_rejects_and_gives_back) {
  LocalQueue queue({.slots = 4});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (int i = 0; i < 4; ++i) out.publish("x");
  EXPECT_TRUE(in.receive()->reject());
  EXPECT_TRUE(in.receive()->nack(1h));
  EXPECT_TRUE(in.receive()->nack());
  EXPECT_TRUE(in.receive()->ack());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(out.try_publish("x"), Status::ok);
}

}  // namespace
}  // namespace beltway::test
