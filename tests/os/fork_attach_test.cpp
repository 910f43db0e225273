// Forks while other threads attach: what a child must not keep, and that neither side waits for the other for ever.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "os/fork_section.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::k_small;
using test::TestDaemon;

/// Shared memory of a queue that this process has open, found without allocating: for a child of a process with threads.
int count_open_segments() {
  int found = 0;
  for (int descriptor = 0; descriptor < 512; ++descriptor) {
    std::array<char, 64> path{};
    std::array<char, 256> target{};
    static_cast<void>(std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", descriptor));
    const ssize_t length = ::readlink(path.data(), target.data(), target.size() - 1);
    if (length > 0 && std::strstr(target.data(), "memfd:beltway:") != nullptr) ++found;
  }
  return found;
}

/// Threads that attach and detach all the time, in every role.
class Attachers {
 public:
  explicit Attachers(const Queue& queue) {
    start([queue] { static_cast<void>(queue.producer()); });
    start([queue] { static_cast<void>(queue.consumer()); });
    start([queue] { static_cast<void>(queue.snapshot()); });
  }
  ~Attachers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Attachers(const Attachers&) = delete;
  Attachers& operator=(const Attachers&) = delete;

 private:
  void start(std::function<void()> attach) {
    threads_.emplace_back([this, attach = std::move(attach)] {
      try {
        while (!stop_) attach();
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }

  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

TEST(ForkWhileAttaching, a_fork_during_an_attach_leaves_no_endpoint_with_the_child) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare(
      "orders", {.slots = 1U << 15, .slot_bytes = 512, .lane_bytes = 1U << 20, .max_producers = 4});
  std::vector<Child> children;
  {
    const Attachers attachers(queue);
    for (int i = 0; i < 100; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(137 * (i % 30)));
      children.push_back(Child::fork([] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // the test may be killed
        for (;;) ::pause();
        return 0;
      }));
    }
  }
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }, std::chrono::seconds(5)))
      << queue.describe().endpoints.size() << " endpoints are kept alive by children";
}

TEST(ForkWhileAttaching, a_fork_during_an_attach_leaves_no_segment_open_in_a_child) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare(
      "orders", {.slots = 1U << 14, .slot_bytes = 256, .lane_bytes = 8U << 20, .max_producers = 2});
  const Attachers attachers(queue);
  for (int i = 0; i < 100; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(101 * (i % 30)));
    ASSERT_EQ(Child::fork([] { return count_open_segments(); }).wait(), (test::Exit{.code = 0, .signal = 0}));
  }
}

TEST(ForkWhileAttaching, attach_in_a_child_says_forked_though_another_thread_was_in_a_request) {
  TestDaemon daemon;
  const Queue queue =
      Connection::open({.socket = daemon.socket(), .timeout = std::chrono::seconds(20)}).declare("orders", k_small);
  daemon.process().kill(SIGSTOP);
  std::thread asker([&] { static_cast<void>(queue.describe()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the request has the connection by now, most likely
  Child child = Child::fork(
      [&] { return error_of([&] { static_cast<void>(queue.consumer()); }).reason() == Errc::forked ? 0 : 1; });
  const test::Exit exit = child.wait(std::chrono::seconds(10));
  daemon.process().kill(SIGCONT);
  asker.join();
  EXPECT_EQ(exit, (test::Exit{.code = 0, .signal = 0}));
}

TEST(ForkSection, a_fork_section_delays_a_fork_of_another_thread_until_its_end) {
  std::atomic<bool> forked = false;
  std::thread forker;
  {
    const ForkSection section;
    forker = std::thread([&] {
      EXPECT_TRUE(Child::fork([] { return 0; }).wait().ok());
      forked = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(forked);
  }
  forker.join();
  EXPECT_TRUE(forked);
}

TEST(ForkSection, a_fork_section_can_be_entered_in_a_child) {
  EXPECT_TRUE(Child::fork([] {
                const ForkSection section;
                return 0;
              })
                  .wait()
                  .ok());
}

TEST(ForkClosedFd, a_fork_closed_fd_is_closed_in_a_child_and_stays_open_in_its_parent) {
  ForkClosedFd first;
  ForkClosedFd second;
  {
    const ForkSection section;
    first.adopt_in_section(::dup(STDERR_FILENO), section);
    second.adopt_in_section(::dup(STDERR_FILENO), section);
  }
  const auto is_open = [](int descriptor) { return ::fcntl(descriptor, F_GETFD) != -1; };
  const std::array numbers{first.get(), second.get()};
  EXPECT_EQ(Child::fork([&] { return is_open(numbers[0]) || is_open(numbers[1]) || first || second ? 1 : 0; }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
  EXPECT_TRUE(is_open(numbers[0]) && is_open(numbers[1]));
  first.close();
  EXPECT_FALSE(is_open(numbers[0]));
  EXPECT_EQ(Child::fork([&] { return is_open(numbers[1]) ? 1 : 0; }).wait(), (test::Exit{.code = 0, .signal = 0}));
  second.close();
}

}  // namespace
}  // namespace beltway
