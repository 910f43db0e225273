// How much of the work each consumer of a named group gets while there is work all the time, with more consumers than
// processors.
//
// The tests judge shares of many messages. All consumers run before the first message. The system decides which consumer runs.
// Where the ring is always full, a consumer's share is of the processor time that it had; where consumers sleep, of the time in
// which it did not wait for a processor.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

unsigned more_than_processors() { return std::clamp(std::thread::hardware_concurrency(), 2U, 14U) + 2; }

/// Some ten microseconds of work.
void work() {
  volatile unsigned steps = 0;
  while (steps < 20'000) steps = steps + 1;
}

struct Load {
  WaitStrategy wait;
  unsigned most_at_once;  // messages that are published and not acknowledged; 0: the ring is always full
};

/// What a consumer got, and for how long the system let it.
struct Share {
  std::uint64_t messages = 0;
  double on_processor_s = 0;
  double not_queued_s = 0;  // all time but that in which it waited for a processor
};

double seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// How long this thread could run and waited for a processor. 0 on a system that does not count it.
double queued_seconds() {
  double on_processor_ns = 0;
  double queued_ns = 0;
  std::ifstream("/proc/thread-self/schedstat") >> on_processor_ns >> queued_ns;
  return queued_ns / 1e9;
}

/// Shares of so many messages for each consumer.
std::vector<Share> shares(const Load& load, std::uint64_t messages) {
  const unsigned workers = more_than_processors();
  const std::uint64_t all = workers * messages;
  LocalQueue queue({.slots = 64, .max_producers = 1, .max_consumers = 16, .groups = {"workers"}});
  std::vector<Consumer> consumers;
  for (unsigned i = 0; i < workers; ++i) consumers.push_back(queue.consumer({.group = "workers", .wait = load.wait}));
  Producer out = queue.producer({.wait = WaitStrategy::sleep});
  std::vector<Share> found(workers);
  std::atomic<unsigned> ready = 0;
  std::atomic<std::uint64_t> done = 0;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < workers; ++i) {
    threads.emplace_back([&in = consumers[i], &share = found[i], &ready, &done](const std::stop_token& stop) {
      const double processor_before = seconds(CLOCK_THREAD_CPUTIME_ID);
      const double not_queued_before = seconds(CLOCK_MONOTONIC) - queued_seconds();
      ++ready;
      while (Result<Message> message = in.receive(stop)) {
        work();
        EXPECT_TRUE(message->ack());
        ++share.messages;
        ++done;
        done.notify_one();
      }
      share.on_processor_s = seconds(CLOCK_THREAD_CPUTIME_ID) - processor_before;
      share.not_queued_s = seconds(CLOCK_MONOTONIC) - queued_seconds() - not_queued_before;
    });
  }
  while (ready != workers) std::this_thread::yield();
  for (std::uint64_t published = 0; published < all; ++published) {
    if (load.most_at_once != 0) {
      for (std::uint64_t seen = done; published - seen >= load.most_at_once; seen = done) done.wait(seen);
    }
    EXPECT_EQ(out.publish_until("work", Until()), Status::ok);
  }
  for (std::uint64_t seen = done; seen != all; seen = done) done.wait(seen);
  for (std::jthread& thread : threads) thread.request_stop();
  threads.clear();
  return found;
}

/// `time`: of which a consumer gets its share. `least`: the part of that share which it must get.
void expect_shares(const Load& load, double Share::* time, double least) {
  constexpr std::uint64_t each = 10'000;
  const std::vector<Share> found = shares(load, each);
  double all_time = 0;
  for (const Share& share : found) all_time += share.*time;
  const double all = static_cast<double>(found.size()) * static_cast<double>(each);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_GE(static_cast<double>(found[i].messages), least * all * found[i].*time / all_time) << "consumer " << i;
  }
}

TEST(WorkIsShared, sleeping_consumers_of_a_full_ring_get_half_of_their_share_at_least) {
  expect_shares({WaitStrategy::sleep, 0}, &Share::on_processor_s, 0.5);
}

TEST(WorkIsShared, sleeping_consumers_with_work_for_some_of_them_get_half_of_their_share_at_least) {
  expect_shares({WaitStrategy::sleep, more_than_processors() / 2}, &Share::not_queued_s, 0.5);
}

TEST(WorkIsShared, spinning_consumers_of_a_full_ring_get_a_quarter_of_their_share_at_least) {
  expect_shares({WaitStrategy::spin, 0}, &Share::on_processor_s, 0.25);
}

}  // namespace
}  // namespace beltway::test
