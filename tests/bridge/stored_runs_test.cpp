// What a route in knows of the messages that are stored: never one that is not, and each one that may come again.
#include "bridge/stored_runs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "bridge/bridge_limits.hpp"

namespace {

using namespace beltway::bridge;

/// The runs of a route, and what outlives its process.
class StoredQueue {
 public:
  StoredQueue() { restart(); }

  /// A message arrives. Returns true if it is stored now.
  bool arrive(std::uint64_t sequence) {
    if (runs_.has(sequence)) return false;
    const auto entry = runs_.entry_for(sequence);
    if (entry) {
      EXPECT_GT(entry->value, registers_.at(entry->index)) << "a named producer takes rising numbers only";
      registers_.at(entry->index) = entry->value;
    }
    runs_.add(sequence, entry);
    return true;
  }
  void arrive_all(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t sequence = first; sequence <= last; ++sequence) EXPECT_TRUE(arrive(sequence)) << sequence;
  }
  void restart() {
    runs_ = StoredRuns();
    for (std::size_t i = 0; i < registers_.size(); ++i) runs_.restore(i, registers_[i]);
  }
  [[nodiscard]] bool has_all(std::uint64_t first, std::uint64_t last) const {
    for (std::uint64_t sequence = first; sequence <= last; ++sequence)
      if (!runs_.has(sequence)) return false;
    return true;
  }
  [[nodiscard]] bool has(std::uint64_t sequence) const { return runs_.has(sequence); }

 private:
  StoredRuns runs_;
  std::array<std::uint64_t, StoredRuns::k_registers> registers_{};
};

TEST(StoredRuns, run_without_gap_survives_a_restart) {
  StoredQueue queue;
  queue.arrive_all(1, 1000);
  queue.restart();
  EXPECT_TRUE(queue.has_all(1, 1000));
  EXPECT_FALSE(queue.has(1001));
}

TEST(StoredRuns, run_that_begins_in_the_middle_claims_nothing_before) {
  StoredQueue queue;
  queue.arrive_all(500, 600);
  queue.restart();
  EXPECT_FALSE(queue.has(499));
  EXPECT_TRUE(queue.has_all(500, 600));
}

TEST(StoredRuns, missing_message_is_stored_when_it_comes) {
  StoredQueue queue;
  queue.arrive_all(1, 10);
  queue.arrive_all(12, 20);
  queue.restart();
  EXPECT_FALSE(queue.has(11));
  EXPECT_TRUE(queue.has_all(1, 10) && queue.has_all(12, 20));
  EXPECT_TRUE(queue.arrive(11));
  queue.restart();
  EXPECT_TRUE(queue.has_all(1, 20));
}

TEST(StoredRuns, filled_gap_makes_room_for_the_next_one) {
  StoredQueue queue;
  queue.arrive_all(1, 10);
  queue.arrive_all(12, 20);
  queue.arrive_all(11, 11);
  queue.arrive_all(21, 30);
  queue.arrive_all(35, 40);
  queue.restart();
  EXPECT_TRUE(queue.has_all(12, 30) && queue.has_all(35, 40));
  EXPECT_FALSE(queue.has(31) || queue.has(34));
}

TEST(StoredRuns, older_run_gives_way_to_newer_ones_and_never_to_older_messages) {
  StoredQueue queue;
  queue.arrive_all(10, 20);
  queue.arrive_all(30, 40);
  queue.arrive_all(5, 6);
  queue.restart();
  EXPECT_TRUE(queue.has_all(10, 20) && queue.has_all(30, 40));
  EXPECT_FALSE(queue.has(5)) << "known in memory only";
  queue.arrive_all(50, 60);
  queue.restart();
  EXPECT_TRUE(queue.has_all(30, 40) && queue.has_all(50, 60));
  EXPECT_FALSE(queue.has(10)) << "forgotten, so stored again if it comes again";
}

TEST(StoredRuns, run_longer_than_a_register_keeps_its_end) {
  StoredQueue queue;
  queue.arrive_all(1, StoredRuns::k_max_length + 100);
  queue.restart();
  EXPECT_FALSE(queue.has(50));
  EXPECT_TRUE(queue.has_all(100, StoredRuns::k_max_length + 100));
}

TEST(StoredRuns, register_that_another_program_wrote_claims_nothing_below_1) {
  StoredRuns runs;
  runs.restore(0, 7);
  runs.restore(1, 3ULL << StoredRuns::k_length_bits | 1000);
  EXPECT_TRUE(runs.has(1) && runs.has(3));
  EXPECT_FALSE(runs.has(4));
}

TEST(StoredRuns, many_runs_keep_memory_bounded) {
  StoredRuns runs;
  for (std::uint64_t i = 1; i <= 2 * k_max_runs; ++i) runs.add(3 * i, std::nullopt);
  EXPECT_FALSE(runs.has(3));
  EXPECT_TRUE(runs.has(6 * k_max_runs));
}

TEST(StoredRuns, memory_alone_knows_what_no_register_holds) {
  StoredRuns runs;
  EXPECT_FALSE(runs.entry_for(5));
  runs.add(5, std::nullopt);
  EXPECT_TRUE(runs.has(5));
  runs.restore(0, 0);
  runs.give_up(0);
  EXPECT_FALSE(runs.entry_for(6));
}

/// Messages arrive in any order, several times, between restarts.
TEST(StoredRuns, no_order_makes_it_claim_what_is_not_stored) {
  std::mt19937 random(20261201);
  for (int round = 0; round < 300; ++round) {
    StoredQueue queue;
    std::set<std::uint64_t> stored;
    std::uint64_t front = 1;
    for (int step = 0; step < 400; ++step) {
      if (random() % 50 == 0) queue.restart();
      const std::uint64_t back = random() % 4 == 0 ? random() % 30 : 0;
      const std::uint64_t sequence = front > back ? front - back : 1;
      if (back == 0) front += random() % 8 == 0 ? 3 : 1;
      if (queue.arrive(sequence)) {
        stored.insert(sequence);
      } else {
        ASSERT_TRUE(stored.contains(sequence)) << "a loss, in round " << round;
      }
    }
  }
}

/// A server gives back what a dead route held; one message at most is late.
TEST(StoredRuns, deaths_with_one_late_message_store_none_twice) {
  std::mt19937 random(20261202);
  for (int round = 0; round < 300; ++round) {
    StoredQueue queue;
    std::set<std::uint64_t> stored;
    const std::uint64_t late = 20 + random() % 60;
    std::vector<std::uint64_t> deliveries;
    for (std::uint64_t sequence = 1; sequence <= 100; ++sequence)
      if (sequence != late) deliveries.push_back(sequence);
    const auto place = std::ranges::upper_bound(deliveries, late + random() % 20);
    deliveries.insert(place, late);
    for (std::size_t next = 0; next < deliveries.size(); ++next) {
      const bool is_new = queue.arrive(deliveries[next]);
      ASSERT_EQ(stored.insert(deliveries[next]).second, is_new) << deliveries[next];
      if (random() % 10 != 0) continue;
      queue.restart();
      next -= std::min<std::size_t>(next, random() % 30);
    }
    EXPECT_EQ(stored.size(), 100U);
  }
}

}  // namespace
