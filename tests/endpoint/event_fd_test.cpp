// The contract of poll_fd(), watched by poll and by epoll, level- and edge-triggered: readable whenever
// a try may find something to do, quiet once a try has found nothing, and no wakeup lost.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/claim.hpp"
#include "ring/groups.hpp"
#include "ring/wake.hpp"
#include "watch.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

class EventFd : public testing::TestWithParam<WatchKind> {};
INSTANTIATE_TEST_SUITE_P(Watched, EventFd, testing::Values(WatchKind::poll, WatchKind::level, WatchKind::edge),
                         [](const auto& test) { return name_of(test.param); });

/// Takes what is there; the descriptor must be quiet afterwards.
std::size_t drain(Consumer& in) {
  std::size_t count = 0;
  while (Result<Message> message = in.try_receive()) {
    message->ack();
    ++count;
  }
  return count;
}

TEST_P(EventFd, an_event_fd_is_readable_at_first_and_quiet_after_a_try_that_found_nothing) {
  LocalQueue queue;
  Consumer in = queue.consumer();
  const Watch watch(GetParam(), in.poll_fd());
  EXPECT_TRUE(watch.wait()) << "nobody has looked yet";
  EXPECT_EQ(drain(in), 0U);
  EXPECT_FALSE(watch.wait());
  EXPECT_EQ(drain(in), 0U) << "a try when nothing was said is no harm";
  EXPECT_FALSE(watch.wait());
}

TEST_P(EventFd, an_event_fd_becomes_readable_each_time_that_a_message_comes) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const Watch watch(GetParam(), in.poll_fd());
  drain(in);
  static_cast<void>(watch.wait());
  for (int round = 0; round < 100; ++round) {
    out.publish("one");
    ASSERT_TRUE(watch.wait()) << round;
    if (round % 2 == 0) out.publish("two");
    ASSERT_EQ(drain(in), round % 2 == 0 ? 2U : 1U);
    // Taking a message may ring once more; after another empty try it is quiet.
    if (watch.wait()) {
      ASSERT_EQ(drain(in), 0U);
    }
    ASSERT_FALSE(watch.wait()) << round;
  }
}

TEST_P(EventFd, an_event_fd_that_was_asked_for_late_is_readable_if_a_message_is_there) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  out.publish("early");
  const Watch watch(GetParam(), in.poll_fd());
  EXPECT_TRUE(watch.wait());
  EXPECT_EQ(drain(in), 1U);
}

TEST(EventFdLevel, an_event_fd_stays_readable_while_messages_are_left) {
  LocalQueue queue({.groups = {"g"}});
  Producer out = queue.producer();
  for (const std::string group : {"", "g"}) {
    Consumer in = queue.consumer({.group = group});
    drain(in);
    for (const WatchKind kind : {WatchKind::poll, WatchKind::level}) {
      const Watch watch(kind, in.poll_fd());
      EXPECT_EQ(drain(in), 0U);
      for (int i = 0; i < 3; ++i) out.publish("x");
      // One message each time that it is readable, as the simplest loop does.
      for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(watch.wait()) << i;
        Result<Message> message = in.try_receive();
        ASSERT_TRUE(message);
        message->ack();
      }
      EXPECT_TRUE(watch.wait()) << "no try has found nothing yet";
      EXPECT_EQ(drain(in), 0U);
      EXPECT_FALSE(watch.wait());
    }
  }
}

TEST_P(EventFd, spurious_wakes_are_harmless) {
  LocalQueue queue;
  Producer out = queue.producer();
  const Attachment at = queue.attach_consumer();
  Consumer in = make_consumer(at, {});
  const Watch watch(GetParam(), in.poll_fd());
  drain(in);
  static_cast<void>(watch.wait());
  for (int i = 0; i < 10; ++i) {
    os::ring_bell(at.memory.bell(at.owner));
    EXPECT_TRUE(watch.wait());
    EXPECT_EQ(drain(in), 0U);
    EXPECT_FALSE(watch.wait());
  }
  out.publish("x");
  EXPECT_TRUE(watch.wait());
  EXPECT_EQ(drain(in), 1U);
}

TEST_P(EventFd, an_event_fd_survives_blocking_calls_in_between) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const Watch watch(GetParam(), in.poll_fd());
  drain(in);
  for (int round = 0; round < 20; ++round) {
    if (round % 3 == 0) {
      EXPECT_EQ(in.receive(1ms).status(), Status::timeout);
    }
    if (round % 3 == 1) {
      out.publish("blocking");
      EXPECT_TRUE(in.receive(1s));
    }
    if (round % 3 == 2) {
      std::stop_source stop;
      stop.request_stop();
      EXPECT_EQ(in.receive(stop.get_token()).status(), Status::stopped);
    }
    if (round % 2 == 0 && watch.wait()) drain(in);
    out.publish("x");
    ASSERT_TRUE(watch.wait()) << "a wait that ended leaves the descriptor readable or armed, round " << round;
    ASSERT_EQ(drain(in), 1U);
  }
}

TEST_P(EventFd, an_event_fd_becomes_readable_at_the_end_of_stream_and_stays_so) {
  LocalQueue queue({.groups = {"g"}});
  for (const std::string group : {"", "g"}) {
    std::optional<Producer> out = queue.producer();
    Consumer in = queue.consumer({.group = group, .end_of_stream = EndOfStream::after_producer});
    const Watch watch(GetParam(), in.poll_fd());
    drain(in);
    static_cast<void>(watch.wait());
    EXPECT_FALSE(watch.wait());
    out.reset();
    EXPECT_TRUE(watch.wait());
    EXPECT_EQ(in.try_receive().status(), Status::end_of_stream);
    if (GetParam() != WatchKind::edge) {
      EXPECT_TRUE(watch.wait()) << "like the end of a file";
    }
  }
}

TEST_P(EventFd, an_event_fd_becomes_readable_when_the_queue_is_removed) {
  LocalQueue queue({.slots = 4, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  Consumer member = queue.consumer({.group = "g"});
  const Watch watch(GetParam(), in.poll_fd());
  const Watch member_watch(GetParam(), member.poll_fd());
  drain(member);
  static_cast<void>(member_watch.wait());
  while (out.try_publish("x") == Status::ok) continue;
  drain(in);
  static_cast<void>(watch.wait());
  const Watch out_watch(GetParam(), out.poll_fd());
  EXPECT_EQ(out.try_publish("x"), Status::full);
  static_cast<void>(out_watch.wait());
  EXPECT_FALSE(out_watch.wait());
  queue.remove();
  EXPECT_TRUE(watch.wait());
  EXPECT_TRUE(member_watch.wait());
  EXPECT_TRUE(out_watch.wait());
  EXPECT_EQ(in.try_receive().status(), Status::removed);
  EXPECT_EQ(out.try_publish("x"), Status::removed);
}

TEST_P(EventFd, an_event_fd_becomes_readable_at_the_last_ack_of_another_consumer) {
  LocalQueue queue({.groups = {"g"}});
  std::optional<Producer> out = queue.producer();
  Consumer one = queue.consumer({.group = "g"});
  Consumer two = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer});
  const Watch watch(GetParam(), two.poll_fd());
  out->publish("last");
  Result<Message> last = one.try_receive();
  out.reset();
  EXPECT_EQ(two.try_receive().status(), Status::empty) << "it may come back";
  static_cast<void>(watch.wait());
  EXPECT_EQ(two.try_receive().status(), Status::empty);
  EXPECT_FALSE(watch.wait());
  last->ack();
  EXPECT_TRUE(watch.wait());
  EXPECT_EQ(two.try_receive().status(), Status::end_of_stream);
}

TEST_P(EventFd, an_event_fd_is_quiet_at_the_prefetch_limit_until_a_message_ends) {
  LocalQueue queue({.groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .prefetch = 2});
  const Watch watch(GetParam(), in.poll_fd());
  for (int i = 0; i < 5; ++i) out.publish(std::to_string(i));
  Result<Message> one = in.try_receive();
  Result<Message> two = in.try_receive();
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit);
  static_cast<void>(watch.wait());
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit);
  EXPECT_FALSE(watch.wait()) << "messages that it may not lease are no news";
  out.publish("5");
  EXPECT_FALSE(watch.wait());
  EXPECT_EQ(in.receive(1ms).status(), Status::prefetch_limit) << "a blocking call in between";
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit);
  static_cast<void>(watch.wait());
  std::thread([&] { one->ack(); }).join();
  EXPECT_TRUE(watch.wait());
  Result<Message> three = in.try_receive();
  EXPECT_EQ(three->text(), "2");
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit);
  static_cast<void>(watch.wait());
  two->nack();
  EXPECT_TRUE(watch.wait());
  EXPECT_EQ(in.try_receive()->text(), "1");
}

TEST_P(EventFd, a_message_wakes_one_consumer_of_a_group_once) {
  LocalQueue queue({.groups = {"g"}});
  Producer out = queue.producer();
  Consumer one = queue.consumer({.group = "g"});
  Consumer two = queue.consumer({.group = "g"});
  const Watch first(GetParam(), one.poll_fd());
  const Watch second(GetParam(), two.poll_fd());
  constexpr std::uint64_t k_rounds = 20;
  for (std::uint64_t round = 0; round < k_rounds; ++round) {
    drain(one);
    drain(two);
    out.publish("x");
    EXPECT_EQ(drain(one) + drain(two), 1U);
  }
  EXPECT_EQ(out.counters().wakes, k_rounds);
  EXPECT_EQ(one.counters().wakes + two.counters().wakes, 0U) << "nothing was left to wake another for";
}

TEST_P(EventFd, a_busy_consumer_costs_its_producer_no_wake) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  static_cast<void>(in.poll_fd());
  drain(in);
  for (int i = 0; i < 100; ++i) {
    out.publish("x");
    // One try a message: it finds something each time, so it never says that it sleeps.
    ASSERT_TRUE(in.try_receive());
    out.publish("keeps it busy");
    ASSERT_TRUE(in.try_receive());
  }
  EXPECT_LE(out.counters().wakes, 1U);
}

TEST_P(EventFd, an_event_fd_of_a_producer_becomes_readable_at_room_in_a_full_ring) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 16, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    const Watch watch(GetParam(), out.poll_fd());
    for (int round = 0; round < 10; ++round) {
      while (out.try_publish("x") == Status::ok) continue;
      static_cast<void>(watch.wait());
      EXPECT_EQ(out.try_publish("x"), Status::full);
      ASSERT_FALSE(watch.wait());
      for (int i = 0; i < 4; ++i) ASSERT_TRUE(in.try_receive());
      ASSERT_TRUE(watch.wait()) << "a quarter of the ring is free";
      ASSERT_EQ(out.try_publish("y"), Status::ok);
    }
  }
}

TEST_P(EventFd, an_event_fd_of_a_producer_becomes_readable_at_room_in_its_lane) {
  LocalQueue queue({.slots = 16, .lane_bytes = 8192});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const Watch watch(GetParam(), out.poll_fd());
  const std::string large(4096, 'x');
  for (int round = 0; round < 10; ++round) {
    while (out.try_publish(large) == Status::ok) continue;
    static_cast<void>(watch.wait());
    EXPECT_EQ(out.try_publish(large), Status::full);
    ASSERT_FALSE(watch.wait());
    ASSERT_TRUE(in.try_receive());
    ASSERT_TRUE(watch.wait());
    ASSERT_EQ(out.try_publish(large), Status::ok);
  }
}

TEST_P(EventFd, an_event_fd_of_a_producer_becomes_readable_when_its_own_loan_ends) {
  LocalQueue queue({.slots = 16, .lane_bytes = 4096});
  Producer out = queue.producer();
  const Watch watch(GetParam(), out.poll_fd());
  for (const bool commit : {false, true}) {
    Result<Loan> held = out.try_loan(4096);
    ASSERT_TRUE(held);
    EXPECT_EQ(out.try_loan(4096).status(), Status::full);
    static_cast<void>(watch.wait());
    EXPECT_EQ(out.try_loan(4096).status(), Status::full);
    EXPECT_FALSE(watch.wait());
    if (commit) {
      EXPECT_EQ(held->try_commit(), Status::ok);
    } else {
      held->drop();
    }
    EXPECT_TRUE(watch.wait());
    EXPECT_TRUE(out.try_loan(4096));
  }
}

TEST_P(EventFd, an_event_fd_of_a_producer_becomes_readable_when_a_busy_slot_is_finished) {
  LocalQueue queue({.slots = 4, .max_producers = 4});
  const Attachment writer = queue.attach_producer();
  Producer out = queue.producer();
  const Watch watch(GetParam(), out.poll_fd());
  Claimer claimer(writer.memory, writer.owner);
  claimer.accept_notice();
  detail::ClaimedSlot<Claimer> slot(claimer, 0);
  ASSERT_EQ(slot.claim(), Claim::ok);
  Consumer late = queue.consumer();
  // A lap later the slot is still being written: busy, though no floor is in the way.
  while (out.try_publish("x") == Status::ok) continue;
  static_cast<void>(watch.wait());
  EXPECT_EQ(out.try_publish("x"), Status::full);
  EXPECT_FALSE(watch.wait());
  slot.commit(0);
  wake_for_message(writer.memory, writer.owner);
  EXPECT_TRUE(watch.wait());
}

}  // namespace
}  // namespace beltway::test
