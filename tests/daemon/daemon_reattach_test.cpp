// ConsumerOptions::reattach: a consumer that was evicted attaches again by itself and goes on.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::connect;
using test::eventually;
using test::k_small;
using test::TestDaemon;

QueueOptions with_eviction() {
  QueueOptions options = k_small;
  options.groups = {"workers"};
  options.max_consumers = 4;
  options.evict_after = 30ms;
  options.max_parked = 0;  // what is held holds the ring
  return options;
}

int number_of(const Message& message) { return std::stoi(std::string(message.text())); }

/// Of a private group, and of a named one.
class Reattach : public testing::TestWithParam<std::string> {
 protected:
  Reattach() {
    if (GetParam().empty()) queue.remove_group("workers");
  }
  [[nodiscard]] bool is_named() const { return !GetParam().empty(); }
  [[nodiscard]] ConsumerOptions options() const { return {.group = GetParam(), .reattach = true}; }
  /// Publishes the next numbers, more than the ring takes.
  [[nodiscard]] std::jthread overfill() {
    return std::jthread([this] {
      for (std::uint32_t i = 0; i < k_small.slots + 2; ++i) {
        EXPECT_EQ(out.publish_until(std::to_string(next++), 20s), Status::ok);
      }
    });
  }
  void wait_for_eviction(const Consumer& in) const {
    EXPECT_TRUE(eventually([&] {
      const std::vector<EndpointInfo> endpoints = queue.describe().endpoints;
      return std::ranges::any_of(endpoints, [&](const EndpointInfo& each) {
        return !each.producer && each.evicted && each.index == in.index();
      });
    }));
  }
  /// Requires that `in` was evicted while it held `held`. The message that it gets now comes from where it stood.
  void expect_to_go_on(Message& held, Message& message) const {
    const int before = number_of(held);
    if (is_named()) {
      EXPECT_EQ(number_of(message), before);
      EXPECT_EQ(message.deliveries(), 2U);
    }
    EXPECT_FALSE(held.ack()) << "it belongs to the old endpoint";
    EXPECT_TRUE(message.ack());
  }
  /// Acknowledges all messages that are there and come, up to the last number.
  void read_on(Consumer& in, int last) const {
    for (int number = -1; number != last;) {
      Result<Message> message = in.receive(20s);
      ASSERT_TRUE(message) << to_string(message.status());
      number = number_of(*message);
      EXPECT_TRUE(message->ack());
    }
  }

  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", with_eviction());
  Producer out = queue.producer();
  int next = 0;
};
INSTANTIATE_TEST_SUITE_P(Groups, Reattach, testing::Values("", "workers"),
                         [](const auto& of) { return std::string(of.param.empty() ? "private" : "named"); });

TEST_P(Reattach, evicted_consumer_goes_on_again_and_again) {
  Consumer in = queue.consumer(options());
  for (std::uint64_t turn = 1; turn <= 3; ++turn) {
    out.publish(std::to_string(next++));
    Result<Message> held = in.receive(20s);
    ASSERT_TRUE(held);
    std::jthread producer = overfill();
    wait_for_eviction(in);
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message) << to_string(message.status());
    EXPECT_EQ(in.reattached(), turn);
    expect_to_go_on(*held, *message);
    read_on(in, static_cast<int>(turn * (k_small.slots + 3)) - 1);
  }
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; })) << "old places are free again";
}

TEST_P(Reattach, evicted_consumer_goes_on_in_batches) {
  Consumer in = queue.consumer(options());
  out.publish(std::to_string(next++));
  std::array<Message, 1> held;
  ASSERT_EQ(in.receive_batch(held, 20s).value(), 1U);
  std::jthread producer = overfill();
  wait_for_eviction(in);
  std::array<Message, 2> batch;
  ASSERT_TRUE(in.receive_batch(batch, 20s));
  EXPECT_EQ(in.reattached(), 1U);
  expect_to_go_on(held[0], batch[0]);
  if (batch[1]) {
    EXPECT_TRUE(batch[1].ack());
  }
  read_on(in, static_cast<int>(k_small.slots) + 2);
}

TEST_P(Reattach, descriptor_of_event_mode_stays_the_same) {
  Consumer in = queue.consumer(options());
  const int fd = in.poll_fd();
  const auto is_readable = [fd](std::chrono::milliseconds patience) {
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(patience.count())) == 1;
  };
  for (std::uint64_t turn = 1; turn <= 2; ++turn) {
    out.publish(std::to_string(next++));
    ASSERT_TRUE(is_readable(20s));
    Result<Message> held = in.try_receive();
    ASSERT_TRUE(held);
    const int last = next + static_cast<int>(k_small.slots) + 1;
    std::jthread producer = overfill();
    wait_for_eviction(in);
    ASSERT_TRUE(is_readable(20s));
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message) << to_string(message.status());
    EXPECT_EQ(in.reattached(), turn);
    EXPECT_EQ(in.poll_fd(), fd);
    expect_to_go_on(*held, *message);
    for (int number = -1; number != last;) {
      ASSERT_TRUE(is_readable(20s));
      message = in.try_receive();
      if (!message) continue;
      number = number_of(*message);
      EXPECT_TRUE(message->ack());
    }
    producer.join();  // it may ring once more for a message that has been taken already
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    EXPECT_FALSE(is_readable(0ms));
  }
}

TEST_P(Reattach, stopped_process_goes_on_when_it_continues) {
  Child worker = Child::fork([socket = daemon.socket(), options = options()] {
    auto in = Connection::open({.socket = socket}).open_queue("orders").consumer(options);
    Result<Message> held = in.receive(20s);
    if (!held) return 1;
    ::raise(SIGSTOP);
    if (held->ack()) return 2;
    Result<Message> message = in.receive(20s);
    if (!message || in.reattached() != 1) return 3;
    return message->ack() ? 0 : 4;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; }));
  out.publish(std::to_string(next++));
  ASSERT_TRUE(eventually([&] {
    return test::read_file("/proc/" + std::to_string(worker.pid()) + "/stat").find(") T ") != std::string::npos;
  }));
  while (out.try_publish(std::to_string(next)) == Status::ok) ++next;
  static_cast<void>(out.publish_until("x", 100ms));  // it waits: the worker holds the ring
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints[1].evicted; }));
  worker.kill(SIGCONT);
  EXPECT_EQ(worker.wait(), (test::Exit{.code = 0, .signal = 0}));
}

TEST_P(Reattach, removed_queue_ends_it) {
  Consumer in = queue.consumer(options());
  out.publish(std::to_string(next++));
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  std::jthread producer([&] {
    while (out.publish_until("1", 20s) == Status::ok) {
    }
  });
  wait_for_eviction(in);
  connect(daemon).remove("orders");
  EXPECT_EQ(in.receive(20s).status(), Status::removed);
  EXPECT_EQ(in.try_receive().status(), Status::removed);
  EXPECT_EQ(in.reattached(), 0U);
}

TEST_P(Reattach, consumer_without_a_place_tells_why_and_tries_again) {
  Consumer in = queue.consumer(options());
  out.publish(std::to_string(next++));
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  std::jthread producer = overfill();
  wait_for_eviction(in);
  {
    std::vector<Consumer> others;
    for (int i = 0; i < 3; ++i) others.push_back(queue.consumer({.lossy = true}));
    EXPECT_EQ(test::reason_of([&] { static_cast<void>(in.receive(20s)); }), Errc::limit_reached);
    EXPECT_EQ(test::reason_of([&] { static_cast<void>(in.try_receive()); }), Errc::limit_reached);
  }
  Result<Message> message = in.receive(20s);
  ASSERT_TRUE(message) << to_string(message.status());
  expect_to_go_on(*held, *message);
  read_on(in, static_cast<int>(k_small.slots) + 2);
}

TEST_P(Reattach, interrupt_of_another_thread_reaches_the_new_endpoint) {
  Consumer in = queue.consumer(options());
  out.publish(std::to_string(next++));
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  std::jthread producer = overfill();
  wait_for_eviction(in);
  in.interrupt();  // before it goes on
  int interrupted = 0;
  for (int number = -1; number != static_cast<int>(k_small.slots) + 2 || interrupted == 0;) {
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message || message.status() == Status::interrupted) << to_string(message.status());
    if (!message) ++interrupted;
    if (!message) continue;
    number = number_of(*message);
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(interrupted, 1);
  EXPECT_EQ(in.reattached(), 1U);
  std::jthread interrupts([&] {
    std::this_thread::sleep_for(50ms);
    in.interrupt();
  });
  EXPECT_EQ(in.receive(20s).status(), Status::interrupted);
}

/// Each holder of the first message is evicted.
TEST(ReattachRow, max_deliveries_ends_a_row_of_evictions) {
  const TestDaemon daemon;
  QueueOptions options = with_eviction();
  options.max_deliveries = 3;
  options.discard = true;
  const Queue queue = connect(daemon).declare("orders", options);
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "workers", .reattach = true});
  for (std::uint32_t i = 0; i < k_small.slots; ++i) out.publish(std::to_string(i));
  std::jthread producer([&] { EXPECT_EQ(out.publish_until("last", 20s), Status::ok); });
  std::vector<Message> held;
  for (std::uint32_t delivery = 1; delivery <= 3; ++delivery) {
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), "0");
    EXPECT_EQ(message->deliveries(), delivery);
    held.clear();  // so that the places of earlier endpoints come free
    held.push_back(std::move(*message));
    EXPECT_TRUE(eventually([&] {
      const std::vector<EndpointInfo> endpoints = queue.describe().endpoints;
      return std::ranges::any_of(endpoints, [&](const EndpointInfo& each) {
        return !each.producer && each.evicted && each.index == in.index();
      });
    }));
  }
  Result<Message> message = in.receive(20s);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "1");
  EXPECT_EQ(in.counters().discarded, 1U);
  EXPECT_EQ(in.reattached(), 3U);
}

TEST(ReattachRow, private_consumer_is_told_how_many_messages_are_gone) {
  const TestDaemon daemon;
  QueueOptions options = with_eviction();
  options.groups = {};
  const Queue queue = connect(daemon).declare("orders", options);
  Producer out = queue.producer();
  Consumer in = queue.consumer({.reattach = true});
  out.publish("0");
  out.publish("1");
  EXPECT_TRUE(in.receive(20s)->ack());
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  const int last = static_cast<int>(3 * k_small.slots);
  for (int i = 2; i <= last; ++i) ASSERT_EQ(out.publish_until(std::to_string(i), 20s), Status::ok);
  Result<Message> message = in.receive(20s);
  ASSERT_TRUE(message);
  EXPECT_GT(message->lost(), k_small.slots);
  EXPECT_EQ(number_of(*message), 2 + static_cast<int>(message->lost()));
  EXPECT_EQ(in.counters().lost, message->lost());
  for (int expected = number_of(*message) + 1; expected <= last; ++expected) {
    message = in.receive(20s);
    ASSERT_TRUE(message);
    EXPECT_EQ(number_of(*message), expected);
    EXPECT_EQ(message->lost(), 0U);
  }
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(ReattachRow, the_flag_of_the_tool_is_known) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", with_eviction());
  queue.producer().publish("x");
  const test::Outcome sub = daemon.tool({"sub", "orders", "--group", "workers", "--reattach", "--count", "1"});
  EXPECT_TRUE(sub.exit.ok()) << sub.err;
}

}  // namespace
}  // namespace beltway
