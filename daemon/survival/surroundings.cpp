// See surroundings.hpp.
#include "survival/surroundings.hpp"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "survival/signals.hpp"

namespace beltway::daemon {
namespace {

constexpr rlim_t k_stack_bytes = 8UL << 20;
constexpr unsigned long k_timer_slack_ns = 50'000;  // the kernel's default

/// Beside the memory of queues: the program, its heap and its threads' stacks.
constexpr rlim_t k_own_address_space_bytes = 512UL << 20;
constexpr rlim_t k_own_data_bytes = 128UL << 20;
constexpr rlim_t k_own_stack_bytes = 1UL << 20;
/// Some tens of queues of the default size with their users.
constexpr rlim_t k_least_open_files = 1024;

/// One limit of resources. `needed`: what its hard limit must allow, without the bytes of queues.
struct Limit {
  int resource;
  const char* name;
  const char* option;  ///< of the shell's ulimit
  rlim_t needed;
  bool plus_queues;
};
constexpr std::array k_needed{Limit{RLIMIT_NOFILE, "open files (RLIMIT_NOFILE)", "-n", k_least_open_files, false},
                              Limit{RLIMIT_AS, "address space (RLIMIT_AS)", "-v", k_own_address_space_bytes, true},
                              Limit{RLIMIT_FSIZE, "file size (RLIMIT_FSIZE)", "-f", 0, true},
                              Limit{RLIMIT_DATA, "data size (RLIMIT_DATA)", "-d", k_own_data_bytes, false},
                              Limit{RLIMIT_STACK, "stack size (RLIMIT_STACK)", "-s", k_own_stack_bytes, false},
                              Limit{RLIMIT_CPU, "processor time (RLIMIT_CPU)", "-t", RLIM_INFINITY, false}};

void open_standard_descriptors() noexcept {
  // Otherwise a socket or a queue's memory would get the number of standard error, and a message would be written into it.
  int descriptor = 0;
  do {
    descriptor = ::open("/dev/null", O_RDWR);  // NOLINT: inherited by what is started, as the others are
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

void reset_signals() noexcept {
  for (int signal = 1; signal < NSIG; ++signal) {
    const bool may_stay = signal == SIGHUP || signal == SIGINT;
    if (!may_stay || !is_ignored(signal)) std::signal(signal, SIG_DFL);  // SIGKILL and SIGSTOP: refused
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t before;
  sigset_t held;
  ::sigemptyset(&held);
  ::sigprocmask(SIG_SETMASK, nullptr, &before);
  for (const int signal : heard_signals()) {
    if (::sigismember(&before, signal) == 1) ::sigaddset(&held, signal);
  }
  ::sigprocmask(SIG_SETMASK, &held, nullptr);
}

void stop_timers() noexcept {
  const itimerval none{};  // alarm() outlives exec()
  for (const auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) ::setitimer(timer, &none, nullptr);
}

void reset_scheduling() noexcept {
  const sched_param ordinary{};
  ::sched_setscheduler(0, SCHED_OTHER, &ordinary);
  ::setpriority(PRIO_PROCESS, 0, 0);
  // Not from linux/ioprio.h, which is no C++ in some of Debian's versions of it (6.1.192).
  constexpr int k_ioprio_who_process = 1;
  ::syscall(SYS_ioprio_set, k_ioprio_who_process, 0, 0);  // 0: by niceness
  std::array<unsigned char, 1024> all{};
  all.fill(0xff);  // the kernel leaves out what the cpuset does not have
  ::syscall(SYS_sched_setaffinity, 0, all.size(), all.data());
  ::syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0);
  ::prctl(PR_SET_TIMERSLACK, k_timer_slack_ns);
  ::prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

void reset_oom_score() noexcept {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  static_cast<void>(!::write(file, "0", 1));
  ::close(file);
}

void raise_soft_limits() noexcept {
  for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
    const auto which = static_cast<__rlimit_resource_t>(resource);
    rlimit limit{};
    if (::getrlimit(which, &limit) != 0) continue;
    limit.rlim_cur = limit.rlim_max;
    if (resource == RLIMIT_STACK) limit.rlim_cur = std::min(k_stack_bytes, limit.rlim_max);
    if (resource == RLIMIT_CORE) limit.rlim_cur = 0;
    ::setrlimit(which, &limit);
  }
}

void reduce_environment() noexcept {
  std::array<std::string, k_kept_variables.size()> values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char* const value = std::getenv(k_kept_variables[i]);  // NOLINT(concurrency-mt-unsafe): one thread
    if (value != nullptr) values[i] = value;
  }
  ::clearenv();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty()) ::setenv(k_kept_variables[i], values[i].c_str(), 1);
  }
}

}  // namespace

bool is_ignored(int signal) noexcept {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void settle() noexcept {
  open_standard_descriptors();
  reset_signals();
  stop_timers();
  ::umask(022);  // every file says its own mode; a mask of 0777 would make files that no process can open again
}

void leave_callers_world() noexcept {
  std::signal(SIGINT, SIG_DFL);
  reset_scheduling();
  reset_oom_score();
  raise_soft_limits();
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // after what may need them
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  ::personality(PER_LINUX);
  ::closefrom(STDERR_FILENO + 1);
  static_cast<void>(!::chdir("/"));
  reduce_environment();
}

std::optional<std::string> limit_too_low(std::uint64_t bytes_per_user) {
  for (const Limit& limit : k_needed) {
    rlimit is{};
    if (::getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &is) != 0 || is.rlim_max == RLIM_INFINITY)
      continue;
    const rlim_t queues = limit.plus_queues ? bytes_per_user : 0;
    const rlim_t needed = queues > RLIM_INFINITY - limit.needed ? RLIM_INFINITY : limit.needed + queues;
    if (is.rlim_max >= needed) continue;
    return "start in the background: the hard limit of " + std::string(limit.name) + " is " +
           std::to_string(is.rlim_max) + ", and a daemon for all programs of a user needs " +
           (needed == RLIM_INFINITY ? "no limit" : std::to_string(needed)) +
           "; start it where that limit is higher (ulimit -H " + limit.option +
           "), as a service (systemctl --user enable --now beltwayd.socket)" +
           (limit.plus_queues ? ", or with a lower --max-bytes-per-user" : "");
  }
  return std::nullopt;
}

}  // namespace beltway::daemon
