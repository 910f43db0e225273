// Named producers: sequence numbers, duplicates, and what a death leaves of them.
#include <gtest/gtest.h>

#include <stdexcept>

#include "../support/local_queue.hpp"
#include "beltway/beltway.hpp"
#include "ring/sequence_record.hpp"

namespace beltway {
namespace {

using test::LocalQueue;
using namespace ring;

Producer named(LocalQueue& queue, std::uint32_t record = 0) {
  endpoint::Attachment attachment = queue.attach_producer();
  attachment.sequence_record = record;
  return endpoint::make_producer(std::move(attachment), {});
}

/// Of a ring of one producer and of several; inline and in a lane.
class Sequence : public testing::TestWithParam<std::tuple<unsigned, std::size_t>> {
 protected:
  [[nodiscard]] static std::string payload() { return std::string(std::get<1>(GetParam()), 'x'); }
  LocalQueue queue_{{.slots = 8, .lane_bytes = 65536, .max_producers = std::get<0>(GetParam())}};
};

TEST_P(Sequence, number_that_is_not_above_the_last_one_is_a_duplicate) {
  Producer out = named(queue_);
  Consumer in = queue_.consumer();
  EXPECT_EQ(out.last_sequence(), 0U);
  const Result<std::uint64_t> first = out.publish(payload(), {.sequence = 7});
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, 0U) << "its position";
  EXPECT_EQ(out.last_sequence(), 7U);
  EXPECT_EQ(out.publish(payload(), {.sequence = 7}).status(), Status::duplicate);
  EXPECT_EQ(out.try_publish(payload(), {.sequence = 6}), Status::duplicate);
  EXPECT_EQ(out.publish_until(payload(), {.sequence = 1}, Until{}), Status::duplicate);
  EXPECT_EQ(out.try_publish(payload(), {.sequence = 8}), Status::ok);
  EXPECT_EQ(out.publish_until(payload(), {.sequence = 100}, Until{}), Status::ok) << "gaps are allowed";
  EXPECT_EQ(out.try_publish(payload()), Status::ok) << "without a number";
  EXPECT_EQ(out.last_sequence(), 100U);
  EXPECT_EQ(out.counters().messages, 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(in.try_receive()->size(), payload().size());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST_P(Sequence, next_producer_of_the_name_goes_on_with_its_numbers) {
  Consumer in = queue_.consumer();
  static_cast<void>(named(queue_, 3).publish(payload(), {.sequence = 5}));
  Producer again = named(queue_, 3);
  EXPECT_EQ(again.last_sequence(), 5U);
  EXPECT_EQ(again.try_publish(payload(), {.sequence = 5}), Status::duplicate);
  EXPECT_EQ(again.try_publish(payload(), {.sequence = 6}), Status::ok);
}

TEST_P(Sequence, message_that_found_no_room_may_come_again_with_its_number) {
  Producer out = named(queue_);
  Consumer in = queue_.consumer();
  for (std::uint64_t i = 1; i <= 8; ++i) ASSERT_EQ(out.try_publish(payload(), {.sequence = i}), Status::ok);
  EXPECT_EQ(out.try_publish(payload(), {.sequence = 9}), Status::full);
  EXPECT_EQ(out.last_sequence(), 8U);
  EXPECT_TRUE(in.try_receive());
  EXPECT_EQ(out.try_publish(payload(), {.sequence = 9}), Status::ok);
}

TEST_P(Sequence, callback_that_throws_leaves_its_number_unused) {
  Producer out = named(queue_);
  Consumer in = queue_.consumer();
  const auto fails = [](std::span<std::byte>) { throw std::runtime_error("no data"); };
  EXPECT_THROW(static_cast<void>(out.publish(payload().size(), fails, {.sequence = 1})), std::runtime_error);
  EXPECT_EQ(queue_.memory().sequence_record(0).pending_sequence.load_relaxed(), 0U);
  EXPECT_EQ(out.last_sequence(), 0U);
  const auto writes = [](std::span<std::byte> place) { place[0] = std::byte{'w'}; };
  EXPECT_EQ(out.try_publish(payload().size(), writes, {.sequence = 1}), Status::ok);
  EXPECT_EQ(out.last_sequence(), 1U);
  const Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->bytes()[0], std::byte{'w'});
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST_P(Sequence, producer_without_a_name_has_no_numbers) {
  Producer out = queue_.producer();
  EXPECT_THROW(static_cast<void>(out.publish(payload(), {.sequence = 1})), Error);
  EXPECT_EQ(out.publish(payload(), PublishOptions{}).status(), Status::ok) << "0: no number";
  EXPECT_EQ(out.last_sequence(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Sequence, testing::Combine(testing::Values(1U, 4U), testing::Values(8U, 5000U)));

/// The state of the slot of a pending number when its producer is dead, and what follows from it.
struct Left {
  const char* name;
  std::int64_t laps;  // of the slot beside the claim's
  SlotPhase phase;
  bool committed;
};

class SettleSequence : public testing::TestWithParam<Left> {};

TEST_P(SettleSequence, slot_decides_whether_the_pending_number_of_a_dead_producer_counts) {
  LocalQueue queue({.slots = 4});
  const QueueMemory& memory = queue.memory();
  const Position position = 9;
  SequenceRecord& record = memory.sequence_record(2);
  record.committed.store_relaxed(3);
  begin_sequence(record, 4, position);
  const auto now = static_cast<Position>(static_cast<std::int64_t>(position) + GetParam().laps * 4);
  memory.slot(position).state.store_relaxed(SlotState{now, 0, GetParam().phase}.word());
  settle_sequence(memory, 2);
  EXPECT_EQ(record.committed.load_relaxed(), GetParam().committed ? 4U : 3U);
  EXPECT_EQ(record.pending_sequence.load_relaxed(), 0U);
  settle_sequence(memory, 2);
  EXPECT_EQ(record.committed.load_relaxed(), GetParam().committed ? 4U : 3U) << "safe to repeat";
}

INSTANTIATE_TEST_SUITE_P(
    All, SettleSequence,
    testing::Values(Left{"unmarked", -1, SlotPhase::ready, false}, Left{"claimed", 0, SlotPhase::claimed, false},
                    Left{"voided", 0, SlotPhase::voided, false}, Left{"ready", 0, SlotPhase::ready, true},
                    Left{"reclaimed", 0, SlotPhase::reclaimed, true}, Left{"passed", 1, SlotPhase::claimed, true}),
    [](const auto& each) { return each.param.name; });

TEST(SettledSequence, number_that_is_not_pending_changes_nothing) {
  LocalQueue queue({.slots = 4});
  queue.memory().sequence_record(0).committed.store_relaxed(9);
  settle_sequence(queue.memory(), 0);
  EXPECT_EQ(queue.memory().sequence_record(0).committed.load_relaxed(), 9U);
}

}  // namespace
}  // namespace beltway
