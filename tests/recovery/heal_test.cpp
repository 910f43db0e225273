// Every kind of disorder that a program can leave in a queue's memory, then healing: the queue works for everybody afterwards,
// what was READY and in order is delivered, and nothing that a living producer writes is lost.
#include "recovery/heal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/groups.hpp"

namespace beltway::test {

using namespace beltway::detail;
using namespace beltway::ring;

namespace {

constexpr std::uint32_t k_slots = 8;

QueueOptions options(std::uint32_t producers) {
  return {.slots = k_slots, .max_producers = producers, .max_consumers = 4, .max_groups = 2, .groups = {"g"}};
}

/// Writes disorder into a queue whose messages are 0 to `tail` - 1, of which the last half is still needed.
struct Disorder {
  const char* name;
  std::function<void(const QueueMemory& memory, Position tail)> write;
};

void set_slot(const QueueMemory& memory, Position at, Position says, std::uint8_t owner, SlotPhase phase) {
  memory.slot(at).state.store_release(SlotState{wrap(says), owner, phase}.word());
}
void set_tail(const QueueMemory& memory, Position to, std::uint8_t owner = 0) {
  memory.tail().store_release(Tail{to, 0, owner}.word());
}
GroupBlock& group(const QueueMemory& memory) { return memory.group(0); }

const std::vector<Disorder>& disorders() {
  static const std::vector<Disorder> all{
      {"slot_of_an_older_lap",
       [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 2 - k_slots, 0, SlotPhase::ready); }},
      {"slot_of_a_later_lap",
       [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 2 + k_slots, 0, SlotPhase::ready); }},
      {"slot_of_a_lap_far_away",
       [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 2 + (1ULL << 50), 0, SlotPhase::ready); }},
      {"slot_of_another_position",
       [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 1, 0, SlotPhase::ready); }},
      {"slot_of_an_earlier_position",
       [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 3, 0, SlotPhase::ready); }},
      {"slot_of_zeros", [](const QueueMemory& m, Position t) { m.slot(t - 2).state.store_release(0); }},
      {"slot_of_ones", [](const QueueMemory& m, Position t) { m.slot(t - 2).state.store_release(~0ULL); }},
      {"claim_of_nobody", [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 2, 9, SlotPhase::claimed); }},
      {"claim_of_no_endpoint",
       [](const QueueMemory& m, Position t) { set_slot(m, t - 2, t - 2, 200, SlotPhase::claimed); }},
      {"first_slot_that_is_needed",
       [](const QueueMemory& m, Position t) { set_slot(m, t - k_slots / 2, t, 0, SlotPhase::ready); }},
      {"last_slot", [](const QueueMemory& m, Position t) { set_slot(m, t - 1, t + 1, 0, SlotPhase::ready); }},
      {"three_slots",
       [](const QueueMemory& m, Position t) {
         for (Position i = 1; i <= 3; ++i) set_slot(m, t - i, t + i, 7, SlotPhase::claimed);
       }},
      {"slot_behind_the_floor",
       [](const QueueMemory& m, Position t) { m.slot(t - k_slots).state.store_release(~0ULL); }},
      {"tail_ahead", [](const QueueMemory& m, Position t) { set_tail(m, t + 3); }},
      {"tail_laps_ahead", [](const QueueMemory& m, Position t) { set_tail(m, t + 5 * k_slots + 3); }},
      {"tail_far_away", [](const QueueMemory& m, Position t) { set_tail(m, t + (1ULL << 42)); }},
      {"tail_of_ones", [](const QueueMemory& m, Position) { m.tail().store_release(~0ULL); }},
      {"tail_of_zeros", [](const QueueMemory& m, Position) { m.tail().store_release(0); }},
      {"tail_behind", [](const QueueMemory& m, Position t) { set_tail(m, t - 3); }},
      {"tail_laps_behind", [](const QueueMemory& m, Position t) { set_tail(m, t - 2 * k_slots - 1); }},
      {"tail_behind_and_a_torn_slot",
       [](const QueueMemory& m, Position t) {
         set_tail(m, t - 2);
         set_slot(m, t - 3, t - 2, 0, SlotPhase::ready);
       }},
      {"floor_beyond_tail",
       [](const QueueMemory& m, Position t) { group(m).floor.store_release(Floor{1, wrap(t + 5)}.word()); }},
      {"floor_far_beyond",
       [](const QueueMemory& m, Position t) { group(m).floor.store_release(Floor{1, wrap(t + (1ULL << 50))}.word()); }},
      {"floor_laps_behind",
       [](const QueueMemory& m, Position t) { group(m).floor.store_release(Floor{1, wrap(t - 5 * k_slots)}.word()); }},
      {"floor_of_ones", [](const QueueMemory& m, Position) { group(m).floor.store_release(~0ULL); }},
      {"next_beyond_tail",
       [](const QueueMemory& m, Position t) { group(m).next.store_release(Next{t + 5, 1}.word()); }},
      {"next_of_ones", [](const QueueMemory& m, Position) { group(m).next.store_release(~0ULL); }},
      {"lease_of_nobody",
       [](const QueueMemory& m, Position t) {
         m.lease(0, t - 2).store_release(Lease{t - 2, 99, 0, LeasePhase::leased}.word());
       }},
      {"lease_of_no_endpoint",
       [](const QueueMemory& m, Position t) {
         m.lease(0, t - 2).store_release(Lease{t - 2, 3, 0, LeasePhase::leased}.word());
       }},
      {"lease_of_a_later_lap",
       [](const QueueMemory& m, Position t) {
         m.lease(0, t - 2).store_release(Lease{t - 2 + k_slots, 99, 0, LeasePhase::leased}.word());
       }},
      {"lease_of_ones", [](const QueueMemory& m, Position t) { m.lease(0, t - 2).store_release(~0ULL); }},
      {"lease_without_a_phase",
       [](const QueueMemory& m, Position t) {
         m.lease(0, t - 2).store_release(Lease{t - 2, 0, 0, static_cast<LeasePhase>(0)}.word());
       }},
      {"sleepers_of_nobody",
       [](const QueueMemory& m, Position) {
         m.shared_status().producer_sleepers.store_release(~0ULL);
         m.shared_status().consumer_sleepers.store_release(~0ULL);
       }},
      {"all_slots_and_tail",
       [](const QueueMemory& m, Position) {
         for (Position i = 0; i < k_slots; ++i) m.slot(i).state.store_release(0x123456789abcdefULL * (i + 1));
         m.tail().store_release(0x987654321ULL);
       }},
  };
  return all;
}

struct Case {
  std::uint32_t producers;
  const Disorder* disorder;
};

class Healing : public testing::TestWithParam<Case> {
 protected:
  /// Messages before the disorder: positions 0 to k_tail - 1. The group has had the first half of the last lap.
  static constexpr Position k_tail = 3 * k_slots;

  static void fill(Producer& out, Consumer& in) {
    for (Position p = 0; p < k_tail; ++p) {
      out.publish(std::to_string(p));
      if (p >= k_slots / 2) in.receive()->ack();
    }
  }

  /// Three laps go through, to the group and to a new private consumer.
  static void expect_usable(LocalQueue& queue, Producer& out, Consumer& in) {
    while (Result<Message> message = in.try_receive()) message->ack();
    Consumer all = queue.consumer();
    for (std::uint32_t i = 0; i < 3 * k_slots; ++i) {
      const std::string text = "after " + std::to_string(i);
      ASSERT_EQ(out.try_publish(text), Status::ok) << i;
      Result<Message> of_the_group = in.try_receive();
      ASSERT_TRUE(of_the_group) << i << ": " << to_string(of_the_group.status());
      EXPECT_EQ(of_the_group->text(), text);
      EXPECT_TRUE(of_the_group->ack());
      Result<Message> of_all = all.try_receive();
      ASSERT_TRUE(of_all) << i << ": " << to_string(of_all.status());
      EXPECT_EQ(of_all->text(), text);
    }
  }
};

TEST_P(Healing, a_queue_whose_producers_are_gone_works_again) {
  LocalQueue queue(options(GetParam().producers));
  Consumer in = queue.consumer({.group = "g"});
  {
    Producer out = queue.producer();
    fill(out, in);
  }
  GetParam().disorder->write(queue.memory(), k_tail);
  queue.heal();
  EXPECT_FALSE(queue.heal().disorder()) << "healing is done at once";
  Producer out = queue.producer();
  expect_usable(queue, out, in);
}

TEST_P(Healing, a_queue_whose_producer_lives_works_again_when_it_publishes) {
  LocalQueue queue(options(GetParam().producers));
  Consumer in = queue.consumer({.group = "g"});
  Producer out = queue.producer();
  fill(out, in);
  GetParam().disorder->write(queue.memory(), k_tail);
  queue.heal();
  // A single producer overwrites what is newest, and nobody may touch that meanwhile: a lap of it, then again.
  for (std::uint32_t i = 0; i < 2 * k_slots; ++i) {
    static_cast<void>(out.try_publish("meanwhile"));
    while (Result<Message> message = in.try_receive()) message->ack();
  }
  queue.heal();
  expect_usable(queue, out, in);
}

TEST_P(Healing, messages_in_their_order_are_delivered) {
  LocalQueue queue(options(GetParam().producers));
  Consumer in = queue.consumer({.group = "g"});
  {
    Producer out = queue.producer();
    fill(out, in);
  }
  std::vector<std::uint64_t> before(k_slots);
  for (Position i = 0; i < k_slots; ++i) before[i] = queue.memory().slot(i).state.load_relaxed();
  GetParam().disorder->write(queue.memory(), k_tail);
  std::vector<Position> whole;
  for (Position p = k_tail - k_slots / 2; p < k_tail; ++p) {
    if (queue.memory().slot(p).state.load_relaxed() == before[p % k_slots]) whole.push_back(p);
  }
  queue.heal();
  std::vector<Position> got;
  while (Result<Message> message = in.try_receive()) {
    // What was READY and in order comes once more, unless it was acknowledged; other slots hold what a program wrote there.
    if (message->text() == std::to_string(message->position()) && message->position() >= k_tail - k_slots / 2) {
      got.push_back(message->position());
    }
    message->ack();
  }
  for (const Position p : whole) {
    EXPECT_EQ(std::count(got.begin(), got.end(), p), 1) << "position " << p;
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::uint32_t producers : {1U, 2U}) {
    for (const Disorder& disorder : disorders()) all.push_back({producers, &disorder});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, Healing, testing::ValuesIn(cases()), [](const testing::TestParamInfo<Case>& each) {
  return std::string(each.param.disorder->name) + (each.param.producers == 1 ? "_of_one" : "_of_two");
});

/// `out` publishes `count` messages, and `in` gets each of them.
void expect_to_go_through(Producer& out, Consumer& in, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string text = "through " + std::to_string(i);
    ASSERT_EQ(out.try_publish(text), Status::ok) << i;
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message) << i << ": " << to_string(message.status());
    EXPECT_EQ(message->text(), text);
  }
}

TEST(HealingOfReaders, a_private_consumer_stores_a_floor_again_that_was_written_over) {
  for (const std::uint32_t producers : {1U, 2U}) {
    for (const Position ahead : {Position{5}, Position{1} << 50, ~Position{0} - 99}) {
      LocalQueue queue(options(producers));
      Producer out = queue.producer();
      Consumer in = queue.consumer();
      queue.memory().group(0).state.store_release(0);  // the named group is not asked
      expect_to_go_through(out, in, 5);
      Word& floor = queue.memory().group(queue.memory().geometry.max_groups).floor;
      floor.store_release(wrap(5 + ahead));
      queue.heal();
      EXPECT_EQ(in.try_receive().status(), Status::empty);
      EXPECT_EQ(wrap(floor.load_relaxed()), 5U);
      expect_to_go_through(out, in, 3 * k_slots);
    }
  }
}

TEST(HealingOfReaders, a_private_consumer_that_was_overrun_counts_what_is_lost_and_goes_on) {
  LocalQueue queue(options(1));
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  queue.memory().group(0).state.store_release(0);
  queue.memory().group(queue.memory().geometry.max_groups).floor.store_release(k_slots);
  for (Position p = 0; p < 2 * k_slots - 3; ++p) ASSERT_EQ(out.try_publish(std::to_string(p)), Status::ok);
  std::uint64_t received = 0;
  while (Result<Message> message = in.try_receive()) {
    EXPECT_EQ(message->text(), std::to_string(message->position()));
    ++received;
  }
  EXPECT_EQ(received, k_slots);
  EXPECT_EQ(in.counters().corrupt, k_slots - 3);
  expect_to_go_through(out, in, 3 * k_slots);
}

TEST(HealingOfReaders, a_lossy_consumer_does_not_follow_a_slot_to_an_unclaimed_position) {
  LocalQueue queue(options(2));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.lossy = true});
  queue.memory().group(0).state.store_release(0);
  expect_to_go_through(out, in, 3);
  out.publish("scribbled over");
  out.publish("another");
  const Position next = 3;
  for (const Position says : {next + 1, next + 4 * k_slots, next + (Position{1} << 50)}) {
    set_slot(queue.memory(), next, says, 0, SlotPhase::ready);
    EXPECT_EQ(in.try_receive().status(), Status::empty);
  }
  queue.heal();
  EXPECT_EQ(in.try_receive()->text(), "another");
  expect_to_go_through(out, in, 3 * k_slots);
}

TEST(HealingOfProducers, a_claim_that_a_living_producer_lost_track_of_ends_when_it_takes_notice) {
  LocalQueue queue(options(2));
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  out.publish("lost");
  out.publish("behind it");
  set_slot(queue.memory(), 0, 0, 0, SlotPhase::claimed);
  EXPECT_EQ(queue.heal().holes, 0U) << "it may be writing";
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  post_notice(queue.memory(), 0);  // as a purge does
  out.publish("next");
  EXPECT_EQ(in.try_receive()->text(), "behind it");
}

TEST(HealingOfProducers, a_message_that_a_living_producer_is_writing_is_left_alone) {
  for (const std::uint32_t producers : {1U, 2U}) {
    LocalQueue queue(options(producers));
    Producer out = queue.producer();
    Consumer in = queue.consumer({.group = "g"});
    for (std::uint32_t lap = 0; lap < 2 * k_slots; ++lap) {
      const Position mine = out.publish(4, [&](std::span<std::byte> place) {
        const recovery::HealCounts counts = queue.heal();
        EXPECT_FALSE(counts.disorder());
        EXPECT_EQ(counts.claims, 0U);
        std::fill(place.begin(), place.end(), std::byte{'a'});
      });
      Result<Message> message = in.try_receive();
      ASSERT_TRUE(message);
      EXPECT_EQ(message->position(), mine);
      EXPECT_EQ(message->text(), "aaaa");
      message->ack();
    }
  }
}

}  // namespace
}  // namespace beltway::test
