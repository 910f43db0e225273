// How much of the work each consumer of a named group gets while there is work all the time, with more consumers than
// processors.
//
// The tests judge shares of many messages. All consumers run before the first message. Where the ring is always full, the system
// decides which consumer runs: there a consumer's share is of the processor time that it had.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>
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

/// What a consumer got, and the processor time that it had.
struct Share {
  std::uint64_t messages = 0;
  double seconds = 0;
};

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
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
      const double before = thread_seconds();
      ++ready;
      while (Result<Message> message = in.receive(stop)) {
        work();
        EXPECT_TRUE(message->ack());
        ++share.messages;
        ++done;
        done.notify_one();
      }
      share.seconds = thread_seconds() - before;
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

/// `least`: of an equal share.
void expect_shares_of_processor_time(const Load& load, std::uint64_t messages, double least) {
  const std::vector<Share> found = shares(load, messages);
  double seconds = 0;
  for (const Share& each : found) seconds += each.seconds;
  const double all = static_cast<double>(found.size()) * static_cast<double>(messages);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_GE(static_cast<double>(found[i].messages), least * all * found[i].seconds / seconds) << "consumer " << i;
  }
}

constexpr std::uint64_t k_each = 10'000;

TEST(WorkIsShared, sleeping_consumers_of_a_full_ring_get_half_of_their_share_at_least) {
  expect_shares_of_processor_time({WaitStrategy::sleep, 0}, k_each, 0.5);
}

TEST(WorkIsShared, sleeping_consumers_with_work_for_some_of_them_get_half_of_their_share_at_least) {
  for (const Share& each : shares({WaitStrategy::sleep, more_than_processors() / 2}, k_each)) {
    EXPECT_GE(each.messages, k_each / 2);
  }
}

TEST(WorkIsShared, spinning_consumers_of_a_full_ring_get_a_quarter_of_their_share_at_least) {
  expect_shares_of_processor_time({WaitStrategy::spin, 0}, k_each, 0.25);
}

}  // namespace
}  // namespace beltway::test
