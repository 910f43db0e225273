// The watchdog's signal handlers. Everything from on_timeout() on is called in a signal handler: no allocation, no locks but
// our own, only what is async-signal-safe (backtrace() is, once it has been called before).
#include "watchdog.hpp"

#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" {
extern const char __executable_start[];  // NOLINT: the linker's name
extern const char etext[];               // NOLINT: likewise
}

namespace beltway::test {
namespace {

constexpr std::size_t k_max_frames = 40;
// Chosen away from the signals that a test might use itself. Programs under qemu-user have not the highest ones.
int timeout_signal() { return SIGRTMAX - 4; }
int stack_signal() { return SIGRTMAX - 5; }

std::array<char, 256> running_test{};
std::atomic<bool> stack_begun{false};
std::atomic<bool> stack_shown{false};

int limit_s() {
  const char* text = std::getenv("BELTWAY_TEST_TIMEOUT_S");
  const int seconds = text == nullptr ? 100 : std::max(1, std::atoi(text));
#ifdef BELTWAY_SANITIZED
  return 3 * seconds;
#else
  return seconds;
#endif
}

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Lets addr2line name the frames that lie in this program: its static functions have no names at run time.
void name_frames(void** frames, std::size_t count) {
  const auto start = reinterpret_cast<std::uintptr_t>(__executable_start);
  const auto end = reinterpret_cast<std::uintptr_t>(etext);
  const bool movable = reinterpret_cast<const Elf64_Ehdr*>(__executable_start)->e_type == ET_DYN;
  std::array<std::array<char, 20>, k_max_frames> texts{};
  std::array<const char*, k_max_frames + 4> argv{"addr2line", "-Cfpse", "/proc/self/exe"};
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto address = reinterpret_cast<std::uintptr_t>(frames[i]);
    if (address < start || address >= end) continue;
    // One before the return address: the call itself.
    std::snprintf(texts[used].data(), texts[used].size(), "%lx", address - 1 - (movable ? start : 0));
    argv[3 + used] = texts[used].data();
    ++used;
  }
  if (used == 0) return;
  // /proc/self would be addr2line's own after exec.
  std::array<char, 64> program{};
  std::snprintf(program.data(), program.size(), "/proc/%d/exe", ::getpid());
  argv[2] = program.data();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execvp(argv[0], const_cast<char**>(argv.data()));
    ::_exit(127);  // no addr2line here: the raw frames are printed all the same
  }
  if (child > 0) ::waitpid(child, nullptr, 0);
}

void on_stack_signal(int) {
  const int saved_errno = errno;
  stack_begun.store(true, std::memory_order_relaxed);
  std::array<void*, k_max_frames> frames{};
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  say("in this program's words:\n");
  name_frames(frames.data(), static_cast<std::size_t>(count));
  stack_shown.store(true, std::memory_order_release);  // pairs with the acquire in show_stack()
  errno = saved_errno;
}

void show_stack(pid_t thread) {
  std::array<char, 64> title{};
  std::snprintf(title.data(), title.size(), "--- thread %d\n", thread);
  say(title.data());
  if (thread == ::gettid()) {  // we are in a handler already, and ThreadSanitizer delivers none inside another
    on_stack_signal(0);
    return;
  }
  stack_begun.store(false, std::memory_order_relaxed);
  stack_shown.store(false, std::memory_order_relaxed);
  if (::syscall(SYS_tgkill, ::getpid(), thread, stack_signal()) != 0) return;
  const timespec pause{.tv_sec = 0, .tv_nsec = 10'000'000};
  // A second for the answer; addr2line may take many on a machine with other work.
  for (int i = 0; i < 100 || (stack_begun.load(std::memory_order_relaxed) && i < 3000); ++i) {
    if (stack_shown.load(std::memory_order_acquire)) return;  // pairs with the release in on_stack_signal()
    ::nanosleep(&pause, nullptr);
  }
  say("(does not answer: it blocks signals, or is the sanitizer's own)\n");
}

void show_all_stacks() {
  struct Entry {  // as getdents64(2) has it
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t length;
    std::uint8_t type;
    char name[1];
  };
  const int directory = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  alignas(Entry) std::array<char, 4096> buffer;  // NOLINT: filled by the call
  for (;;) {
    const auto bytes = ::syscall(SYS_getdents64, directory, buffer.data(), buffer.size());
    if (bytes <= 0) break;
    for (long at = 0; at < bytes;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      const int thread = std::atoi(entry->name);
      if (thread > 0) show_stack(thread);
      at += entry->length;
    }
  }
  ::close(directory);
}

void on_timeout(int) {
  say("\nwatchdog: ");
  say(running_test.data());
  say(" hangs; its threads:\n");
  show_all_stacks();
  ::signal(SIGABRT, SIG_DFL);
  ::abort();
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Watchdog::Watchdog() {
  std::array<void*, 4> warm_up{};
  (void)::backtrace(warm_up.data(), static_cast<int>(warm_up.size()));  // the first call loads libgcc, and allocates
  handle(timeout_signal(), on_timeout);
  handle(stack_signal(), on_stack_signal);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = timeout_signal();
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    std::perror("watchdog: timer_create");
    std::exit(2);
  }
}

Watchdog::~Watchdog() { ::timer_delete(timer_); }

void Watchdog::OnTestStart(const testing::TestInfo& info) {
  std::snprintf(running_test.data(), running_test.size(), "%s.%s", info.test_suite_name(), info.name());
  const itimerspec time{.it_interval = {}, .it_value = {.tv_sec = limit_s(), .tv_nsec = 0}};
  ::timer_settime(timer_, 0, &time, nullptr);
}

void Watchdog::OnTestEnd(const testing::TestInfo&) {
  const itimerspec never{};
  ::timer_settime(timer_, 0, &never, nullptr);
}

}  // namespace beltway::test
