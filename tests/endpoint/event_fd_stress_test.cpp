// No wakeup is lost while producers and consumers in threads of their own sleep on their descriptors, with tiny rings, so that
// both ends sleep all the time. A wait that runs into its patience is a lost wakeup.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "watch.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr auto k_patience = 20s;

class EventFdStress : public testing::TestWithParam<WatchKind> {};
INSTANTIATE_TEST_SUITE_P(Watched, EventFdStress, testing::Values(WatchKind::poll, WatchKind::level, WatchKind::edge),
                         [](const auto& test) { return name_of(test.param); });

void rest(std::mt19937& random) {
  if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
}

void publish_all(Producer& out, WatchKind kind, std::uint64_t count, std::atomic<int>& lost_wakes) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(out.index()));
  const Watch watch(kind, out.poll_fd());
  for (std::uint64_t i = 0; i < count && lost_wakes == 0;) {
    if (out.try_publish(Bytes(&i, sizeof i)) == Status::ok) {
      ++i;
      rest(random);
    } else if (!watch.wait(k_patience)) {
      ++lost_wakes;
    }
  }
}

/// Receives until the end of the stream; returns the number of messages that were acknowledged.
std::uint64_t receive_all(Consumer& in, WatchKind kind, std::atomic<int>& lost_wakes) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(in.index() + 100));
  const Watch watch(kind, in.poll_fd());
  std::uint64_t received = 0;
  while (lost_wakes == 0) {
    Result<Message> message = in.try_receive();
    if (message) {
      rest(random);
      if (!in.group().empty() && random() % 8 == 0) {
        message->nack();
      } else {
        message->ack();
        ++received;
      }
    } else if (message.status() == Status::end_of_stream) {
      break;
    } else if (!watch.wait(k_patience)) {
      ++lost_wakes;
    }
  }
  return received;
}

TEST_P(EventFdStress, no_wakeup_is_lost_between_threads) {
  constexpr std::uint64_t k_each = 3'000;
  for (const std::uint32_t producers : {1U, 3U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers, .groups = {"g"}});
    std::atomic<int> lost_wakes = 0;
    std::atomic<std::uint64_t> by_group = 0;
    std::uint64_t by_private = 0;
    std::vector<Producer> outs;
    std::vector<Consumer> ins;
    for (std::uint32_t i = 0; i < producers; ++i) outs.push_back(queue.producer());
    ins.push_back(queue.consumer());
    for (int i = 0; i < 2; ++i) {
      ins.push_back(queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer, .prefetch = 1}));
    }
    {
      std::vector<std::jthread> threads;
      for (int i = 1; i <= 2; ++i) {
        threads.emplace_back(
            [&, i] { by_group += receive_all(ins[static_cast<std::size_t>(i)], GetParam(), lost_wakes); });
      }
      threads.emplace_back([&] { by_private = receive_all(ins[0], GetParam(), lost_wakes); });
      std::vector<std::jthread> publishers;
      for (Producer& out : outs) {
        publishers.emplace_back([&] { publish_all(out, GetParam(), k_each, lost_wakes); });
      }
      publishers.clear();
      outs.clear();  // the end of the stream
    }
    EXPECT_EQ(lost_wakes, 0);
    EXPECT_EQ(by_private, producers * k_each);
    EXPECT_EQ(by_group, producers * k_each);
  }
}

}  // namespace
}  // namespace beltway::test
