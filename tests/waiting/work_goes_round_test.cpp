// Which sleeping consumer of a named group a message wakes: the one that has waited longest, so that work goes round.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <optional>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/wake.hpp"
#include "temp_dir.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

/// An endpoint that sleeps since a given time, and whether a wake has reached it.
struct Sleeper {
  Sleeper(const Attachment& at, std::uint64_t since_ns) : line(at.memory, at.owner) {
    line.set_since(since_ns);
    line.arm(true);
  }
  SleepWord line;
};

TEST(WakeOfAGroup, goes_to_the_consumer_that_has_waited_longest) {
  LocalQueue queue;
  queue.add_group("workers");
  const std::array at{queue.attach_consumer({.group = "workers"}), queue.attach_consumer({.group = "workers"}),
                      queue.attach_consumer({.group = "workers"})};
  Sleeper newest(at[0], 30);
  Sleeper oldest(at[1], 10);
  Sleeper middle(at[2], 20);
  const unsigned group = queue.group("workers");
  EXPECT_TRUE(wake_one_of_group(queue.memory(), group, k_no_owner));
  EXPECT_TRUE(oldest.line.called());
  EXPECT_FALSE(newest.line.called() || middle.line.called());
  EXPECT_TRUE(wake_one_of_group(queue.memory(), group, k_no_owner)) << "the next one, since the first is up";
  EXPECT_TRUE(middle.line.called());
  EXPECT_EQ(wake_for_message(queue.memory(), 0), 1U);
  EXPECT_TRUE(newest.line.called());
  EXPECT_FALSE(wake_one_of_group(queue.memory(), group, k_no_owner)) << "all are up";
}

TEST(WakeOfAGroup, never_goes_to_the_caller_or_to_another_group) {
  LocalQueue queue;
  queue.add_group("workers");
  queue.add_group("others");
  const Attachment caller = queue.attach_consumer({.group = "workers"});
  const Attachment other = queue.attach_consumer({.group = "others"});
  Sleeper asleep(caller, 1);
  Sleeper elsewhere(other, 2);
  EXPECT_FALSE(wake_one_of_group(queue.memory(), queue.group("workers"), caller.owner));
  EXPECT_FALSE(asleep.line.called() || elsewhere.line.called());
}

/// True if the kernel says that the thread sleeps. One that has said so in its word may still be polling for the last time.
bool sleeps_in_the_kernel(pid_t thread) {
  return read_file("/proc/self/task/" + std::to_string(thread) + "/stat").find(") S ") != std::string::npos;
}

TEST(WorkOfAGroup, goes_round_among_consumers_that_sleep_between_messages) {
  constexpr unsigned k_workers = 4;
  constexpr unsigned k_messages = 200;
  LocalQueue queue;
  queue.add_group("workers");
  std::array<unsigned, k_workers> share{};
  std::atomic<unsigned> received = 0;
  {
    Producer out = queue.producer();
    std::array<std::atomic<pid_t>, k_workers> ids{};
    std::array<std::optional<std::jthread>, k_workers> threads;
    for (unsigned i = 0; i < k_workers; ++i) {
      threads[i].emplace([&queue, &received, &count = share[i], &id = ids[i]](const std::stop_token& stop) {
        id = ::gettid();
        Consumer in = queue.consumer({.group = "workers", .wait = WaitStrategy::sleep});
        while (Result<Message> message = in.receive(stop)) {
          message->ack();
          ++count;
          ++received;
        }
      });
    }
    // A consumer that has received a message is awake until it waits for the next one.
    const auto all_sleep_after = [&](unsigned messages) {
      return received == messages &&
             std::popcount(queue.memory().shared_status().consumer_sleepers.load_acquire()) == k_workers &&
             std::ranges::all_of(ids, [](const std::atomic<pid_t>& id) { return sleeps_in_the_kernel(id); });
    };
    for (unsigned i = 0; i < k_messages; ++i) {
      while (!all_sleep_after(i)) std::this_thread::sleep_for(20us);
      EXPECT_EQ(out.try_publish("work"), Status::ok);
    }
    while (!all_sleep_after(k_messages)) std::this_thread::sleep_for(20us);
  }
  for (const unsigned part : share) EXPECT_GE(part, k_messages / k_workers / 2);
}

}  // namespace
}  // namespace beltway::test
