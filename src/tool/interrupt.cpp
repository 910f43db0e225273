// The thread that takes signals.
#include "interrupt.hpp"

#include <pthread.h>
#include <time.h>

#include <cerrno>
#include <chrono>

namespace beltway::tool {

namespace {

constexpr int k_kick = SIGUSR1;
constexpr long k_kick_again_after_ns = 50'000'000;

sigset_t taken_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Interrupt::Interrupt() : interrupted_(pthread_self()) {
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
  watcher_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_UNBLOCK, &kick_set, nullptr);
}

Interrupt::~Interrupt() {
  ending_.store(true, std::memory_order_relaxed);
  pthread_kill(watcher_.native_handle(), k_kick);
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupt::watch() noexcept {
  sigset_t awaited = taken_signals();
  sigaddset(&awaited, k_kick);
  const timespec kick_again{0, k_kick_again_after_ns};
  while (!ending_.load(std::memory_order_relaxed)) {
    const bool stopping = signal() != 0;
    const int signal = sigtimedwait(&awaited, nullptr, stopping ? &kick_again : nullptr);
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
