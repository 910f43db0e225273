// Messages that fail, over plain memory: the pause before the next delivery, what goes first, and which consumer wakes.
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "error_of.hpp"
#include "failing_group.hpp"
#include "ring/counters.hpp"
#include "ring/redelivery.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Retry, the_delay_doubles_with_each_failure_up_to_its_limit) {
  const Redelivery usual{1, 1000, 0, false};
  EXPECT_EQ(retry_delay_us(usual, 0), 1000U);
  EXPECT_EQ(retry_delay_us(usual, 1), 2000U);
  EXPECT_EQ(retry_delay_us(usual, 9), 512'000U);
  for (const unsigned tries : {10U, 30U, 255U})
    EXPECT_EQ(retry_delay_us(usual, static_cast<std::uint8_t>(tries)), 1'000'000U);
  EXPECT_EQ(retry_delay_us({0, 1000, 0, false}, 200), 0U);
  EXPECT_EQ(retry_delay_us({5, 0, 0, false}, 1), 0U);
  EXPECT_EQ(retry_delay_us({5, 3, 0, false}, 0), 3000U) << "the limit holds for the first delay, too";
}

TEST(Retry, numbers_that_a_peer_wrote_are_cut_to_a_day) {
  const Redelivery wrong = Redelivery::of(~std::uint64_t{0});
  EXPECT_EQ(retry_delay_us(wrong, 255), static_cast<std::uint64_t>(k_max_retry_delay_ms) * 1000);
  EXPECT_TRUE(is_due(~std::uint64_t{0} >> 16, now_us())) << "no nack can have set this time";
}

TEST(Retry, a_message_that_failed_comes_again_after_its_delay_and_newer_ones_before) {
  FailingGroup group;
  group.queue.set_redelivery("g", {20, 1000, 0, false});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("bad");
  out.publish("good");
  const auto start = Clock::now();
  EXPECT_TRUE(in.receive()->nack());
  EXPECT_EQ(group.lease(0).phase, LeasePhase::delayed);
  EXPECT_EQ(group.lease(0).tries, 1U);
  EXPECT_TRUE(in.receive()->ack());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  Result<Message> again = in.receive();
  ASSERT_TRUE(again);
  EXPECT_GE(Clock::now() - start, 20ms);
  EXPECT_EQ(again->text(), "bad");
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_EQ(group.earliest().due_us, 0U) << "no message is delayed any more";
  EXPECT_TRUE(again->ack());
  EXPECT_EQ(in.counters().nacks, 1U);
  EXPECT_EQ(in.counters().acks, 2U);
  EXPECT_EQ(in.counters().rescued, 0U);
}

TEST(Retry, a_delay_of_zero_delivers_at_once_before_newer_messages) {
  FailingGroup group;
  group.queue.set_redelivery("g", {50, 1000, 0, false});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("0");
  out.publish("1");
  EXPECT_TRUE(in.receive()->nack(0us));
  EXPECT_EQ(text_of(in.try_receive()), "0");
}

TEST(Retry, a_dropped_message_and_an_exception_of_a_handler_wait_too) {
  FailingGroup group;
  group.queue.set_redelivery("g", {600'000, 600'000, 0, false});
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("dropped");
  out.publish("thrown");
  EXPECT_EQ(text_of(in.receive()), "dropped");
  EXPECT_THROW(in.consume([](Message& /*message*/) { throw std::runtime_error("failed"); }), std::runtime_error);
  EXPECT_EQ(group.lease(0).phase, LeasePhase::delayed);
  EXPECT_EQ(group.lease(1).phase, LeasePhase::delayed);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(Retry, a_message_that_outlives_its_consumer_goes_back_at_once) {
  FailingGroup group;
  group.queue.set_redelivery("g", {600'000, 600'000, 0, false});
  Producer out = group.queue.producer();
  out.publish("x");
  std::optional<Consumer> in = group.consumer();
  {
    const Result<Message> held = in->receive();
    EXPECT_EQ(text_of(held), "x");
    in.reset();
  }
  EXPECT_EQ(group.lease(0).phase, LeasePhase::retry);
}

TEST(Retry, a_delay_out_of_range_is_refused_and_the_message_stays_held) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("x");
  Result<Message> message = in.receive();
  for (const std::chrono::microseconds delay : {std::chrono::microseconds(-1), std::chrono::microseconds(25h)}) {
    const Error error = error_of([&] { message->nack(delay); });
    EXPECT_EQ(error.reason(), Errc::invalid_option);
    EXPECT_NE(std::string(error.what()).find("86400000000"), std::string::npos) << error.what();
    EXPECT_TRUE(*message);
  }
  EXPECT_TRUE(message->nack(24h));
  EXPECT_FALSE(*message);
}

TEST(Retry, a_due_message_waits_for_ready_ones_until_it_is_overdue_and_then_takes_turns) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  for (int i = 0; i < 12; ++i) out.publish(std::to_string(i));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(in.receive()->nack(1us));
  EXPECT_TRUE(in.receive()->ack()) << "READY ones come first";
  std::this_thread::sleep_for(std::chrono::microseconds(k_retry_patience_us) + 1ms);
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    Result<Message> message = in.try_receive();
    order.emplace_back(text_of(message));
    message->ack();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"0", "3", "1", "4"}));
}

TEST(Retry, half_of_a_batch_are_overdue_messages) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  for (int i = 0; i < 20; ++i) out.publish(std::to_string(i));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(in.receive()->nack(1us));
  std::this_thread::sleep_for(std::chrono::microseconds(k_retry_patience_us) + 1ms);
  std::array<Message, 8> batch;
  ASSERT_EQ(in.try_receive_batch(batch).value_or(0), 8U);
  const auto again =
      std::count_if(batch.begin(), batch.end(), [](const Message& each) { return each.deliveries() > 1; });
  EXPECT_EQ(again, 4);
  EXPECT_EQ(ack_batch(batch), 8U);
}

TEST(Retry, many_delayed_messages_come_again_each_once) {
  constexpr int k_messages = 500;
  FailingGroup group(512);
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  for (int i = 0; i < k_messages; ++i) out.publish(std::to_string(i));
  std::set<std::string> seen;
  // Some are due before all have come for the first time.
  for (int nacks = 0; nacks < k_messages || seen.size() < k_messages;) {
    Result<Message> message = in.receive(5s);
    ASSERT_TRUE(message);
    if (message->deliveries() == 1) {
      EXPECT_TRUE(message->nack(std::chrono::microseconds(1 + nacks++ % 7)));
      continue;
    }
    EXPECT_EQ(message->deliveries(), 2U);
    EXPECT_TRUE(seen.insert(std::string(message->text())).second);
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(group.earliest().due_us, 0U);
}

TEST(Retry, a_due_time_of_another_lease_does_not_count) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("x");
  EXPECT_TRUE(in.receive()->nack(k_late));
  Word& time = group.queue.memory().lease_time(0, 0);
  time.store_release(LeaseTime{LeaseTime::of(time.load_acquire()).due_us, 99, 1}.word());
  group.block().earliest_due.store_release(EarliestDue{1, 0}.word());
  EXPECT_EQ(text_of(in.try_receive()), "x") << "a late consumer wrote that time: the message is due at once";
}

TEST(Retry, wrong_due_times_are_set_right_and_never_lose_a_message) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer(WaitStrategy::sleep);
  out.publish("x");
  EXPECT_TRUE(in.receive()->nack(1us));
  group.block().earliest_due.store_release(~std::uint64_t{0});
  Result<Message> again = in.receive(5s);
  EXPECT_EQ(text_of(again), "x") << "a time beyond all delays is no time";
  EXPECT_TRUE(again->ack());
  out.publish("y");
  EXPECT_TRUE(in.receive()->nack(1us));
  group.block().earliest_due.store_release(0);
  EXPECT_EQ(in.try_receive().status(), Status::empty) << "nobody knows";
  EXPECT_FALSE(group.queue.heal().disorder());
  EXPECT_EQ(text_of(in.receive(5s)), "y") << "heal finds it in the lease words";
}

// -- waiting ------------------------------------------------------------------------------------------------------

TEST(RetryWaiting, a_sleeping_consumer_wakes_when_a_message_of_another_one_is_due) {
  for (const WaitStrategy wait : {WaitStrategy::sleep, WaitStrategy::adaptive, WaitStrategy::spin}) {
    FailingGroup group;
    Producer out = group.queue.producer();
    Consumer one = group.consumer();
    Consumer two = group.consumer(wait);
    out.publish("x");
    Result<Message> held = one.receive();
    std::thread waiter([&] {
      Result<Message> message = two.receive(10s);
      EXPECT_EQ(text_of(message), "x");
      if (message) message->ack();
    });
    std::this_thread::sleep_for(10ms);
    const auto start = Clock::now();
    EXPECT_TRUE(held->nack(20ms));
    waiter.join();
    EXPECT_GE(Clock::now() - start, 20ms);
    EXPECT_LT(Clock::now() - start, 900ms) << "the last resort of a sleeper comes after a second";
    EXPECT_EQ(two.counters().rescued, 0U);
  }
}

TEST(RetryWaiting, the_watch_is_handed_on_by_a_consumer_that_times_out_or_gets_other_work) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer failing = group.consumer();
  Consumer busy = group.consumer(WaitStrategy::sleep);
  Consumer last = group.consumer(WaitStrategy::sleep);
  out.publish("x");
  Result<Message> held = failing.receive();
  std::thread sleeper([&] {
    Result<Message> message = last.receive(10s);
    while (message && message->text() == "y") {
      message->ack();
      message = last.receive(10s);
    }
    EXPECT_EQ(text_of(message), "x");
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(held->nack(200ms));  // wakes `last`, which watches
  // `busy` sleeps and leaves: with a message of its own, and at a deadline.
  const auto start = Clock::now();
  EXPECT_EQ(busy.receive(20ms).status(), Status::timeout);
  std::thread publisher([&] {
    std::this_thread::sleep_for(20ms);
    out.publish("y");
  });
  sleeper.join();
  publisher.join();
  EXPECT_LT(Clock::now() - start, 900ms);
  EXPECT_EQ(last.counters().rescued + busy.counters().rescued, 0U);
}

TEST(RetryWaiting, a_thousand_delayed_messages_cost_fewer_than_two_thousand_wakes) {
  constexpr int k_messages = 1000;
  constexpr int k_workers = 4;
  FailingGroup group(1024);
  Producer out = group.queue.producer();
  Consumer failing = group.consumer();
  std::vector<Consumer> workers;
  for (int i = 0; i < k_workers; ++i) workers.push_back(group.consumer(WaitStrategy::sleep));
  for (int i = 0; i < k_messages; ++i) out.publish("x");
  std::vector<Message> held(k_messages);
  ASSERT_EQ(failing.receive_batch(held).value_or(0), 1000U);
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (Consumer& worker : workers) {
    threads.emplace_back([&worker, &done] {
      while (done.load() < k_messages) {
        Result<Message> message = worker.receive(300ms);
        if (!message) continue;
        EXPECT_TRUE(message->ack());
        ++done;
      }
    });
  }
  std::this_thread::sleep_for(20ms);
  const std::uint64_t published = out.counters().wakes;
  for (int i = 0; i < k_messages; ++i) EXPECT_TRUE(held[static_cast<std::size_t>(i)].nack(20ms + i * 200us));
  for (std::thread& thread : threads) thread.join();
  std::uint64_t wakes = out.counters().wakes - published + failing.counters().wakes;
  std::uint64_t sleeps = 0;
  for (const Consumer& worker : workers) {
    wakes += worker.counters().wakes;
    sleeps += worker.counters().sleeps;
    EXPECT_EQ(worker.counters().rescued, 0U);
  }
  EXPECT_EQ(done.load(), k_messages);
  EXPECT_LT(wakes, 2000U);
  EXPECT_LT(sleeps, 3 * 1000U) << "one sleeper watches, and not all of them";
  for (const Consumer& worker : workers) EXPECT_LE(worker.counters().needless_wakes, 1000U);
}

TEST(RetryWaiting, a_delayed_message_wakes_each_sleeper_needlessly_once_at_most) {
  constexpr unsigned k_workers = 4;
  for (int round = 0; round < 20; ++round) {
    FailingGroup group;
    Producer out = group.queue.producer();
    Consumer failing = group.consumer();
    std::vector<Consumer> workers;
    for (unsigned i = 0; i < k_workers; ++i) workers.push_back(group.consumer(WaitStrategy::sleep));
    out.publish("x");
    Result<Message> held = failing.receive();
    std::atomic<unsigned> received = 0;
    {
      std::vector<std::jthread> threads;
      for (Consumer& worker : workers) {
        threads.emplace_back([&worker, &received](const std::stop_token& stop) {
          while (Result<Message> message = worker.receive(stop)) {
            message->ack();
            ++received;
          }
        });
      }
      const QueueMemory& memory = group.queue.memory();
      const auto all_sleep = [&memory] {
        return std::popcount(memory.shared_status().consumer_sleepers.load_acquire()) == static_cast<int>(k_workers);
      };
      while (!all_sleep()) std::this_thread::sleep_for(1ms);
      EXPECT_TRUE(held->nack(round * 1ms));
      while (received == 0 || !all_sleep()) std::this_thread::sleep_for(1ms);
      // Before the end of the threads: a sleeper that is stopped wakes the next one.
      for (const Consumer& worker : workers) {
        const Word* const words = memory.endpoint(k_first_consumer + worker.index()).counters;
        const auto counters = load_counters<ConsumerCounters>(words);
        EXPECT_LE(counters.needless_wakes, 1U) << "consumer " << worker.index() << " in round " << round;
        EXPECT_EQ(counters.rescued, 0U);
      }
    }
    EXPECT_EQ(received, 1U);
  }
}

TEST(RetryWaiting, event_mode_becomes_readable_when_a_message_is_due) {
  FailingGroup group;
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  const int fd = in.poll_fd();
  const auto is_readable = [fd](int timeout_ms) {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, timeout_ms) == 1;
  };
  out.publish("x");
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->nack(50ms));
  while (in.try_receive().status() != Status::empty) {
  }
  EXPECT_FALSE(is_readable(10));
  EXPECT_TRUE(is_readable(2000));
  EXPECT_EQ(text_of(in.try_receive()), "x");
}

TEST(RetryWaiting, the_end_of_the_stream_waits_for_a_delayed_message) {
  FailingGroup group;
  std::optional<Producer> out = group.queue.producer();
  Consumer in = group.queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  out->publish("x");
  out.reset();
  EXPECT_TRUE(in.receive()->nack(30ms));
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  Result<Message> again = in.receive();
  EXPECT_EQ(text_of(again), "x");
  EXPECT_TRUE(again->ack());
  EXPECT_EQ(in.receive().status(), Status::end_of_stream);
}

}  // namespace
}  // namespace beltway::test
