// EventLoop: descriptors, consumers, stopping, and callbacks that change the loop while they run.
#include "beltway/event_loop.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "error_of.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

/// A descriptor that stays readable if `count` is not 0.
struct Bell {
  explicit Bell(unsigned count = 0) : fd(::eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Bell() { ::close(fd); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  int fd;
};

TEST(EventLoop, an_event_loop_returns_when_nothing_is_left_to_wait_for) {
  EventLoop loop;
  EXPECT_EQ(loop.run(), Status::ok);
  const Bell bell(1);
  int once = 0;
  loop.when_readable(bell.fd, [&] { ++once; });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(once, 1);
  loop.on_readable(bell.fd, [&] {
    if (++once == 5) loop.forget(bell.fd);
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(once, 5);
  loop.forget(bell.fd);
}

TEST(EventLoop, a_stop_counts_also_if_nothing_is_left_to_wait_for) {
  EventLoop loop;
  EXPECT_EQ(loop.run(), Status::ok);
  loop.stop();
  EXPECT_EQ(loop.run(), Status::stopped);
  EXPECT_EQ(loop.run(), Status::ok) << "a stop counts once";
}

TEST(EventLoop, a_loop_that_is_run_in_its_own_callback_is_a_misuse_and_goes_on) {
  EventLoop loop;
  const Bell bell(1);
  int calls = 0;
  loop.on_readable(bell.fd, [&] {
    EXPECT_EQ(error_of([&] { (void)loop.run(); }).reason(), Errc::misuse);
    if (++calls == 2) loop.forget(bell.fd);
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(calls, 2);
  EventLoop inner;
  loop.when_readable(bell.fd, [&] { EXPECT_EQ(inner.run(), Status::ok) << "another loop may run"; });
  EXPECT_EQ(loop.run(), Status::ok);
}

TEST(EventLoop, an_event_loop_ends_at_the_deadline_or_when_told_to_stop) {
  EventLoop loop;
  const Bell bell;
  loop.on_readable(bell.fd, [] {});
  EXPECT_EQ(loop.run(1ms), Status::timeout);
  loop.stop();
  EXPECT_EQ(loop.run(), Status::stopped);
  EXPECT_EQ(loop.run(1ms), Status::timeout) << "a stop counts once";
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(5ms);
    source.request_stop();
  });
  EXPECT_EQ(loop.run(source.get_token()), Status::stopped);
}

TEST(EventLoop, callbacks_may_forget_and_replace_watched_descriptors) {
  EventLoop loop;
  const Bell one(1);
  const Bell two(1);
  std::string calls;
  // Whichever is called first takes the other away, though its event is at hand.
  loop.on_readable(one.fd, [&] {
    calls += '1';
    loop.forget(two.fd);
    loop.forget(one.fd);
  });
  loop.on_readable(two.fd, [&] {
    calls += '2';
    loop.forget(one.fd);
    loop.forget(two.fd);
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(calls.size(), 1U);
  calls.clear();
  loop.when_readable(one.fd, [&, text = std::string(100, 'a')] {
    loop.when_readable(one.fd, [&] { calls += 'b'; });
    calls += text;  // still alive
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(calls, std::string(100, 'a') + 'b');
}

TEST(EventLoop, an_event_loop_tells_a_new_descriptor_from_an_old_one_of_the_same_number) {
  EventLoop loop;
  std::optional<Bell> old(std::in_place, 1U);
  const int number = old->fd;
  loop.on_readable(number, [] { FAIL() << "closed"; });
  old.reset();
  const Bell fresh(1);
  ASSERT_EQ(fresh.fd, number);
  bool called = false;
  loop.when_readable(fresh.fd, [&] { called = true; });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_TRUE(called);
  EXPECT_THROW(loop.on_readable(-1, [] {}), Error);
  EXPECT_EQ(loop.run(), Status::ok);
}

TEST(EventLoop, an_event_loop_goes_on_after_an_exception) {
  EventLoop loop;
  const Bell bell(1);
  int calls = 0;
  loop.on_readable(bell.fd, [&] {
    if (++calls == 1) throw std::runtime_error("callback");
    loop.forget(bell.fd);
  });
  EXPECT_THROW(loop.run(), std::runtime_error);
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(calls, 2);
}

TEST(EventLoop, an_event_loop_hands_over_messages_and_then_the_end) {
  LocalQueue queue({.slots = 64, .groups = {"g"}});
  std::optional<Producer> out = queue.producer();
  Consumer in = queue.consumer();
  Consumer member = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer});
  EventLoop loop;
  std::string seen;
  int leased = 0;
  for (int i = 0; i < 40; ++i) out->publish("x");
  loop.on_message(in, [&](Result<Message> received) {
    seen += received ? std::string(received->text()) : std::string(to_string(received.status()));
    if (seen.size() == 40) out.reset();
  });
  loop.on_message(member, [&](Result<Message> received) {
    if (received && received->ack()) ++leased;
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(seen, std::string(40, 'x') + std::string(to_string(Status::end_of_stream)));
  EXPECT_EQ(leased, 40);
}

TEST(EventLoop, an_event_loop_serves_other_descriptors_between_messages) {
  LocalQueue queue({.slots = 256});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  EventLoop loop;
  const Bell bell(1);
  unsigned since_bell = 0;
  unsigned most = 0;
  int messages = 0;
  loop.on_readable(bell.fd, [&] { since_bell = 0; });
  loop.on_message(in, [&](Result<Message> received) {
    ASSERT_TRUE(received);
    most = std::max(most, ++since_bell);
    out.publish("again");
    if (++messages == 1000) loop.stop();
  });
  for (int i = 0; i < 200; ++i) out.publish("x");
  EXPECT_EQ(loop.run(), Status::stopped);
  EXPECT_LE(most, 2 * detail::k_messages_per_turn);
}

TEST(EventLoop, a_handler_may_end_its_consumer) {
  LocalQueue queue({.groups = {"g"}});
  Producer out = queue.producer();
  for (int i = 0; i < 3; ++i) out.publish(std::to_string(i));
  for (int i = 0; i < 3; ++i) out.publish("for g");
  std::optional<Consumer> in = queue.consumer({.group = "g"});
  EventLoop loop;
  int got = 0;
  loop.on_message(*in, [&](Result<Message> received) {
    received->ack();
    if (++got < 3) return;
    loop.forget(in->poll_fd());
    in.reset();
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(got, 3);
}

TEST(EventLoop, an_event_loop_at_the_prefetch_limit_waits_for_an_acknowledgement) {
  LocalQueue queue({.groups = {"g"}});
  Producer out = queue.producer();
  for (int i = 0; i < 4; ++i) out.publish("x");
  Consumer in = queue.consumer({.group = "g", .prefetch = 2});
  EventLoop loop;
  std::vector<Message> held;
  int got = 0;
  loop.on_message(in, [&](Result<Message> received) {
    ++got;
    held.push_back(std::move(*received));
  });
  EXPECT_EQ(loop.run(1ms), Status::timeout);
  EXPECT_EQ(got, 2);
  std::jthread([&] {
    for (Message& message : held) message.ack();
  }).join();
  held.clear();
  EXPECT_EQ(loop.run(1ms), Status::timeout);
  EXPECT_EQ(got, 4);
}

TEST(EventLoop, a_full_queue_is_waited_for) {
  LocalQueue queue({.slots = 8});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  EventLoop loop;
  int sent = 0;
  int received = 0;
  loop.on_readable(out.poll_fd(), [&] {
    while (sent < 1000 && out.try_publish("x") == Status::ok) ++sent;
    if (sent == 1000) loop.forget(out.poll_fd());
  });
  loop.on_message(in, [&](Result<Message> message) {
    if (message && ++received == 1000) loop.forget(in.poll_fd());
  });
  EXPECT_EQ(loop.run(), Status::ok);
  EXPECT_EQ(received, 1000);
}

}  // namespace
}  // namespace beltway::test
