// interrupt() ends a wait; pthread_cancel() ends none.
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "local_queue.hpp"
#include "ring/floors.hpp"
#include "waits.hpp"
#include "watch.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

class Interrupt : public testing::TestWithParam<WaitStrategy> {};
std::string name_of(const testing::TestParamInfo<WaitStrategy>& test) {
  const std::array names{"adaptive", "spin", "sleep"};
  return names[static_cast<std::size_t>(test.param)];
}
INSTANTIATE_TEST_SUITE_P(Strategies, Interrupt,
                         testing::Values(WaitStrategy::sleep, WaitStrategy::spin, WaitStrategy::adaptive), name_of);

TEST_P(Interrupt, an_interrupt_from_another_thread_ends_a_receive_that_waits) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer({.wait = GetParam()});
  std::thread other([&] {
    EXPECT_TRUE(waits(queue, k_first_consumer));
    in.interrupt();
  });
  EXPECT_EQ(in.receive().status(), Status::interrupted);
  other.join();
  out.publish("x");
  EXPECT_EQ(in.receive()->text(), "x");
}

TEST_P(Interrupt, an_interrupt_before_a_wait_ends_only_the_next_one) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer({.wait = GetParam()});
  in.interrupt();
  out.publish("x");
  EXPECT_EQ(in.receive()->text(), "x") << "what is there needs no wait";
  EXPECT_EQ(in.receive().status(), Status::interrupted);
  EXPECT_EQ(in.receive(1ms).status(), Status::timeout);
}

TEST_P(Interrupt, an_interrupt_ends_every_call_of_a_producer_that_waits_for_room) {
  LocalQueue queue({.slots = 2, .lane_bytes = 4096});
  Producer out = queue.producer({.wait = GetParam()});
  Consumer in = queue.consumer();
  Result<Loan> held = out.try_loan(64);
  for (int i = 0; i < 2; ++i) out.publish("x");
  const auto reason = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.reason();
    }
    return Errc::misuse;
  };
  const std::vector<Bytes> two{Bytes(std::string_view("a")), Bytes(std::string_view("b"))};
  out.interrupt();
  EXPECT_EQ(reason([&] { out.publish("y"); }), Errc::interrupted);
  out.interrupt();
  EXPECT_EQ(out.publish_until("y", {}), Status::interrupted);
  out.interrupt();
  EXPECT_EQ(reason([&] { out.publish(1, [](std::span<std::byte>) {}); }), Errc::interrupted);
  out.interrupt();
  EXPECT_EQ(reason([&] { out.publish_batch(two); }), Errc::interrupted);
  out.interrupt();
  EXPECT_EQ(reason([&] { held->commit(); }), Errc::interrupted);
  EXPECT_TRUE(*held) << "it is still open";
  EXPECT_EQ(load_tail(queue.memory()), 2U) << "nothing was published";
}

TEST(InterruptOfABatch, an_interrupt_after_the_first_message_of_a_batch_is_told_by_the_next_call) {
  LocalQueue queue({.slots = 2});
  Producer out = queue.producer({.wait = WaitStrategy::sleep});
  Consumer in = queue.consumer();
  const std::vector<Bytes> three(3, Bytes(std::string_view("a")));
  out.interrupt();
  EXPECT_EQ(*out.publish_batch_until(three, 1s), 2U);
  EXPECT_EQ(out.publish_batch_until(three, 1s).status(), Status::interrupted);
  EXPECT_EQ(out.publish_batch_until(three, 1ms).status(), Status::timeout) << "it is told once";
}

TEST(InterruptOfABatch, an_interrupt_after_the_first_message_of_a_batch_is_told_by_the_next_try_in_event_mode) {
  LocalQueue queue({.slots = 2});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::vector<Bytes> three(3, Bytes(std::string_view("a")));
  (void)out.poll_fd();
  out.interrupt();
  EXPECT_EQ(*out.try_publish_batch(three), 2U);
  EXPECT_EQ(out.try_publish_batch(three).status(), Status::interrupted);
  EXPECT_EQ(out.try_publish_batch(three).status(), Status::full) << "it is told once";
}

TEST(InterruptOfABatch, an_interrupted_batch_returns_how_many_messages_were_published) {
  LocalQueue queue({.slots = 2});
  Producer out = queue.producer({.wait = WaitStrategy::sleep});
  Consumer in = queue.consumer();
  const std::vector<Bytes> three(3, Bytes(std::string_view("a")));
  out.interrupt();
  try {
    out.publish_batch(three);
    FAIL() << "there is room for two";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the first 2 of the batch of 3"), std::string::npos) << error.what();
  }
}

TEST(InterruptAtThePrefetchLimit, an_interrupt_at_the_prefetch_limit_ends_the_wait_for_an_ack) {
  LocalQueue queue({.groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .prefetch = 1, .wait = WaitStrategy::sleep});
  out.publish("x");
  const Result<Message> held = in.receive();
  std::thread other([&] {
    EXPECT_TRUE(waits(queue, k_first_consumer));
    in.interrupt();
  });
  EXPECT_EQ(in.receive().status(), Status::interrupted);
  other.join();
}

TEST(InterruptInEventMode, an_interrupt_in_event_mode_makes_the_descriptor_readable_for_one_try) {
  LocalQueue queue({.slots = 2});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  static_cast<void>(in.poll_fd());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  const Watch watch(WatchKind::poll, in.poll_fd());
  ASSERT_FALSE(watch.wait());
  std::thread([&] { in.interrupt(); }).join();
  EXPECT_TRUE(watch.wait());
  EXPECT_EQ(in.try_receive().status(), Status::interrupted);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_FALSE(watch.wait());

  for (int i = 0; i < 2; ++i) out.publish("x");
  static_cast<void>(out.poll_fd());
  EXPECT_EQ(out.try_publish("y"), Status::full);
  std::thread([&] { out.interrupt(); }).join();
  EXPECT_EQ(out.try_publish("y"), Status::interrupted);
  EXPECT_EQ(out.try_publish("y"), Status::full);
}

TEST(InterruptInAnEventLoop, an_interrupt_in_an_event_loop_reaches_the_handler_and_leaves_it) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  EventLoop loop;
  std::vector<Status> seen;
  loop.on_message(in, [&](Result<Message> received) {
    seen.push_back(received.status());
    if (received.status() == Status::interrupted) out.publish("behind it");
    if (received) loop.stop();
  });
  in.interrupt();
  EXPECT_EQ(loop.run(20s), Status::stopped);
  EXPECT_EQ(seen, (std::vector<Status>{Status::interrupted, Status::ok}));
}

/// The thread is in receive() or publish() when it is cancelled. The call goes on to its end; then the thread is gone.
TEST(CancelledThread, a_cancelled_thread_finishes_its_call_and_ends_at_its_next_cancellation_point) {
  for (const bool event_mode : {false, true}) {
    LocalQueue queue({.slots = 2});
    Producer out = queue.producer({.wait = WaitStrategy::sleep});
    Consumer in = queue.consumer({.wait = WaitStrategy::sleep});
    Consumer looper = queue.consumer();
    if (event_mode) static_cast<void>(in.poll_fd());
    static_cast<void>(looper.poll_fd());
    static_cast<void>(looper.try_receive());
    std::atomic<bool> received = false;
    std::atomic<bool> has_read = false;
    std::thread thread([&] {
      Result<Message> message = in.receive();
      received = message->text() == "x";
      message = Result<Message>(Status::empty);
      has_read = true;
      // Rings a bell, and waits for room that another thread makes.
      for (int i = 0; i < 3; ++i) out.publish("by a cancelled thread");
      ::pthread_testcancel();
      ADD_FAILURE() << "it goes on";
    });
    ASSERT_TRUE(waits(queue, k_first_consumer));
    ::pthread_cancel(thread.native_handle());
    queue.producer().publish("x");
    while (!has_read) std::this_thread::yield();  // until then it has the consumer
    while (load_tail(queue.memory()) < 4) {
      static_cast<void>(in.try_receive());
      static_cast<void>(looper.try_receive());
      std::this_thread::yield();
    }
    thread.join();
    EXPECT_TRUE(received);
    while (in.try_receive() || looper.try_receive()) continue;
    out.publish("still usable");
    EXPECT_EQ(in.receive(20s)->text(), "still usable");
  }
}

}  // namespace
}  // namespace beltway::test
