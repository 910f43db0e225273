// What a claim leaves behind: a message if it was committed, VOID and no count if it was not.
#include "ring/claim.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

struct OneClaimer {
  explicit OneClaimer(std::uint32_t producers)
      : queue({.slots = 4, .max_producers = producers}),
        attachment(queue.attach_producer()),
        claimer(attachment.memory, attachment.owner) {
    claimer.accept_notice();
  }
  [[nodiscard]] SlotPhase phase_at(Position position) const {
    return SlotState::of(attachment.memory.slot(position).state.load_acquire()).phase;
  }
  [[nodiscard]] std::uint64_t messages() const { return claimer.published().messages; }
  [[nodiscard]] std::uint64_t bytes() const { return claimer.published().bytes; }

  LocalQueue queue;
  Attachment attachment;
  Claimer claimer;
};

TEST(ClaimedSlot, a_claimed_slot_that_is_committed_is_a_message_and_is_counted) {
  for (const std::uint32_t producers : {1U, 2U}) {
    OneClaimer one(producers);
    EXPECT_EQ(detail::try_put(one.claimer, 8, 0, [](std::byte* /*place*/) noexcept {}), Claim::ok);
    EXPECT_EQ(one.phase_at(one.claimer.last()), SlotPhase::ready);
    EXPECT_EQ(one.messages(), 1U);
    EXPECT_EQ(one.bytes(), 8U);
  }
}

TEST(ClaimedSlot, a_claimed_slot_whose_fill_throws_becomes_void_and_is_not_counted) {
  for (const std::uint32_t producers : {1U, 2U}) {
    OneClaimer one(producers);
    const auto fill = [](std::byte* /*place*/) { throw std::runtime_error("no"); };
    EXPECT_THROW(static_cast<void>(detail::try_put(one.claimer, 8, 0, fill)), std::runtime_error);
    EXPECT_EQ(one.phase_at(one.claimer.last()), SlotPhase::voided);
    EXPECT_EQ(one.messages(), 0U);
    EXPECT_EQ(one.bytes(), 0U);
  }
}

TEST(ClaimedSlot, a_claimed_slot_of_a_full_ring_says_why_and_changes_nothing) {
  for (const std::uint32_t producers : {1U, 2U}) {
    OneClaimer one(producers);
    Consumer slow = one.queue.consumer();
    const auto put = [&] { return detail::try_put(one.claimer, 8, 0, [](std::byte* /*place*/) noexcept {}); };
    one.claimer.accept_notice();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(put(), Claim::ok);
    const Position last = one.claimer.last();
    EXPECT_EQ(put(), Claim::full);
    EXPECT_EQ(one.claimer.last(), last);
    EXPECT_EQ(one.messages(), 4U);
  }
}

}  // namespace
}  // namespace beltway::test
