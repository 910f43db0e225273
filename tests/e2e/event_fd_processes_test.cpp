// A consumer that sleeps in poll or epoll on its poll_fd() is woken by producers of other processes, over a real daemon, and
// one that is busy costs them no wake. In event mode no timer of ours looks again: a wait that runs into its patience is
// a lost wakeup.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "actors.hpp"
#include "daemon.hpp"
#include "watch.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr auto k_patience = 20s;
/// What the processes count together.
enum Tally : unsigned { k_attached, k_told, k_published };

struct Number {
  std::uint64_t producer;
  std::uint64_t number;
};

Number number_of(const Message& message) {
  Number number{};
  if (message.size() == sizeof number) std::memcpy(&number, message.bytes().data(), sizeof number);
  return number;
}

/// A daemon, a queue, and producers in processes of their own, which are forked before the test's process attaches.
class ProducerProcesses : public testing::Test {
 protected:
  void declare(std::uint32_t slots) {
    static_cast<void>(link_.declare(stage_.queue, {.slots = slots, .max_producers = 2}));
  }
  /// `body(producer, id)` in processes of their own; they begin when they are told to.
  template <class Body>
  void start_producers(std::uint64_t count, Body body) {
    for (std::uint64_t id = 0; id < count; ++id) {
      children_.push_back(Child::fork([&, id] {
        Producer out = open_stage(stage_).producer();
        ledger_.tally(k_attached).fetch_add(1);
        if (!eventually([&] { return ledger_.tally(k_told) > 0; })) return 2;
        return body(out, id);
      }));
    }
  }
  Consumer attach(const ConsumerOptions& options = {}) {
    Consumer in = open_stage(stage_).consumer(options);
    EXPECT_TRUE(eventually([&] { return ledger_.tally(k_attached) == children_.size(); }));
    return in;
  }
  void tell(std::uint64_t value) { ledger_.tally(k_told) = value; }
  void join() {
    for (Child& child : children_) EXPECT_EQ(child.wait(), Exit{.code = 0});
    children_.clear();
  }
  /// Of the producers, once they are gone.
  QueueTotals totals(std::uint64_t messages) {
    QueueTotals totals;
    EXPECT_TRUE(eventually([&] {
      totals = open_stage(stage_).snapshot().totals;
      return totals.messages_in == messages;
    }));
    return totals;
  }

  TestDaemon daemon_;
  const Stage stage_{.socket = daemon_.socket()};
  const Connection link_ = Connection::open({.socket = daemon_.socket()});
  Ledger ledger_;
  std::vector<Child> children_;
};

class EventFdProcesses : public ProducerProcesses, public testing::WithParamInterface<WatchKind> {};
INSTANTIATE_TEST_SUITE_P(Watched, EventFdProcesses, testing::Values(WatchKind::poll, WatchKind::level, WatchKind::edge),
                         [](const auto& test) { return name_of(test.param); });

TEST_P(EventFdProcesses, each_message_wakes_a_consumer_that_is_surely_asleep) {
  constexpr std::uint64_t k_rounds = 100;
  declare(1024);
  start_producers(2, [&](Producer& out, std::uint64_t id) {
    for (std::uint64_t round = id; round < k_rounds; round += 2) {
      if (!eventually([&] { return ledger_.tally(k_told) > round; })) return 3;
      const Number number{id, round};
      out.publish(Bytes(&number, sizeof number));
    }
    return 0;
  });
  Consumer in = attach();
  const Watch watch(GetParam(), in.poll_fd());
  for (std::uint64_t round = 0; round < k_rounds; ++round) {
    do {
      ASSERT_EQ(in.try_receive().status(), Status::empty);
    } while (watch.wait());
    tell(round + 1);
    Result<Message> message = Status::empty;
    do {
      ASSERT_TRUE(watch.wait(k_patience)) << "nobody woke us in round " << round;
    } while (!(message = in.try_receive()));
    EXPECT_EQ(number_of(*message).number, round);
  }
  EXPECT_GE(in.counters().sleeps, k_rounds);
  join();
}

TEST_P(EventFdProcesses, no_wakeup_is_lost_while_both_ends_fall_asleep_again_and_again) {
  constexpr std::uint64_t k_each = 3000;
  declare(4);
  start_producers(2, [&](Producer& out, std::uint64_t id) {
    const Watch watch(GetParam(), out.poll_fd());
    for (std::uint64_t i = 0; i < k_each;) {
      const Number number{id, i};
      if (out.try_publish(Bytes(&number, sizeof number)) == Status::ok) {
        if (++i % 16 == 0) std::this_thread::sleep_for(100us);
      } else if (!watch.wait(k_patience)) {
        return 3;
      }
    }
    return 0;
  });
  Consumer in = attach();
  tell(1);
  const Watch watch(GetParam(), in.poll_fd());
  std::uint64_t next[2] = {};
  for (;;) {
    Result<Message> message = in.try_receive();
    if (message.status() == Status::end_of_stream) break;
    if (message) {
      const Number number = number_of(*message);
      ASSERT_EQ(number.number, next[number.producer % 2]++);
    } else {
      ASSERT_TRUE(watch.wait(k_patience)) << "after " << next[0] << " and " << next[1] << " messages";
    }
  }
  EXPECT_EQ(next[0], k_each);
  EXPECT_EQ(next[1], k_each);
  join();
}

TEST_P(EventFdProcesses, a_busy_consumer_costs_its_producer_no_wake) {
  constexpr std::uint64_t k_count = 5000;
  declare(1024);
  start_producers(1, [&](Producer& out, std::uint64_t) {
    for (std::uint64_t i = 0; i < k_count; ++i) {
      out.publish("busy");
      ledger_.tally(k_published) = i + 1;
    }
    return 0;
  });
  Consumer in = attach();
  const Watch watch(GetParam(), in.poll_fd());
  tell(1);
  // It tries when there is something, so it never finds nothing and never says that it sleeps.
  for (std::uint64_t received = 0; received < k_count; ++received) {
    ASSERT_TRUE(eventually([&] { return ledger_.tally(k_published) > received; }));
    EXPECT_TRUE(watch.wait() || GetParam() == WatchKind::edge) << "readable until a try has found nothing";
    ASSERT_TRUE(in.try_receive());
  }
  join();
  EXPECT_EQ(in.counters().sleeps, 0U);
  EXPECT_EQ(totals(k_count).wakes, 0U);
}

TEST_F(ProducerProcesses, a_spinning_consumer_costs_its_producers_no_wake) {
  constexpr std::uint64_t k_each = 3000;
  declare(1024);
  start_producers(2, [](Producer& out, std::uint64_t) {
    for (std::uint64_t i = 0; i < k_each; ++i) out.publish("busy");
    return 0;
  });
  Consumer in = attach({.wait = WaitStrategy::spin});
  tell(1);
  for (std::uint64_t received = 0; received < 2 * k_each; ++received) ASSERT_TRUE(in.receive(k_patience));
  join();
  EXPECT_EQ(in.counters().sleeps, 0U);
  EXPECT_EQ(totals(2 * k_each).wakes, 0U);
}

}  // namespace
}  // namespace beltway::test
