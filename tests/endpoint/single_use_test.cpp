// Two threads that use one endpoint at once are told so by name; an endpoint that is handed on to another thread is not.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <coroutine>
#include <exception>
#include <functional>
#include <future>
#include <latch>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

std::string misuse_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.reason() == Errc::misuse ? error.what() : "another error";
  }
  return "nothing";
}

void expect_named(const std::string& what, const std::string& endpoint) {
  EXPECT_NE(what.find("two threads used one " + endpoint + " at once"), std::string::npos) << what;
  EXPECT_NE(what.find("\"local\""), std::string::npos) << what;
  EXPECT_NE(what.find("lock or a strand"), std::string::npos) << what;
}

TEST(SingleUse, a_producer_that_waits_in_one_thread_and_is_used_in_another_is_named) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers, .groups = {"g"}});
    Producer out = queue.producer();
    Consumer in = queue.consumer({.group = "g"});
    for (int i = 0; i < 4; ++i) out.publish("x");
    std::jthread other([&] { EXPECT_EQ(out.publish_until("waits", 30s), Status::ok); });
    ASSERT_TRUE(eventually([&] { return queue.memory().shared_status().producer_sleepers.load_relaxed() != 0; }));
    expect_named(misuse_of([&] { static_cast<void>(out.try_publish("y")); }), "Producer");
    expect_named(misuse_of([&] { static_cast<void>(out.publish_until("y", 1ms)); }), "Producer");
    const std::array<Bytes, 2> batch{Bytes("a"), Bytes("b")};
    expect_named(misuse_of([&] { static_cast<void>(out.try_publish_batch(batch)); }), "Producer");
    expect_named(misuse_of([&] { static_cast<void>(out.try_publish_parts(batch)); }), "Producer");
#ifndef NDEBUG
    expect_named(misuse_of([&] { static_cast<void>(out.try_loan(10)); }), "Producer");
    expect_named(misuse_of([&] { static_cast<void>(out.loan_until(10, 1ms)); }), "Producer");
#endif
    for (int i = 0; i < 4; ++i) in.receive()->ack();
    other.join();
    EXPECT_EQ(in.receive(10s)->text(), "waits");
    EXPECT_EQ(out.try_publish("afterwards"), Status::ok) << "the endpoint is as good as before";
  }
}

TEST(SingleUse, a_consumer_that_waits_in_one_thread_and_is_used_in_another_is_named) {
  for (const char* group : {"", "g"}) {
    LocalQueue queue({.slots = 4, .groups = {"g"}});
    Producer out = queue.producer();
    Consumer in = queue.consumer({.group = group});
    std::jthread other([&] { EXPECT_EQ(in.receive(30s)->text(), "x"); });
    ASSERT_TRUE(eventually([&] { return queue.memory().shared_status().consumer_sleepers.load_relaxed() != 0; }));
    expect_named(misuse_of([&] { static_cast<void>(in.try_receive()); }), "Consumer");
    expect_named(misuse_of([&] { static_cast<void>(in.receive(1ms)); }), "Consumer");
    std::array<Message, 2> batch;
    expect_named(misuse_of([&] { static_cast<void>(in.receive_batch(batch, 1ms)); }), "Consumer");
    expect_named(misuse_of([&] { static_cast<void>(in.try_receive_batch(batch)); }), "Consumer");
    out.publish("x");
  }
}

#ifndef NDEBUG
TEST(SingleUse, the_inline_paths_name_a_misuse_in_programs_compiled_for_debugging) {
  LocalQueue queue({.slots = 16, .max_producers = 1});
  Producer out = queue.producer();
  Loan loan = out.loan(100);
  std::latch inside(1);
  std::latch go_on(1);
  std::jthread other([&] {
    out.publish(8, [&](std::span<std::byte>) {
      inside.count_down();
      go_on.wait();
    });
  });
  inside.wait();
  expect_named(misuse_of([&] { out.publish("y"); }), "Producer");
  expect_named(misuse_of([&] { static_cast<void>(out.try_publish(4, [](std::span<std::byte>) {})); }), "Producer");
  expect_named(misuse_of([&] { loan.commit(); }), "Producer");
  go_on.count_down();
  other.join();
  loan.commit();
  out.publish("afterwards");
}
#endif

TEST(SingleUse, an_ack_in_another_thread_is_no_misuse) {
  LocalQueue queue({.slots = 4, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  out.publish("x");
  Message message = std::move(*in.receive());
  std::jthread other([&] { EXPECT_EQ(in.receive(30s)->text(), "y"); });
  ASSERT_TRUE(eventually([&] { return queue.memory().shared_status().consumer_sleepers.load_relaxed() != 0; }));
  EXPECT_TRUE(message.ack());
  out.publish("y");
}

/// Passes one producer and one consumer through many threads, one at a time.
TEST(SingleUse, endpoints_that_a_lock_hands_from_thread_to_thread_are_no_misuse) {
  LocalQueue queue({.slots = 8, .max_producers = 2, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  std::mutex one_at_a_time;
  std::atomic<int> received = 0;
  {
    std::vector<std::jthread> pool;
    for (int t = 0; t < 4; ++t) {
      pool.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          const std::lock_guard lock(one_at_a_time);
          out.publish("x");
          Result<Message> message = in.receive(10s);
          if (message && message->ack()) ++received;
        }
      });
    }
  }
  EXPECT_EQ(received, 2000);
}

TEST(SingleUse, an_endpoint_that_was_used_by_an_ended_thread_is_no_misuse) {
  LocalQueue queue({.slots = 8, .max_producers = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (int i = 0; i < 50; ++i) {
    std::thread([&] { out.publish("x"); }).join();
    std::thread([&] { EXPECT_EQ(in.receive(10s)->text(), "x"); }).join();
  }
}

/// Goes on in a new thread.
struct Threads {
  std::mutex mutex;
  std::vector<std::jthread> threads;
};
struct OnAnotherThread {
  Threads& where;
  static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    // This object may be gone as soon as the thread runs; the next one waits for the lock.
    const std::lock_guard lock(where.mutex);
    where.threads.emplace_back([handle] { handle.resume(); });
  }
  static void await_resume() noexcept {}
};
struct Detached {
  struct promise_type {
    static Detached get_return_object() noexcept { return {}; }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept { std::terminate(); }
  };
};

TEST(SingleUse, a_coroutine_that_goes_on_in_other_threads_is_no_misuse) {
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  Threads threads;
  threads.threads.reserve(100);
  std::promise<int> done;
  const auto work = [](Producer& to, Consumer& from, Threads& where, std::promise<int>& end) -> Detached {
    int count = 0;
    for (int i = 0; i < 50; ++i) {
      to.publish("x");
      co_await OnAnotherThread{where};
      Result<Message> message = from.receive(10s);
      if (message && message->ack()) ++count;
      co_await OnAnotherThread{where};
    }
    end.set_value(count);
  };
  work(out, in, threads, done);
  EXPECT_EQ(done.get_future().get(), 50);
  const std::lock_guard all_are_started(threads.mutex);
}

}  // namespace
}  // namespace beltway::test
