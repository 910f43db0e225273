// Loans: memory of the lane, written in place and committed in any order, and the lane's life around them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

void fill(Loan& loan, char with) { std::memset(loan.bytes().data(), with, loan.size()); }

TEST(Loan, a_loan_is_seen_only_once_it_is_committed) {
  LocalQueue queue({.slots = 8, .lane_bytes = 65536});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  Loan loan = out.loan(10000);
  ASSERT_TRUE(loan);
  EXPECT_EQ(loan.size(), 10000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loan.bytes().data()) % 64, 0U);
  fill(loan, 'l');
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  const std::byte* place = loan.bytes().data();
  loan.commit();
  EXPECT_FALSE(loan);
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->text() == std::string(10000, 'l'));
  EXPECT_EQ(message->bytes().data(), place) << "no copy";
}

TEST(Loan, many_may_be_open_and_commit_in_any_order_shorter_or_not_at_all) {
  LocalQueue queue({.slots = 8, .lane_bytes = 65536});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  Result<Loan> a = out.try_loan(1000);
  Result<Loan> b = out.try_loan(1000);
  Result<Loan> c = out.try_loan(1000);
  Result<Loan> d = out.try_loan(1000);
  fill(*a, 'a');
  fill(*b, 'b');
  fill(*d, 'd');
  d->commit(500);
  c->drop();
  b->commit(5);
  a->commit();
  EXPECT_TRUE(in.try_receive()->text() == std::string(500, 'd'));
  EXPECT_EQ(in.try_receive()->text(), "bbbbb") << "small enough for the slot";
  EXPECT_TRUE(in.try_receive()->text() == std::string(1000, 'a'));
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(Loan, errors_of_loans_name_the_limit) {
  LocalQueue queue({.slots = 8, .lane_bytes = 8192});
  Producer out = queue.producer();
  EXPECT_EQ(out.try_loan(8193).status(), Status::too_large);
  EXPECT_THROW(static_cast<void>(out.loan(8193)), Error);
  Result<Loan> whole = out.try_loan(8192);
  ASSERT_TRUE(whole);
  EXPECT_EQ(out.try_loan(1).status(), Status::full);
  try {
    static_cast<void>(out.loan(1));
    FAIL() << "nobody but the caller could free the lane: waiting would be for ever";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), Errc::limit_reached);
  }
  EXPECT_THROW(whole->commit(8193), Error);
  whole->drop();
  EXPECT_THROW(whole->commit(), Error) << "ended before";
  EXPECT_TRUE(out.try_loan(8192));
  LocalQueue without({.slots = 8, .lane_bytes = 0});
  Producer inline_only = without.producer();
  EXPECT_EQ(inline_only.try_loan(1).status(), Status::too_large);
  EXPECT_EQ(inline_only.max_message_bytes(), 112U);
  EXPECT_EQ(inline_only.try_publish(std::string(113, 'x')), Status::too_large);
}

TEST(Loan, a_held_message_keeps_its_bytes_and_the_rest_is_used_again) {
  LocalQueue queue({.slots = 64, .lane_bytes = 16384});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  out.publish(std::string(4000, 'h'));
  Result<Message> held = in.try_receive();
  unsigned published = 0;
  while (out.try_publish(std::string(4000, 'n')) == Status::ok) ++published;
  EXPECT_EQ(published, 3U);
  while (Result<Message> message = in.try_receive()) {
  }
  EXPECT_EQ(out.try_publish(std::string(4000, 'n')), Status::full) << "the oldest is held";
  EXPECT_TRUE(held->text() == std::string(4000, 'h'));
  held = Status::empty;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(out.try_publish(std::string(4000, 'n')), Status::ok);
    ASSERT_TRUE(in.try_receive());
  }
}

/// How many slots say that their message's memory may be lent again.
unsigned gone(const LocalQueue& queue) {
  unsigned count = 0;
  for (std::uint64_t i = 0; i < queue.memory().geometry.slots; ++i) {
    count += SlotState::of(queue.memory().slot(i).state.load_relaxed()).phase == SlotPhase::reclaimed ? 1 : 0;
  }
  return count;
}

TEST(Loan, a_loan_does_not_free_many_finished_records_at_once) {
  LocalQueue queue({.slots = 1024, .slot_bytes = 64, .lane_bytes = 65536});  // room for 1024 messages of a line
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::string line(64, 'x');
  for (int i = 0; i < 1024; ++i) out.publish(line);
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(in.try_receive());
  unsigned before = gone(queue);
  std::vector<unsigned> freed;
  for (int i = 0; i < 20; ++i) {
    out.loan(64).drop();
    freed.push_back(gone(queue) - before);
    before += freed.back();
  }
  EXPECT_LE(std::ranges::max(freed), 128U);
  EXPECT_EQ(before, 1024U) << "but others go on with it, until nothing is left";
}

TEST(Loan, a_loan_larger_than_the_lane_is_refused_with_the_size_of_the_lane) {
  for (const std::uint64_t lane : {0U, 16384U}) {
    LocalQueue queue({.lane_bytes = lane});
    Producer out = queue.producer();
    try {
      (void)out.loan(20000);
      ADD_FAILURE() << "it was lent";
    } catch (const Error& error) {
      EXPECT_EQ(error.reason(), Errc::too_large);
      EXPECT_EQ(std::string(error.what()), "loan from \"local\": 20000 bytes, but the largest loan is " +
                                               std::to_string(lane) + "; declare the queue with larger lane_bytes");
    }
  }
}

TEST(Loan, random_sizes_and_orders_never_mix_up_bytes) {
  std::mt19937 random(7);
  for (const std::uint32_t producers : {1U, 2U}) {
    LocalQueue queue({.slots = 16, .lane_bytes = 32768, .max_producers = producers, .groups = {"g"}});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    Consumer group = queue.consumer({.group = "g"});
    std::deque<std::pair<Result<Loan>, char>> open;
    std::deque<std::string> expected;
    for (int step = 0; step < 20000; ++step) {
      switch (random() % 4) {
        case 0:
          if (Result<Loan> loan = out.try_loan(random() % 9000)) {
            const char with = static_cast<char>('a' + step % 26);
            fill(*loan, with);
            open.emplace_back(std::move(loan), with);
          }
          break;
        case 1:
          if (!open.empty()) {
            const std::size_t which = random() % open.size();
            auto& [loan, with] = open[which];
            const std::size_t size = loan->size() == 0 ? 0 : random() % loan->size();
            if (random() % 5 == 0) {
              loan->drop();
            } else if (loan->try_commit(size) == Status::ok) {
              expected.emplace_back(size, with);
            }
            if (!*loan) open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
          }
          break;
        default: {
          Result<Message> message = in.try_receive();
          Result<Message> leased = group.try_receive();
          ASSERT_EQ(message.status(), leased.status());
          if (!message) break;
          ASSERT_TRUE(message->text() == expected.front());
          ASSERT_TRUE(leased->text() == expected.front());
          leased->ack();
          expected.pop_front();
        }
      }
    }
  }
}

TEST(Loan, a_new_producer_takes_over_what_the_dead_one_left) {
  LocalQueue queue({.slots = 16, .lane_bytes = 16384, .max_producers = 1});
  Consumer in = queue.consumer();
  for (int round = 0; round < 20; ++round) {
    {
      Producer dead = queue.producer();
      ASSERT_EQ(dead.try_publish(std::string(3000, 'a')), Status::ok);
      ASSERT_EQ(dead.try_publish(std::string(5000, 'b')), Status::ok);
      Result<Loan> lost = dead.try_loan(2000);
      ASSERT_TRUE(lost);
    }
    Producer out = queue.producer();
    ASSERT_EQ(out.try_publish(std::string(6000, 'c')), Status::ok) << "beside what still lives";
    ASSERT_EQ(out.try_publish(std::string(6000, 'd')), Status::full);
    EXPECT_TRUE(in.try_receive()->text() == std::string(3000, 'a'));
    EXPECT_TRUE(in.try_receive()->text() == std::string(5000, 'b'));
    ASSERT_EQ(out.try_publish(std::string(6000, 'd')), Status::ok);
    EXPECT_TRUE(in.try_receive()->text() == std::string(6000, 'c'));
    EXPECT_TRUE(in.try_receive()->text() == std::string(6000, 'd'));
  }
}

}  // namespace
}  // namespace beltway::test
