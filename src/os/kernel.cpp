// System calls of the protocol.
#include "os/kernel.hpp"

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <limits>

#include "os/bell.hpp"
#include "os/mark.hpp"

namespace beltway::os {

namespace {

static_assert(std::endian::native == std::endian::little, "a futex is the low half of its word");

/// Not private: the word lies in memory of several processes.
long futex(const detail::Word& word, int operation, std::uint32_t value, const timespec* until) noexcept {
  return ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), operation, value, until, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

timespec timespec_of(std::uint64_t ns) noexcept {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0U, 0); }

std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The process's context of asynchronous I/O; 0: none, and ringing may wait. Its results are never read. A forked child inherits
/// the number and not the context.
std::atomic<aio_context_t> completions{0};
/// The process that has asked for `completions`; 0: none has.
std::atomic<pid_t> completions_owner{0};
constexpr unsigned k_results = 64;

/// Rings an eventfd as the end of an operation. That is a poll of the eventfd itself, which is over at once: it can always be
/// read, or written, or is full. A forked child that has not called ring_without_waiting() gets EINVAL: false.
bool ring_by_completion(int eventfd) noexcept {
  const aio_context_t context = completions.load(std::memory_order_relaxed);
  if (context == 0) return false;
  iocb operation{};
  operation.aio_lio_opcode = IOCB_CMD_POLL;
  operation.aio_fildes = static_cast<std::uint32_t>(eventfd);
  operation.aio_buf = POLLIN | POLLOUT;
  operation.aio_flags = IOCB_FLAG_RESFD;
  operation.aio_resfd = static_cast<std::uint32_t>(eventfd);
  iocb* list[] = {&operation};
  for (unsigned attempt = 0; attempt < 2; ++attempt) {
    if (::syscall(SYS_io_submit, context, 1L, list) == 1) return true;
    if (errno != EAGAIN) return false;
    std::array<io_event, k_results> results{};
    timespec at_once{};
    ::syscall(SYS_io_getevents, context, 0L, long{k_results}, results.data(), &at_once);
  }
  return false;
}

/// True if an eventfd can take one more ring. A peer may have cleared O_NONBLOCK (the flag belongs to the shared description) and
/// filled the counter: then write would block, and a process that watches the bell would see no edge any more. So what is full is
/// emptied first; RWF_NOWAIT does not block whatever the flags say. The number of rings does not matter.
bool has_room(int eventfd) noexcept {
  pollfd writable{eventfd, POLLOUT, 0};
  timespec at_once{};  // the kernel writes there
  if (::syscall(SYS_ppoll, &writable, 1L, &at_once, nullptr, 0L) == 1) return true;
  std::uint64_t rings = 0;
  const iovec there{&rings, sizeof rings};
  // EAGAIN: it is empty. Another process has emptied it, or ppoll was refused.
  return ::syscall(SYS_preadv2, eventfd, &there, 1L, -1L, -1L, RWF_NOWAIT) == sizeof rings || errno == EAGAIN;
}

}  // namespace

bool ring_without_waiting() noexcept {
  const pid_t process = ::getpid();
  // Pairs with the release store below: who sees this process as the owner sees its context.
  if (completions_owner.load(std::memory_order_acquire) != process) {
    aio_context_t inherited = completions.load(std::memory_order_relaxed);
    aio_context_t context = 0;
    if (::syscall(SYS_io_setup, k_results, &context) != 0) context = 0;
    // No mutex: a thread that held it could be missing in a forked child.
    if (!completions.compare_exchange_strong(inherited, context, std::memory_order_relaxed) && context != 0) {
      ::syscall(SYS_io_destroy, context);  // another thread came first
    }
    completions_owner.store(process, std::memory_order_release);
  }
  return completions.load(std::memory_order_relaxed) != 0;
}

bool register_for_barriers() noexcept {
  static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0;
  return registered;
}

bool heavy_barrier() noexcept {
  if (membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0) [[likely]]
    return true;
  nap(1'000'000);
  return false;
}

Slept sleep_on(const detail::Word& word, std::uint64_t expected, std::uint64_t until_ns) noexcept {
  // Absolute, and of a type that does not cut it short.
  const timespec until = timespec_of(std::min(until_ns, std::uint64_t{std::numeric_limits<std::int64_t>::max()}));
  if (futex(word, FUTEX_WAIT_BITSET, static_cast<std::uint32_t>(expected), &until) == 0) return Slept::woken;
  switch (errno) {
    case EAGAIN: return Slept::woken;
    case ETIMEDOUT: return Slept::timed_out;
    case EINTR: return Slept::interrupted;
    default: return Slept::refused;
  }
}

void wake_sleeper(detail::Word& word) noexcept {
  futex(word, FUTEX_WAKE, static_cast<std::uint32_t>(std::numeric_limits<int>::max()), nullptr);
}

bool wants_interrupted_calls() noexcept {
  for (int signal = 1; signal < NSIG; ++signal) {
    // Those that a fault of the program itself brings have handlers in debuggers and sanitizers, and end no call.
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP) continue;
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    const bool handled =
        (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
    if (handled && (action.sa_flags & SA_RESTART) == 0) return true;
  }
  return false;
}

void nap(std::uint64_t ns) noexcept {
  const timespec time = timespec_of(ns);
  ::syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, nullptr);
}

void ring_bell(int eventfd) noexcept {
  if (!is_marked(eventfd) || ring_by_completion(eventfd)) return;
  const std::uint64_t one = 1;
  if (has_room(eventfd) && (::syscall(SYS_write, eventfd, &one, sizeof one) == sizeof one || errno == EAGAIN)) return;
  if (ring_without_waiting()) ring_by_completion(eventfd);  // a call is refused: the other way, from now on
}

void give_way() noexcept { ::sched_yield(); }

std::uint64_t now_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t coarse_now_ns() noexcept { return read_clock(CLOCK_MONOTONIC_COARSE); }

}  // namespace beltway::os
