// One worker of a group has a job of a second. The producers and the other workers go on: the ring goes round beside it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/parking.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr unsigned k_workers = 4;
constexpr auto k_job = 1s;

struct Case {
  const char* name;
  std::uint32_t producers;
  WaitStrategy wait;
  std::size_t bytes;
};

class LongJob : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] QueueOptions options() const {
    return {.slots = 16,
            .slot_bytes = 64,
            .lane_bytes = 16384,
            .max_producers = GetParam().producers,
            .max_consumers = k_workers,
            .groups = {"workers"}};
  }
};
INSTANTIATE_TEST_SUITE_P(Queues, LongJob,
                         testing::Values(Case{"adaptive", 4, WaitStrategy::adaptive, 16},
                                         Case{"sleeping", 4, WaitStrategy::sleep, 16},
                                         Case{"single", 1, WaitStrategy::adaptive, 16},
                                         Case{"single_sleeping", 1, WaitStrategy::sleep, 16},
                                         Case{"lanes", 4, WaitStrategy::adaptive, 1000},
                                         Case{"single_lane_sleeping", 1, WaitStrategy::sleep, 1000}),
                         [](const auto& of) { return std::string(of.param.name); });

/// Takes messages until the stop. The first worker that gets the long job is busy with it, and must find it unchanged.
void work(LocalQueue& queue, WaitStrategy wait, const std::string& job, const std::stop_token& stop,
          std::atomic<unsigned>& quick, std::atomic<bool>& finished) {
  Consumer in = queue.consumer({.group = "workers", .prefetch = 1, .wait = wait});
  while (Result<Message> message = in.receive(stop)) {
    if (message->text() == job) {
      std::this_thread::sleep_for(k_job);
      EXPECT_EQ(message->text(), job);
      EXPECT_TRUE(message->ack());
      finished = true;
    } else {
      EXPECT_TRUE(message->ack());
      ++quick;
    }
  }
  EXPECT_EQ(in.counters().rescued, 0U);
}

TEST_P(LongJob, ring_goes_round_many_times_beside_a_job_of_a_second) {
  const Case& with = GetParam();
  LocalQueue queue(options());
  const std::string job(with.bytes, 'J');
  const std::string quick_one(with.bytes, 'q');
  std::atomic<unsigned> quick = 0;
  std::atomic<bool> finished = false;
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < k_workers; ++i) {
    workers.emplace_back([&](const std::stop_token& stop) { work(queue, with.wait, job, stop, quick, finished); });
  }
  Producer out = queue.producer({.wait = with.wait});
  out.publish(job);
  unsigned published = 0;
  unsigned during = 0;
  for (const auto end = Clock::now() + 10 * k_job; !finished && Clock::now() < end; ++published) {
    out.publish(quick_one);
    during = published;
  }
  EXPECT_TRUE(finished);
  EXPECT_GT(during, 10 * queue.memory().geometry.slots) << "while the job took its time";
  for (const auto end = Clock::now() + 10s; quick != published && Clock::now() < end;) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(quick, published);
  EXPECT_EQ(out.counters().rescued, 0U);
  EXPECT_EQ(count_parked(queue.memory()), 0U);
}

}  // namespace

}  // namespace beltway::test
