// A system call that the kernel or a sandbox refuses: the process works without it and burns no processor, or it is told which
// call it was. Each call of the table in src/os/README.md is refused in a process of its own, with ENOSYS and with EPERM, before
// the process connects and after it has attached.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "daemon.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

struct Call {
  const char* name;
  long number;
};
const std::vector<Call> k_calls{
    {"futex", SYS_futex},
    {"membarrier", SYS_membarrier},
    {"eventfd2", SYS_eventfd2},
    {"epoll_create1", SYS_epoll_create1},
    {"epoll_ctl", SYS_epoll_ctl},
    {"epoll_pwait", SYS_epoll_pwait},
    {"epoll_pwait2", 441},
    {"io_setup", SYS_io_setup},
    {"io_submit", SYS_io_submit},
    {"io_getevents", SYS_io_getevents},
    {"preadv2", SYS_preadv2},
    {"ppoll", SYS_ppoll},
    {"fcntl", SYS_fcntl},
    {"pread64", SYS_pread64},
    {"madvise", SYS_madvise},
    {"mlock2", SYS_mlock2},
    {"mincore", SYS_mincore},
    {"fallocate", SYS_fallocate},
    {"lseek", SYS_lseek},
    {"sched_getaffinity", SYS_sched_getaffinity},
    {"sched_yield", SYS_sched_yield},
    {"clock_nanosleep", SYS_clock_nanosleep},
    {"memfd_create", SYS_memfd_create},
    {"pidfd_open", 434},
    {"write", SYS_write},
    {"socket", SYS_socket},
    {"connect", SYS_connect},
    {"sendmsg", SYS_sendmsg},
    {"recvmsg", SYS_recvmsg},
    {"fstat", SYS_newfstatat},
};

bool refuse(long call, int error) {
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{4, code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

double processor_s() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// How the child ended.
constexpr int k_works = 0;
constexpr int k_refused_by_name = 1;
constexpr int k_no_seccomp = 2;
constexpr int k_burns = 10;
constexpr int k_lost = 11;
constexpr int k_refused_without_a_name = 12;

constexpr double k_most_processor_s = 0.15;  // of 0.4 s asleep

/// Waits in both ways while nothing comes, then passes messages in both ways.
int wait_and_pass(const Queue& queue, Producer& out, Consumer& sleeper, Consumer& looper) {
  const double before = processor_s();
  if (sleeper.receive(200ms).status() != Status::timeout) return k_lost;
  for (const auto end = Until::Clock::now() + 200ms; Until::Clock::now() < end;) {
    pollfd readable{looper.poll_fd(), POLLIN, 0};
    if (::poll(&readable, 1, 20) > 0) {
      while (looper.try_receive()) continue;
    }
  }
  if (processor_s() - before > k_most_processor_s) return k_burns;
  for (int i = 0; i < 3; ++i) {
    while (looper.try_receive()) continue;
    out.publish("x");
    if (!sleeper.receive(20s)) return k_lost;
    pollfd readable{looper.poll_fd(), POLLIN, 0};
    if (::poll(&readable, 1, 20'000) != 1 || !looper.try_receive()) return k_lost;
  }
  // The other way round: a producer waits for room.
  while (out.try_publish("x") == Status::ok) continue;
  if (out.publish_until("y", 20ms) != Status::timeout) return k_lost;
  static_cast<void>(queue);
  return k_works;
}

/// `mode` of the queue: on one that is open to other users bells are rung by asynchronous I/O.
int child(const TestDaemon& daemon, const Call& call, int error, bool after_attach, unsigned mode = 0666) {
  try {
    if (!after_attach && !refuse(call.number, error)) return k_no_seccomp;
    const Connection link = Connection::open({.socket = daemon.socket(), .start_daemon = false});
    const Queue queue = link.declare("q", {.slots = 8, .lane_bytes = 4096, .mode = mode});
    Producer out = queue.producer({.lock_memory = true});
    Consumer sleeper = queue.consumer({.follow = true, .wait = WaitStrategy::sleep});
    Consumer looper = queue.consumer({.follow = true});
    static_cast<void>(looper.poll_fd());
    if (after_attach && !refuse(call.number, error)) return k_no_seccomp;
    return wait_and_pass(queue, out, sleeper, looper);
  } catch (const Error& refused) {
    if (std::string(refused.what()).find(call.name) != std::string::npos) return k_refused_by_name;
    std::fprintf(stderr, "%s: %s\n", call.name, refused.what());
    return k_refused_without_a_name;
  }
}

class RefusedCall : public testing::TestWithParam<Call> {};
INSTANTIATE_TEST_SUITE_P(OfTheTable, RefusedCall, testing::ValuesIn(k_calls),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(RefusedCall, a_refused_system_call_is_replaced_or_named_and_burns_no_processor) {
  const TestDaemon daemon;
  std::string outcomes;
  for (const int error : {ENOSYS, EPERM}) {
    for (const bool after_attach : {false, true}) {
      const Exit exit = Child::fork([&] { return child(daemon, GetParam(), error, after_attach); }).wait();
      if (exit.code == k_no_seccomp) GTEST_SKIP() << "no seccomp filters here";
      EXPECT_TRUE(exit.code == k_works || exit.code == k_refused_by_name)
          << "errno " << error << (after_attach ? ", after the attach" : ", from the beginning") << ": exit code "
          << exit.code << ", signal " << exit.signal;
      outcomes += exit.code == k_works ? " works" : " named";
    }
  }
  std::printf("%s:%s\n", GetParam().name, outcomes.c_str());
}

class RefusedRing : public testing::TestWithParam<Call> {};
INSTANTIATE_TEST_SUITE_P(OfTheTable, RefusedRing,
                         testing::Values(Call{"ppoll", SYS_ppoll}, Call{"preadv2", SYS_preadv2},
                                         Call{"write", SYS_write}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(RefusedRing, a_bell_among_processes_of_one_user_rings_without_the_call) {
  const TestDaemon daemon;
  for (const int error : {ENOSYS, EPERM}) {
    const Exit exit = Child::fork([&] { return child(daemon, GetParam(), error, true, 0600); }).wait();
    if (exit.code == k_no_seccomp) GTEST_SKIP() << "no seccomp filters here";
    EXPECT_EQ(exit.code, k_works) << "errno " << error << ", signal " << exit.signal;
  }
}

}  // namespace
}  // namespace beltway::test
