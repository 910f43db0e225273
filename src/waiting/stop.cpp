// See beltway/stop.hpp.
#include "beltway/stop.hpp"

#include <semaphore.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/error.hpp"
#include "waiting/stop_state.hpp"

namespace beltway::waiting {

namespace {

// What the handler touches: it may run while the StopOn is being destroyed, in another thread, so nothing of this ever goes.
std::atomic<bool> taken = false;  // a SignalWatch lives
std::atomic<int> first_signal = 0;
sem_t signals_came;

void on_signal(int signal) {
  const int error = errno;
  int none = 0;
  if (first_signal.compare_exchange_strong(none, signal)) stop_is_coming.store(true);
  ::sem_post(&signals_came);
  errno = error;
}

}  // namespace

/// The handlers, and the thread that requests the stop: std::stop_source::request_stop() is not for signal handlers.
class SignalWatch {
 public:
  explicit SignalWatch(std::initializer_list<int> signals) {
    if (taken.exchange(true)) {
      throw Error(Errc::misuse, "stop_on: another StopOn lives in this process; use its token");
    }
    first_signal.store(0);
    stop_is_coming.store(false);
    ::sem_init(&signals_came, 0, 0);
    try {
      start_thread();
      for (const int signal : signals) handle(signal);
    } catch (...) {
      end();
      throw;
    }
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() { end(); }

  [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

 private:
  void handle(int signal) {
    struct sigaction action{};
    action.sa_handler = &on_signal;
    struct sigaction before{};
    before_.reserve(before_.size() + 1);
    // No SA_RESTART: a read from a terminal is to end, too.
    if (::sigaction(signal, &action, &before) != 0) {
      throw Error(Errc::system, "stop_on: signal " + std::to_string(signal) + " cannot be handled");
    }
    before_.emplace_back(signal, before);
  }

  void start_thread() {
    // Signals are for the threads of the program.
    sigset_t all;
    sigset_t old;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old);
    const auto restore = [&](const void*) { ::pthread_sigmask(SIG_SETMASK, &old, nullptr); };
    const std::unique_ptr<const void, decltype(restore)> at_end(this, restore);
    thread_ = std::thread([this] {
      while (::sem_wait(&signals_came) != 0) continue;  // EINTR
      if (!ending_.load()) source_.request_stop();
      stop_is_coming.store(false);
    });
  }

  void end() noexcept {
    for (auto entry = before_.rbegin(); entry != before_.rend(); ++entry) {
      ::sigaction(entry->first, &entry->second, nullptr);
    }
    if (thread_.joinable()) {
      if (first_signal.load() == 0) ending_.store(true);
      ::sem_post(&signals_came);
      thread_.join();
    }
    stop_is_coming.store(false);
    taken.store(false);
  }

  std::stop_source source_;
  std::vector<std::pair<int, struct sigaction>> before_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace beltway::waiting

namespace beltway {

StopOn::StopOn(StopOn&& other) noexcept : watch_(std::exchange(other.watch_, nullptr)) {}
StopOn::~StopOn() { delete watch_; }
std::stop_token StopOn::token() const noexcept { return watch_ == nullptr ? std::stop_token() : watch_->token(); }
int StopOn::signal() const noexcept { return waiting::first_signal.load(); }

StopOn stop_on(std::initializer_list<int> signals) { return StopOn(new waiting::SignalWatch(signals)); }

}  // namespace beltway
