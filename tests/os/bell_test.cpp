// Ringing a bell that a neighbour has filled and made to block: nobody waits, and its owner hears it.
#include "os/bell.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

#include "child.hpp"
#include "os/fd.hpp"
#include "os/kernel.hpp"
#include "os/mark.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

struct Bell {
  Bell() : ringing(make_bell("a test")), watch(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    EXPECT_EQ(::epoll_ctl(watch.get(), EPOLL_CTL_ADD, ringing.get(), &event), 0);
  }
  bool was_heard() {
    epoll_event event{};
    return ::epoll_wait(watch.get(), &event, 1, 0) == 1;
  }
  /// Empties it, and says what was in it.
  std::uint64_t take() const {
    std::uint64_t rings = 0;
    const iovec there{&rings, sizeof rings};
    return ::preadv2(ringing.get(), &there, 1, -1, RWF_NOWAIT) == sizeof rings ? rings : 0;
  }

  Fd ringing;
  Fd watch;
};

TEST(HostileBell, a_full_bell_that_would_block_wakes_each_time_and_blocks_no_process) {
  if (!os::ring_without_waiting()) GTEST_SKIP() << "no asynchronous I/O here";
  Bell bell;
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - 1;
  ASSERT_EQ(::write(bell.ringing.get(), &most, sizeof most), static_cast<ssize_t>(sizeof most));
  ASSERT_EQ(::fcntl(bell.ringing.get(), F_SETFL, 0), 0);
  EXPECT_TRUE(bell.was_heard());
  for (int i = 0; i < 1000; ++i) {  // more than the results that are kept
    ASSERT_FALSE(bell.was_heard()) << i;
    os::ring_bell(bell.ringing.get());
    ASSERT_TRUE(bell.was_heard()) << i;
  }
  EXPECT_EQ(bell.take(), most + 1) << "not emptied on the way: who does that first looks whether it is full";
}

TEST(HostileBell, a_bell_rings_any_number_of_times) {
  if (!os::ring_without_waiting()) GTEST_SKIP() << "no asynchronous I/O here";
  Bell bell;
  for (int i = 0; i < 1000; ++i) os::ring_bell(bell.ringing.get());
  EXPECT_TRUE(bell.was_heard());
  EXPECT_EQ(bell.take(), 1000U);
}

TEST(HostileBell, a_bell_that_is_filled_at_any_moment_and_stays_full_blocks_no_process) {
  if (!os::ring_without_waiting()) GTEST_SKIP() << "no asynchronous I/O here";
  Bell bell;
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - 1;
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> rings = 0;
  std::thread ringer([&] {
    for (; !over; ++rings) os::ring_bell(bell.ringing.get());
  });
  for (int round = 0; round < 100; ++round) {
    for (int turn = 0; turn < 50; ++turn) {
      bell.take();
      EXPECT_EQ(::fcntl(bell.ringing.get(), F_SETFL, O_NONBLOCK), 0);
      static_cast<void>(!::write(bell.ringing.get(), &most, sizeof most));  // a ring may have come before
      EXPECT_EQ(::fcntl(bell.ringing.get(), F_SETFL, 0), 0);
    }
    // By poll and write the ringer would be held here, sooner or later, and nobody empties the bell.
    for (const std::uint64_t before = rings; rings < before + 2;) std::this_thread::yield();
  }
  over = true;
  ringer.join();
}

TEST(HostileBell, a_forked_child_of_a_process_that_rings_without_waiting_does_so_too) {
  if (!os::ring_without_waiting()) GTEST_SKIP() << "no asynchronous I/O here";
  Bell bell;
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - 1;
  ASSERT_EQ(::write(bell.ringing.get(), &most, sizeof most), static_cast<ssize_t>(sizeof most));
  const test::Exit exit = test::Child::fork([&] {
                            if (!os::ring_without_waiting()) return 1;
                            os::ring_bell(bell.ringing.get());
                            return 0;
                          }).wait();
  EXPECT_EQ(exit.code, 0);
  EXPECT_EQ(bell.take(), most + 1) << "rung by write, which empties it first";
}

}  // namespace
}  // namespace beltway
