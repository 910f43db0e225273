// A group that keeps only its newest messages, with producers and consumers in threads: each message ends once.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace std::chrono_literals;

namespace {

TEST(DropOldestThreads, each_message_is_delivered_or_dropped_once) {
  LocalQueue queue({.slots = 8, .max_producers = 2, .groups = {"g"}});
  queue.set_keeps("g", 4);
  constexpr std::uint64_t k_messages = 20000;
  std::atomic<std::uint64_t> got = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, in = queue.consumer({.group = "g"})]() mutable {
      while (Result<Message> message = in.receive(5s)) {
        if (message->text() == "end") break;
        EXPECT_TRUE(message->ack());
        ++got;
      }
    });
  }
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < 2; ++i) {
      producers.emplace_back([&, out = queue.producer()]() mutable {
        for (std::uint64_t k = 0; k < k_messages; ++k) ASSERT_EQ(out.publish_until("x", 10s), Status::ok);
      });
    }
  }
  Producer out = queue.producer();
  for (int i = 0; i < 2; ++i) out.publish("end");
  threads.clear();
  EXPECT_EQ(got + queue.memory().group(0).dropped.load_relaxed(), 2 * k_messages);
}

}  // namespace

}  // namespace beltway::test
