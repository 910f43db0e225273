#include "tool/top/top_loop.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "tool/top/observer.hpp"
#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

constexpr std::array k_taken{SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};

sigset_t taken_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : k_taken) sigaddset(&set, signal);
  return set;
}

}  // namespace

TerminalSignals::TerminalSignals() {
  const sigset_t taken = taken_signals();
  signals_ = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw Failure(ExitCode::failed, std::string("top: watch for signals: ") + std::strerror(errno));
  pthread_sigmask(SIG_BLOCK, &taken, &before_);
}

TerminalSignals::~TerminalSignals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  close(signals_);
}

int TerminalSignals::next() const noexcept {
  signalfd_siginfo info;
  return read(signals_, &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
}

void TerminalSignals::stop_process() const {
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  struct sigaction before{};
  sigaction(SIGTSTP, &by_default, &before);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  raise(SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);  // stops here
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  sigaction(SIGTSTP, &before, nullptr);
}

namespace {

class Screen {
 public:
  Screen(Terminal& terminal, TopSource& source, const TerminalSignals& signals, const TopOptions& options)
      : terminal_(terminal), signals_(signals), observer_(source, options.interval) {
    state_.selection = options.selection;
    state_.charset = terminal.charset();
    state_.size = terminal.size();
  }

  ExitCode run();

 private:
  void draw();
  void take_signals();
  void take_keys();
  void on_signal(int signal);
  void do_requests(std::vector<Request> requests);

  Terminal& terminal_;
  const TerminalSignals& signals_;
  TopState state_;
  TopData data_;
  std::optional<ExitCode> end_;
  Observer observer_;
};

void Screen::draw() { terminal_.show(picture_of(state_, data_)); }

void Screen::on_signal(int signal) {
  switch (signal) {
    case SIGWINCH: break;
    case SIGCONT: terminal_.forget(); break;
    case SIGTSTP:
      terminal_.release();
      signals_.stop_process();
      terminal_.forget();
      break;
    default: end_ = exit_code_of_signal(signal); return;
  }
  state_.size = terminal_.size();
  settle(state_, data_);
}

void Screen::take_signals() {
  while (const int signal = signals_.next()) on_signal(signal);
}

void Screen::do_requests(std::vector<Request> requests) {
  for (Request& request : requests) {
    if (std::holds_alternative<screen_request::Quit>(request)) {
      end_ = ExitCode::done;
      return;
    }
    // What belongs to another queue or message must not be seen as this one's.
    if (std::holds_alternative<screen_request::Watch>(request)) {
      data_.open.reset();
      data_.open_trouble.clear();
    }
    if (const auto* list = std::get_if<screen_request::Messages>(&request)) {
      const bool same = data_.messages && data_.messages->queue == list->queue && data_.messages->group == list->group;
      if (!same) data_.messages.reset();
    }
    if (std::holds_alternative<screen_request::Message>(request)) data_.message.reset();
    observer_.ask(std::move(request));
  }
}

void Screen::take_keys() {
  for (const Key& key : terminal_.read_keys()) {
    do_requests(on_key(state_, data_, key));
    if (end_) return;
  }
}

ExitCode Screen::run() {
  while (!end_) {
    draw();
    std::array<pollfd, 3> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.poll_fd(), POLLIN, 0},
                                  pollfd{observer_.poll_fd(), POLLIN, 0}};
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)
      throw Failure(ExitCode::failed, std::string("top: wait for keys: ") + std::strerror(errno));
    if (watched[1].revents != 0) take_signals();
    if (end_) break;
    // The terminal is gone, maybe before its signal has come.
    if ((watched[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return exit_code_of_signal(SIGHUP);
    if (watched[0].revents != 0) take_keys();
    if (watched[2].revents != 0) observer_.take(state_, data_);
  }
  return *end_;
}

}  // namespace

ExitCode run_screen(Terminal& terminal, TopSource& source, const TerminalSignals& signals, const TopOptions& options) {
  return Screen(terminal, source, signals, options).run();
}

}  // namespace beltway::tool
