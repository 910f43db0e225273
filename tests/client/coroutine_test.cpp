// co_await consumer.next(loop) and producer.send(loop, message), with EventLoop and with a loop of another kind.
#include "beltway/coroutine.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

/// The smallest coroutine type: runs at once, and is destroyed with its object.
class Task {
 public:
  struct promise_type {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { failure = std::current_exception(); }
    std::exception_ptr failure;
  };
  // Clang 14 moves what it returns; nobody else does.
  [[maybe_unused]] Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_ != nullptr) handle_.destroy();
  }
  [[nodiscard]] bool done() const { return handle_.done(); }
  [[nodiscard]] std::exception_ptr failure() const { return handle_.promise().failure; }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// What a program with its own loop writes: ten lines on poll().
class PollLoop {
 public:
  void when_readable(int fd, std::function<void()> callback) { callbacks_[fd] = std::move(callback); }
  void forget(int fd) noexcept { callbacks_.erase(fd); }
  void run() {
    while (!callbacks_.empty()) {
      std::vector<pollfd> entries;
      for (const auto& [fd, callback] : callbacks_) entries.push_back({fd, POLLIN, 0});
      ::poll(entries.data(), entries.size(), -1);
      for (const pollfd& entry : entries) {
        if (entry.revents == 0) continue;
        if (auto node = callbacks_.extract(entry.fd)) node.mapped()();
      }
    }
  }

 private:
  std::map<int, std::function<void()>> callbacks_;
};

template <class Loop>
Task receive_all(Consumer& in, Loop& loop, std::vector<std::string>& got) {
  for (;;) {
    Result<Message> received = co_await in.next(loop);
    if (!received) {
      got.emplace_back(to_string(received.status()));
      co_return;
    }
    got.emplace_back(received->text());
    received->ack();
  }
}

template <class Loop>
Task send_all(std::optional<Producer>& out, Loop& loop, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string text = std::to_string(i);
    if (co_await out->send(loop, text) != Status::ok) throw std::runtime_error("send");
  }
  out.reset();
}

template <class Loop>
struct Coroutine : testing::Test {};
using Loops = testing::Types<EventLoop, PollLoop>;
TYPED_TEST_SUITE(Coroutine, Loops);

TYPED_TEST(Coroutine, messages_come_in_order_and_then_the_end) {
  constexpr int k_count = 1000;
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  std::optional<Producer> out = queue.producer();
  Consumer in = queue.consumer();
  Consumer member = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer, .prefetch = 1});
  TypeParam loop;
  std::vector<std::string> got;
  std::vector<std::string> leased;
  const Task receiver = receive_all(in, loop, got);
  const Task worker = receive_all(member, loop, leased);
  const Task sender = send_all(out, loop, k_count);
  EXPECT_FALSE(receiver.done());
  loop.run();
  EXPECT_TRUE(receiver.done() && worker.done() && sender.done());
  EXPECT_FALSE(sender.failure());
  ASSERT_EQ(got.size(), k_count + 1U);
  for (std::size_t i = 0; i < k_count; ++i) ASSERT_EQ(got[i], std::to_string(i));
  EXPECT_EQ(got.back(), to_string(Status::end_of_stream));
  EXPECT_EQ(leased, got);
}

template <class Loop>
Task send_with_keys(Producer& out, Loop& loop, int count, std::vector<Status>& results) {
  for (int i = 0; i < count; ++i) {
    const std::string key = "key " + std::to_string(i);
    const MessageHeader headers[] = {{"number", key}};
    results.push_back(co_await out.send(loop, "text", {.key = key, .headers = headers}));
  }
  const std::string long_key(k_max_property_bytes + 1, 'k');
  results.push_back(co_await out.send(loop, "text", {.key = long_key}));
}

TYPED_TEST(Coroutine, a_message_is_sent_with_properties_once_there_is_room) {
  LocalQueue queue({.slots = 2, .slot_bytes = 128});
  Consumer in = queue.consumer();
  Producer out = queue.producer();
  TypeParam loop;
  std::vector<Status> results;
  const Task sender = send_with_keys(out, loop, 6, results);
  EXPECT_EQ(results.size(), 2U) << "the queue is full";
  std::vector<std::string> keys;
  const auto receive = [](Consumer& from, TypeParam& events, std::vector<std::string>& got) -> Task {
    while (got.size() < 6) {
      const Result<Message> message = co_await from.next(events);
      const PropertiesView properties = message->properties();
      EXPECT_EQ(message->text(), "text");
      EXPECT_EQ(properties.header("number"), properties.key());
      got.emplace_back(properties.key());
    }
  };
  const Task receiver = receive(in, loop, keys);
  loop.run();
  ASSERT_TRUE(sender.done() && receiver.done());
  ASSERT_EQ(keys.size(), 6U);
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(keys[i], "key " + std::to_string(i));
  ASSERT_EQ(results.size(), 7U);
  EXPECT_EQ(results[5], Status::ok);
  EXPECT_EQ(results[6], Status::too_large);
}

TYPED_TEST(Coroutine, a_ready_message_is_taken_without_suspending) {
  LocalQueue queue;
  std::optional<Producer> out = queue.producer();
  Consumer in = queue.consumer();
  out->publish("there");
  out.reset();
  TypeParam loop;
  std::vector<std::string> got;
  const Task receiver = receive_all(in, loop, got);
  EXPECT_TRUE(receiver.done());
  EXPECT_EQ(got.size(), 2U);
}

TYPED_TEST(Coroutine, a_coroutine_that_is_destroyed_while_it_waits_takes_no_message) {
  LocalQueue queue({.slots = 4});
  Consumer in = queue.consumer();
  std::optional<Producer> out = queue.producer();
  TypeParam loop;
  std::vector<std::string> got;
  {
    const Task receiver = receive_all(in, loop, got);
    EXPECT_FALSE(receiver.done());
    out->publish("kept");
  }
  loop.run();  // nothing is left to wait for
  EXPECT_EQ(in.try_receive()->text(), "kept");
  while (out->try_publish("x") == Status::ok) continue;
  {
    const Task sender = send_all(out, loop, 1);
    EXPECT_FALSE(sender.done());
  }
  while (in.try_receive()) continue;
  loop.run();
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TYPED_TEST(Coroutine, errors_of_coroutines_are_statuses) {
  LocalQueue queue({.slots = 4, .lane_bytes = 0});
  Consumer in = queue.consumer();
  std::optional<Producer> out = queue.producer();
  TypeParam loop;
  std::vector<std::string> got;
  const Task receiver = receive_all(in, loop, got);
  const auto send = [](Producer& producer, TypeParam& where, std::vector<std::string>& said) -> Task {
    const std::string large(1000, 'x');
    said.emplace_back(to_string(co_await producer.send(where, large)));
  };
  std::vector<std::string> said;
  const Task sender = send(*out, loop, said);
  EXPECT_EQ(said, std::vector<std::string>{std::string(to_string(Status::too_large))});
  queue.remove();
  loop.run();
  EXPECT_EQ(got, std::vector<std::string>{std::string(to_string(Status::removed))});
}

TYPED_TEST(Coroutine, a_coroutine_is_woken_by_other_threads) {
  constexpr int k_count = 2000;
  LocalQueue queue({.slots = 8});
  std::optional<Producer> out = queue.producer();
  Consumer in = queue.consumer();
  TypeParam loop;
  std::vector<std::string> got;
  const Task receiver = receive_all(in, loop, got);
  std::jthread sender([&] {
    for (int i = 0; i < k_count; ++i) {
      out->publish(std::to_string(i));
      if (i % 16 == 0) std::this_thread::sleep_for(10us);
    }
    out.reset();
  });
  loop.run();
  EXPECT_EQ(got.size(), k_count + 1U);
}

}  // namespace
}  // namespace beltway::test
