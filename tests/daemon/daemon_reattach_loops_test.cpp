// ConsumerOptions::reattach in event loops: EventLoop, coroutines and Asio go on with the new endpoint. Its descriptor stays.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <coroutine>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"
#include "beltway/coroutine.hpp"
#include "support/raw_client.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::connect;
using test::eventually;
using test::k_small;
using test::TestDaemon;

/// A consumer that keeps the first message until it is evicted, and then goes on.
class ReattachLoop : public testing::Test {
 protected:
  static QueueOptions evicting() {
    QueueOptions options = k_small;
    options.groups = {"workers"};
    options.evict_after = 150ms;  // so long that a loaded machine evicts it once
    options.max_parked = 0;       // what is held holds the ring
    return options;
  }

  /// Keeps the first message, and acknowledges all others. True after the last one.
  bool take(Message message) {
    const int number = std::stoi(std::string(message.text()));
    if (!held_) {
      EXPECT_EQ(number, 0);
      held_ = std::move(message);
      producer_ = std::jthread([this] { overfill(); });
      // The loop is not left while the daemon evicts: so it is a job that lasts.
      EXPECT_TRUE(eventually([&] { return !held_.still_held(); }));
      return false;
    }
    if (number == 0) ++came_again_;
    EXPECT_TRUE(message.ack());
    return number == last();
  }
  [[nodiscard]] static int last() { return static_cast<int>(k_small.slots) + 2; }
  void overfill() {
    for (int i = 1; i <= last(); ++i) EXPECT_EQ(out_.publish_until(std::to_string(i), 20s), Status::ok);
  }
  void expect_that_it_went_on() {
    EXPECT_EQ(came_again_, 1);
    EXPECT_EQ(in_.reattached(), 1U);
    EXPECT_FALSE(held_.ack()) << "it belongs to the old endpoint";
  }

  const TestDaemon daemon_;
  const Queue queue_ = connect(daemon_).declare("orders", evicting());
  Producer out_ = queue_.producer();
  Consumer in_ = queue_.consumer({.group = "workers", .reattach = true});
  Message held_;
  std::jthread producer_;
  int came_again_ = 0;
};

TEST_F(ReattachLoop, event_loop_goes_on_with_the_new_endpoint) {
  EventLoop loop;
  loop.on_message(in_, [&](Result<Message> message) {
    EXPECT_TRUE(message) << to_string(message.status());
    if (!message || take(std::move(*message))) loop.stop();
  });
  out_.publish("0");
  EXPECT_EQ(loop.run(20s), Status::stopped);
  expect_that_it_went_on();
}

struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
};

TEST_F(ReattachLoop, coroutine_goes_on_with_the_new_endpoint) {
  EventLoop loop;
  const auto work = [&]() -> Task {
    for (;;) {
      Result<Message> message = co_await in_.next(loop);
      EXPECT_TRUE(message) << to_string(message.status());
      if (!message || take(std::move(*message))) break;
    }
    loop.stop();
  };
  out_.publish("0");
  work();
  EXPECT_EQ(loop.run(20s), Status::stopped);
  expect_that_it_went_on();
}

TEST_F(ReattachLoop, asio_goes_on_with_the_new_endpoint) {
  boost::asio::io_context io;
  AsyncConsumer consumer(io, in_);
  std::function<void()> next = [&] {
    consumer.async_receive([&](boost::system::error_code error, Message message) {
      EXPECT_FALSE(error) << error.message();
      if (!error && !take(std::move(message))) next();
    });
  };
  out_.publish("0");
  next();
  io.run_for(20s);
  expect_that_it_went_on();
}

}  // namespace
}  // namespace beltway
