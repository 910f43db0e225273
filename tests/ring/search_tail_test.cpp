// The tail of a ring of one producer, which the slots alone tell, and what its producer has published by then.
#include <gtest/gtest.h>

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/counters.hpp"
#include "ring/floors.hpp"
#include "ring/slot_view.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

/// A ring whose slots show what they show when the next position is `tail`.
struct RingAt {
  RingAt(std::uint32_t slots, Position tail) : words(k_slots_offset + slots * std::size_t{64}) {
    memory.geometry = {.slots = slots, .slot_bytes = 64, .max_producers = 1};
    memory.ring = words.data();
    for (std::uint32_t age = 1; age <= slots; ++age) {
      const Position position = wrap(tail - age);
      const auto phase = static_cast<SlotPhase>(age % 3 + 1);  // READY, VOID, RECLAIMED
      memory.slot(position).state.store_relaxed(SlotState{position, 0, phase}.word());
    }
  }
  std::vector<std::byte> words;
  QueueMemory memory;
};

TEST(SearchTail, tail_is_found_at_each_slot_of_a_lap) {
  for (const std::uint32_t slots : {2U, 4U, 8U, 64U, 256U}) {
    for (const Position first :
         {Position{0}, Position{slots}, wrap(0 - Position{slots}), wrap(3 - 2 * Position{slots})}) {
      for (Position tail = first; tail != wrap(first + 2 * slots); tail = wrap(tail + 1)) {
        ASSERT_EQ(search_tail(RingAt(slots, tail).memory), tail) << slots;
      }
    }
  }
}

TEST(SearchTail, nonsense_in_the_slots_ends_the_search_too) {
  RingAt ring(64, 1000);
  for (std::uint64_t i = 0; i < 64; ++i) ring.memory.slot(i).state.store_relaxed(0x9e3779b97f4a7c15ULL * (i + 1));
  static_cast<void>(search_tail(ring.memory));
}

/// What other processes see of the only producer.
Published seen(const LocalQueue& queue) { return load_published(queue.memory(), 0, load_tail(queue.memory())); }

TEST(PublishedOfOneProducer, each_message_is_seen_at_once) {
  LocalQueue queue({.slots = 256, .lane_bytes = 1U << 20});
  Producer out = queue.producer();
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    const std::string text(i % 100, 'x');  // in slots and in the lane
    out.publish(text);
    bytes += text.size();
    ASSERT_EQ(seen(queue).messages, i);
    ASSERT_EQ(seen(queue).bytes, bytes);
    ASSERT_EQ(out.counters().messages, i);
    ASSERT_EQ(out.counters().bytes, bytes);
  }
}

TEST(PublishedOfOneProducer, properties_are_no_bytes_and_void_is_no_message) {
  LocalQueue queue({.slots = 16, .slot_bytes = 256});
  Producer out = queue.producer();
  out.publish("12345", {.key = "a key"});
  EXPECT_THROW(out.publish(8, [](std::span<std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
  out.publish("67");
  EXPECT_EQ(seen(queue).messages, 2U);
  EXPECT_EQ(seen(queue).bytes, 7U);
}

TEST(PublishedOfOneProducer, next_producer_begins_at_nothing) {
  LocalQueue queue({.slots = 4});
  {
    Producer out = queue.producer();
    for (int i = 0; i < 6; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok);
    EXPECT_EQ(seen(queue).messages, 6U);
  }
  Producer out = queue.producer();
  EXPECT_EQ(seen(queue).messages, 0U);
  out.publish("yz");
  EXPECT_EQ(seen(queue).messages, 1U);
  EXPECT_EQ(seen(queue).bytes, 2U);
}

TEST(PublishedOfOneProducer, oldest_message_of_a_full_ring_can_be_copied_if_a_floor_protects_it) {
  LocalQueue queue({.slots = 4});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok);
  EXPECT_EQ(out.try_publish("x"), Status::full);
  const Slot& oldest = queue.memory().slot(0);
  EXPECT_TRUE(is_unchanged(queue.memory(), oldest, oldest.state.load_acquire()));
  EXPECT_TRUE(in.try_receive()->ack());
  EXPECT_EQ(out.try_publish("x"), Status::ok);  // in slot 0
  const Slot& second = queue.memory().slot(1);
  EXPECT_TRUE(is_unchanged(queue.memory(), second, second.state.load_acquire()));
}

}  // namespace
}  // namespace beltway::test
