// The thread that takes signals.
#include "tool/process/interrupt.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

namespace beltway::tool {

namespace {

constexpr int k_kick = SIGUSR1;
constexpr int k_kick_again_after_ms = 50;

sigset_t taken_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Interrupt::Interrupt(int output) : interrupted_(pthread_self()) {
  sigset_t awaited = taken_signals();
  sigaddset(&awaited, k_kick);
  signals_ = signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw Failure(ExitCode::failed, std::string("watch for signals: ") + std::strerror(errno));
  struct sigaction kick{};
  kick.sa_handler = [](int) {};  // its only effect is the EINTR, so no SA_RESTART
  sigaction(k_kick, &kick, nullptr);
  const sigset_t taken = taken_signals();
  pthread_sigmask(SIG_BLOCK, &taken, &before_);
  // The kick stays blocked in the watcher, where it means: end.
  sigset_t kick_set;
  sigemptyset(&kick_set);
  sigaddset(&kick_set, k_kick);
  pthread_sigmask(SIG_BLOCK, &kick_set, nullptr);
  watcher_ = std::thread([this, output] { watch(output); });
  pthread_sigmask(SIG_UNBLOCK, &kick_set, nullptr);
}

Interrupt::~Interrupt() {
  ending_.store(true, std::memory_order_relaxed);
  pthread_kill(watcher_.native_handle(), k_kick);
  watcher_.join();
  close(signals_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Interrupt::wait(int& output) noexcept {
  const bool stopping = signal() != 0;
  // No events asked of the output: what is left are POLLERR (the reader of a pipe is gone) and POLLHUP (of a socket).
  pollfd watched[] = {{signals_, POLLIN, 0}, {stopping ? -1 : output, 0, 0}};
  if (poll(watched, 2, stopping ? k_kick_again_after_ms : -1) <= 0) return 0;
  signalfd_siginfo info;
  if (watched[0].revents != 0 && read(signals_, &info, sizeof(info)) == sizeof(info)) {
    return static_cast<int>(info.ssi_signo);
  }
  if ((watched[1].revents & (POLLERR | POLLHUP)) != 0) return SIGPIPE;
  if (watched[1].revents != 0) output = -1;  // no descriptor: nothing to watch
  return 0;
}

void Interrupt::watch(int output) noexcept {
  while (!ending_.load(std::memory_order_relaxed)) {
    const bool stopping = signal() != 0;
    const int signal = wait(output);
    if (ending_.load(std::memory_order_relaxed)) return;
    if (signal > 0 && signal != k_kick) {
      if (stopping) {
        // The second one: whoever presses Ctrl-C twice does not want to wait for the pipe any more.
        std::signal(signal, SIG_DFL);
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, signal);
        pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
        pthread_kill(pthread_self(), signal);
      }
      signal_.store(signal, std::memory_order_relaxed);
      stop_.request_stop();
    }
    if (this->signal() != 0) pthread_kill(interrupted_, k_kick);
  }
}

bool sleep_until(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
  const auto since_boot = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count();
  static constexpr long k_second_ns = 1'000'000'000;
  const timespec until{since_boot / k_second_ns, since_boot % k_second_ns};
  while (!stop.stop_requested()) {
    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != EINTR) return !stop.stop_requested();
  }
  return false;
}

}  // namespace beltway::tool
