// Many threads on one queue over plain memory: nothing lost, doubled or torn, order per producer, one total order over all
// groups, and no wakeup lost.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "traffic.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_most_bytes = 3000;

/// Messages a producer: few in the ordinary suite, more by option.
std::uint64_t messages() {
  const char* const asked = std::getenv("BELTWAY_STRESS_MESSAGES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 4000;
}

struct Shape {
  std::uint32_t producers;
  std::uint32_t consumers;  // of the group
  std::uint32_t slots;
  WaitStrategy wait;
  Fence fence = Fence::asymmetric;
};

std::string describe(const ::testing::TestParamInfo<Shape>& shape) {
  static const char* const waits[] = {"Adaptive", "Spin", "Sleep"};
  return std::to_string(shape.param.producers) + "To" + std::to_string(shape.param.consumers) + "Slots" +
         std::to_string(shape.param.slots) + waits[static_cast<int>(shape.param.wait)] +
         (shape.param.fence == Fence::symmetric ? "Symmetric" : "");
}

constexpr EndOfStream k_drained = EndOfStream::drained;

class Threads : public ::testing::TestWithParam<Shape> {};

void produce(Producer out, std::uint32_t id, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) out.publish(build(id, i, k_most_bytes));
}

/// Receives to the end of the stream; checks each message, and for a private consumer each producer's order.
std::uint64_t receive_all(Consumer in, bool in_order, Account& account) {
  std::vector<std::uint64_t> next(64);
  std::uint64_t order = 0;  // a digest of what came in which order
  for (;;) {
    Result<Message> message = in.receive();
    if (!message) {
      EXPECT_EQ(message.status(), Status::end_of_stream);
      break;
    }
    Stamp stamp{};
    EXPECT_EQ(check(message->bytes(), stamp), "");
    if (in_order) {
      EXPECT_EQ(stamp.number, next.at(stamp.producer)++);
    }
    order = mix(order + stamp.number * 64 + stamp.producer);
    account.saw(stamp);
    // Some are given back, and must come again.
    if (!in_order && message->deliveries() == 1 && stamp.number % 37 == 0) {
      message->nack();
    } else {
      message->ack();
    }
  }
  EXPECT_EQ(in.counters().rescued, 0U);
  EXPECT_EQ(in.counters().corrupt, 0U);
  return order;
}

TEST_P(Threads, nothing_is_lost_doubled_torn_or_out_of_order) {
  const Shape shape = GetParam();
  const std::uint64_t count = messages() / shape.producers;
  LocalQueue queue({.slots = shape.slots,
                    .lane_bytes = 65536,
                    .max_producers = shape.producers,
                    .groups = {"workers"},
                    .fence = shape.fence});
  // All before the first begins: one that ends before the next is there would be the end of the stream.
  std::vector<Producer> producers;
  for (std::uint32_t i = 0; i < shape.producers; ++i) producers.push_back(queue.producer({.wait = shape.wait}));
  std::vector<Account> accounts(shape.consumers + 2);
  std::uint64_t orders[2] = {};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < shape.consumers; ++i) {
    Consumer worker = queue.consumer({.group = "workers", .end_of_stream = k_drained, .wait = shape.wait});
    threads.emplace_back([&, i, in = std::move(worker)]() mutable { receive_all(std::move(in), false, accounts[i]); });
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    Consumer reader = queue.consumer({.end_of_stream = k_drained, .wait = shape.wait});
    threads.emplace_back([&, i, in = std::move(reader)]() mutable {
      orders[i] = receive_all(std::move(in), true, accounts[shape.consumers + i]);
    });
  }
  for (std::uint32_t i = 0; i < shape.producers; ++i) {
    threads.emplace_back([i, count, out = std::move(producers[i])]() mutable { produce(std::move(out), i, count); });
  }
  for (std::thread& thread : threads) thread.join();
  Account group;
  for (std::uint32_t i = 0; i < shape.consumers; ++i) group.merge(accounts[i]);
  EXPECT_EQ(group.missing(shape.producers, count, false), "");
  for (std::uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(accounts[shape.consumers + i].missing(shape.producers, count), "");
  }
  EXPECT_EQ(orders[0], orders[1]) << "two private consumers saw different orders";
}

INSTANTIATE_TEST_SUITE_P(Shapes, Threads,
                         ::testing::Values(Shape{1, 1, 64, WaitStrategy::adaptive}, Shape{1, 2, 4, WaitStrategy::sleep},
                                           Shape{2, 1, 2, WaitStrategy::adaptive},
                                           Shape{2, 2, 1024, WaitStrategy::sleep},
                                           Shape{8, 8, 64, WaitStrategy::adaptive}, Shape{8, 8, 4, WaitStrategy::sleep},
                                           Shape{1, 8, 16, WaitStrategy::sleep, Fence::symmetric},
                                           Shape{8, 1, 16, WaitStrategy::adaptive, Fence::symmetric}),
                         describe);

/// One message in flight at a time: each send finds the other side asleep or about to sleep.
void ping_pong(std::uint32_t max_producers, const char* group, Fence fence) {
  QueueOptions options{.slots = 2, .max_producers = max_producers, .fence = fence};
  if (*group != '\0') options.groups = {group};
  LocalQueue ping(options);
  LocalQueue pong(options);
  Consumer pong_in = pong.consumer({.group = group, .wait = WaitStrategy::sleep});
  Consumer ping_in = ping.consumer({.group = group, .end_of_stream = k_drained, .wait = WaitStrategy::sleep});
  std::thread other([&, in = std::move(ping_in), out = pong.producer()]() mutable {
    while (Result<Message> message = in.receive()) {
      out.publish(message->bytes());
      message->ack();
    }
    EXPECT_EQ(in.counters().rescued, 0U);
  });
  {
    Producer out = ping.producer();
    for (std::uint64_t i = 0; i < messages() / 2; ++i) {
      out.publish(std::to_string(i));
      Result<Message> message = pong_in.receive(10s);
      ASSERT_TRUE(message) << to_string(message.status()) << " at " << i;
      ASSERT_EQ(message->text(), std::to_string(i));
      message->ack();
    }
  }
  other.join();
  EXPECT_EQ(pong_in.counters().rescued, 0U);
  EXPECT_GT(pong_in.counters().sleeps, 0U);
}

TEST(SleepWake, no_wakeup_is_lost_with_private_consumers) { ping_pong(4, "", Fence::asymmetric); }
TEST(SleepWake, no_wakeup_is_lost_with_a_single_producer) { ping_pong(1, "", Fence::asymmetric); }
TEST(SleepWake, no_wakeup_is_lost_with_groups) { ping_pong(2, "g", Fence::asymmetric); }
TEST(SleepWake, no_wakeup_is_lost_with_symmetric_fences) { ping_pong(1, "g", Fence::symmetric); }

TEST(Cancellation, a_stop_request_ends_every_wait) {
  LocalQueue queue({.slots = 2});
  Producer out = queue.producer({.wait = WaitStrategy::sleep});
  for (const WaitStrategy wait : {WaitStrategy::sleep, WaitStrategy::adaptive, WaitStrategy::spin}) {
    Consumer in = queue.consumer({.wait = wait});
    std::stop_source stop;
    std::thread stopper([&] {
      std::this_thread::sleep_for(3ms);
      stop.request_stop();
    });
    EXPECT_EQ(in.receive(stop.get_token()).status(), Status::stopped);
    stopper.join();
    EXPECT_EQ(in.receive({1h, stop.get_token()}).status(), Status::stopped);
    out.publish("a");
    out.publish("b");
    std::stop_source stop_publish;
    std::thread publish_stopper([&] {
      std::this_thread::sleep_for(3ms);
      stop_publish.request_stop();
    });
    EXPECT_EQ(out.publish_until("c", stop_publish.get_token()), Status::stopped);
    publish_stopper.join();
  }
}

}  // namespace
}  // namespace beltway::test
