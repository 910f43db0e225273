// What a neighbour can do to those who sleep: write any state into their wait words, move their sleep to another word, say that
// they sleep on something that does not exist. Nobody waits past its deadline, burns a processor or loses a message for good.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <thread>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

double processor_s() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Does something to the queue's first consumer again and again, as long as it lives.
template <class Harm>
class Neighbour {
 public:
  explicit Neighbour(Harm harm)
      : thread_([this, harm] {
          for (std::uint64_t turn = 0; !over_; ++turn) harm(turn);
        }) {}
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  ~Neighbour() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

TEST(HostileWaitWord, a_sleep_word_that_never_says_asleep_ends_at_the_deadline_and_burns_no_processor) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer({.wait = WaitStrategy::sleep});
  Endpoint& endpoint = queue.memory().endpoint(k_first_consumer);
  {
    const Neighbour neighbour([&](std::uint64_t turn) { endpoint.wait.store_relaxed(turn); });  // every state in turn
    const double before = processor_s();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(in.receive(100ms).status(), Status::timeout);
    EXPECT_LT(processor_s() - before, 0.4) << "of half a second";
    // It must run at the very moment at which we go to sleep.
    const auto met = [&] { return in.receive(1ms).status() != Status::timeout || in.counters().needless_wakes != 0; };
    EXPECT_TRUE(eventually(met));
    out.publish("x");
    EXPECT_EQ(in.receive(20s)->text(), "x");
  }
  out.publish("y");
  EXPECT_EQ(in.receive(20s)->text(), "y");
}

TEST(HostileSleep, a_sleep_that_was_moved_to_another_word_ends_with_the_last_resort) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer({.wait = WaitStrategy::sleep});
  Endpoint& endpoint = queue.memory().endpoint(k_first_consumer);
  static std::atomic<std::uint32_t> elsewhere = 0;
  std::atomic<bool> moved = false;
  const Neighbour neighbour([&](std::uint64_t) {
    if (::syscall(SYS_futex, &endpoint.wait, FUTEX_REQUEUE, 0, INT_MAX, &elsewhere, 0) > 0) moved = true;
    std::this_thread::sleep_for(1ms);
  });
  std::thread producer([&] {
    EXPECT_TRUE(eventually([&] { return moved.load(); }));
    out.publish("x");
  });
  const Result<Message> received = in.receive(20s);
  EXPECT_TRUE(received) << to_string(received.status());
  producer.join();
}

TEST(HostileSleepsOn, an_unknown_sleeps_on_is_taken_for_a_futex_and_a_wrong_one_costs_the_last_resort) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer({.wait = WaitStrategy::sleep});
  Endpoint& endpoint = queue.memory().endpoint(k_first_consumer);
  for (const std::uint64_t value : {std::uint64_t{2}, ~std::uint64_t{0}, k_sleeps_on_bell}) {
    std::thread producer([&] {
      EXPECT_TRUE(eventually([&] { return endpoint.asleep_since_ns.load_relaxed() != 0; }));
      std::this_thread::sleep_for(10ms);
      endpoint.sleeps_on.store_relaxed(value);
      endpoint.asleep_since_ns.store_relaxed(value);
      out.publish("x");
    });
    EXPECT_TRUE(in.receive(20s));
    producer.join();
  }
}

}  // namespace
}  // namespace beltway::test
