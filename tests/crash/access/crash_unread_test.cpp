// The count of unread messages while the daemon ends it: at any access of the reader, the daemon stores both words.
#include <gtest/gtest.h>

#include "ring/counters.hpp"
#include "stepper.hpp"
#include "world.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

void move_tail(const QueueMemory& memory, Position tail) {
  memory.tail().store_relaxed(Tail{tail, 0, k_producer_a}.word());
}

TEST(Unread, readers_that_come_during_the_count_do_not_change_it) {
  constexpr Position k_published = 10;
  for (std::uint64_t end_at = 0, taken = 1; taken > end_at; ++end_at) {
    World world({});
    const Use use(world);
    const QueueMemory& memory = world.memory();
    memory.shared_status().unread_since.store_relaxed(UnreadSince{true, 0}.word());
    move_tail(memory, k_published);
    std::uint64_t count = 0;
    taken = 0;
    step([&] { count = count_unread(memory); },
         [&](std::uint64_t at) {
           ++taken;
           if (at != end_at) return Then::step;
           end_unread(memory, k_published, k_published);
           move_tail(memory, k_published + 5);  // these are read
           return Then::step;
         });
    EXPECT_EQ(count, k_published) << "ended after access " << end_at;
    EXPECT_GE(taken, 4U) << "the accesses of a count are steps";
  }
}

TEST(Unread, count_begins_again_where_the_last_reader_has_gone) {
  World world({});
  const Use use(world);
  const QueueMemory& memory = world.memory();
  memory.shared_status().unread_since.store_relaxed(UnreadSince{true, 0}.word());
  move_tail(memory, 10);
  end_unread(memory, 10, 7);  // a group that begins at the oldest message
  EXPECT_EQ(count_unread(memory), 7U);
  memory.shared_status().unread_since.store_relaxed(UnreadSince{true, 12}.word());
  move_tail(memory, 15);
  EXPECT_EQ(count_unread(memory), 10U);
}

TEST(Unread, count_ends_although_a_peer_never_stops_writing) {
  World world({});
  const Use use(world);
  const QueueMemory& memory = world.memory();
  std::uint64_t written = 0;
  step([&] { static_cast<void>(count_unread(memory)); },
       [&](std::uint64_t) {
         memory.shared_status().unread_since.store_relaxed(++written);
         return Then::step;
       });
  EXPECT_LT(written, 100U);
}

}  // namespace
}  // namespace beltway::crash
