// Asynchronous operations under load: what they allocate, many coroutines over one consumer, and loops with several threads.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <thread>
#include <vector>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"
#include "count_allocations.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// One operation after the other, as a program without coroutines does it.
struct Echo {
  void receive() {
    consumer.async_receive([this](error_code error, Message message) {
      ASSERT_FALSE(error) << error.message();
      message.ack();
      if (++received == warm_up) before = allocations();
      if (received == count) {
        after = allocations();
      } else {
        publish();
      }
    });
  }
  void publish() {
    producer.async_publish("0123456789", [this](error_code error) {
      ASSERT_FALSE(error) << error.message();
      receive();
    });
  }

  AsyncConsumer& consumer;
  AsyncProducer& producer;
  int warm_up = 100;
  int count = 10'000;
  int received = 0;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

TEST(AsioLoad, callbacks_allocate_nothing_in_steady_state) {
  for (const std::string group : {"", "g"}) {
    LocalQueue queue({.groups = group.empty() ? std::vector<NamedGroup>() : std::vector<NamedGroup>{group}});
    Producer out = queue.producer();
    Consumer in = queue.consumer({.group = group});
    asio::io_context io(1);
    AsyncConsumer consumer(io, in);
    AsyncProducer producer(io, out);
    Echo echo{consumer, producer};
    echo.publish();
    io.run();
    EXPECT_EQ(echo.received, echo.count);
    EXPECT_EQ(echo.after, echo.before);
    EXPECT_FALSE(in.try_receive());
  }
}

TEST(AsioLoad, a_receive_that_has_to_wait_allocates_nothing_either) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  asio::io_context io(1);
  AsyncConsumer consumer(io, in);
  constexpr int k_rounds = 1'000;
  constexpr int k_warm_up = 100;
  std::atomic<int> received = 0;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  const std::function<void()> start = [&] {
    consumer.async_receive([&](error_code, Message) {
      if (++received == k_warm_up) before = allocations();
      if (received < k_rounds) return start();
      after = allocations();
    });
  };
  asio::post(io, [&] { start(); });
  std::jthread sender([&] {
    for (int sent = 0; sent < k_rounds; ++sent) {
      while (received < sent) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      out.publish("x");
    }
  });
  io.run();
  EXPECT_EQ(after, before);
  EXPECT_GT(in.counters().sleeps, static_cast<std::uint64_t>(k_warm_up)) << "it did wait";
}

TEST(AsioLoad, a_coroutine_allocates_nothing_in_steady_state) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  asio::io_context io(1);
  AsyncConsumer consumer(io, in);
  AsyncProducer producer(io, out);
  std::uint64_t allocated = 1;
  const auto echo = [&]() -> asio::awaitable<void> {
    std::uint64_t before = 0;
    for (int i = 0; i < 5'000; ++i) {
      if (i == 100) before = allocations();
      co_await producer.async_publish("x", asio::use_awaitable);
      Message message = co_await consumer.async_receive(asio::use_awaitable);
    }
    allocated = allocations() - before;
  };
  asio::co_spawn(io, echo(), asio::detached);
  io.run();
  EXPECT_EQ(allocated, 0U);
}

asio::awaitable<void> serve(AsyncConsumer& consumer, std::atomic<int>& served, int& mine) {
  for (;;) {
    auto [error, message] = co_await consumer.async_receive(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    ++mine;
    ++served;
    message.ack();
  }
}

TEST(AsioLoad, hundreds_of_coroutines_share_one_consumer_fairly) {
  constexpr int k_coroutines = 300;
  constexpr int k_messages = 9'000;
  LocalQueue queue({.slots = 64, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer});
  asio::io_context io;
  AsyncConsumer consumer(io, in);
  std::atomic<int> served = 0;
  std::vector<int> each(k_coroutines);
  for (int& mine : each) asio::co_spawn(io, serve(consumer, served, mine), asio::detached);
  std::jthread sender([&] {
    for (int i = 0; i < k_messages; ++i) out.publish("x");
    Producer gone = std::move(out);
  });
  io.run();
  EXPECT_EQ(served, k_messages);
  for (const int mine : each) EXPECT_EQ(mine, k_messages / k_coroutines) << "first come first served";
  // A message wakes the line, not everybody in it.
  EXPECT_LE(in.counters().sleeps, static_cast<std::uint64_t>(k_messages));
}

TEST(AsioLoad, coroutines_on_a_pool_share_one_consumer) {
  constexpr int k_messages = 20'000;
  LocalQueue queue({.slots = 32, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer});
  std::atomic<int> served = 0;
  std::array<int, 8> each{};
  {
    asio::thread_pool pool(3);
    AsyncConsumer consumer(pool, in);
    for (int& mine : each) asio::co_spawn(asio::make_strand(pool), serve(consumer, served, mine), asio::detached);
    std::jthread sender([&] {
      for (int i = 0; i < k_messages; ++i) out.publish("x");
      Producer gone = std::move(out);
    });
    pool.wait();
  }
  EXPECT_EQ(served, k_messages);
}

TEST(AsioLoad, callbacks_on_a_pool_without_a_strand_share_one_consumer_and_one_producer) {
  constexpr int k_messages = 10'000;
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  std::atomic<int> served = 0;
  std::atomic<int> started = 0;
  std::atomic<int> sent = 0;
  asio::thread_pool pool(3);
  AsyncConsumer consumer(pool, in);
  AsyncProducer producer(pool, out);
  // As many as there are messages: one that another thread starts after the last message would wait for ever.
  std::function<void()> receive = [&] {
    if (started++ >= k_messages) return;
    consumer.async_receive([&](error_code error, Message message) {
      EXPECT_FALSE(error) << error.message();
      message.ack();
      ++served;
      receive();
    });
  };
  std::function<void()> publish = [&] {
    if (sent++ < k_messages) producer.async_publish("x", [&](error_code) { publish(); });
  };
  for (int i = 0; i < 4; ++i) {
    receive();
    publish();
  }
  pool.wait();
  EXPECT_EQ(served, k_messages);
}

}  // namespace
}  // namespace beltway::test
