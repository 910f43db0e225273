// See supervisor.hpp.
#include "survival/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "beltway/limits.hpp"
#include "survival/descriptor_store.hpp"
#include "survival/inherit.hpp"
#include "survival/log.hpp"
#include "survival/notification.hpp"
#include "survival/saved_queues.hpp"
#include "survival/signals.hpp"
#include "survival/stored_program.hpp"
#include "survival/succession.hpp"

namespace beltway::daemon {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// If a daemon was ready and ran for this time, its queues did not kill it: its death begins a new row of deaths. The time is
/// short, since the next daemon starts at once then, and other processes may wait for a repair.
constexpr milliseconds k_steady_ms{100};
/// Pauses before the second, third, ... start of a row; the first is at once.
constexpr milliseconds k_first_start_pause_ms{20};
constexpr milliseconds k_longest_start_pause_ms{2000};
/// The first deaths of a row get a log line each; later deaths get one at every doubling.
constexpr unsigned k_logged_deaths = 5;
/// Descriptors that the supervisor and the daemon need for themselves.
constexpr std::size_t k_own_descriptors = 16;

/// Which file a path names, and whether it was written since.
struct FileState {
  dev_t device = 0;
  ino_t number = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;

  bool operator==(const FileState&) const = default;
  static FileState of(const std::string& path) noexcept {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size,
            std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
  }
};

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "ended with code " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";  // NOLINT: one thread
}

class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options);
  int run();

 private:
  void make_socket();
  void start() noexcept;
  [[noreturn]] void become_daemon(pid_t supervisor) noexcept;
  void exec_program(const std::vector<std::string>& arguments) const;
  void take_signals();
  void read_notifications();
  void accept(Notification heard);
  void count_second();
  /// The exit code, once all is over.
  std::optional<int> reap();
  [[nodiscard]] std::optional<int> ended(int status);
  void count_failed_start(const std::string& how);
  [[nodiscard]] int patience_ms() const;
  /// -1: none.
  [[nodiscard]] int stored_program() const noexcept;

  const SupervisorOptions& options_;
  std::vector<NamedFd> store_;
  std::size_t limit_;
  sigset_t mask_before_{};
  os::Fd signals_;
  os::Fd socket_;
  std::string address_;
  pid_t child_ = -1;
  bool ready_ = false;       // this daemon has said so
  bool ever_ready_ = false;  // one of them has, maybe under another supervisor
  bool told_ready_ = false;  // the process that started the supervisor knows
  bool ending_ = false;
  unsigned row_ = 0;            // deaths soon after a start, one after the other
  unsigned failed_starts_ = 0;  // of them, of the program file, without being ready
  FileState started_file_;      // the program file at the latest start
  std::string passed_over_;     // why the stored program runs in the place of failed_file_; empty: it does not
  FileState failed_file_;
  unsigned seconds_ = 0;  // that this daemon has needed to come up, or to end
  Clock::time_point started_;
  Clock::time_point next_start_ = Clock::now();
};

Supervisor::Supervisor(const SupervisorOptions& options)
    : options_(options), store_(take_inherited()), limit_(k_max_stored) {
  ::prctl(PR_SET_PDEATHSIG, 0);  // a daemon that became its own supervisor had asked for it
  const std::size_t files = raise_open_files_limit();
  limit_ = std::min(limit_, files > k_own_descriptors ? files - k_own_descriptors : 0);
  ever_ready_ = std::ranges::any_of(store_, [](const NamedFd& held) { return is_registry(held.name); });
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  for (const int signal : heard_signals()) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &mask_before_);
  ::sigdelset(&mask_before_, SIGCHLD);
  signals_ =
      os::checked_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "start the supervisor: make a signalfd");
  make_socket();
}

void Supervisor::make_socket() {
  const std::string context = "start the supervisor: make its socket";
  socket_ = os::checked_fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), context);
  const int on = 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address;
  // An abstract name that the kernel chooses: nothing in any directory that could be left behind.
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 ||
      ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw os::system_failure(context);
  }
  const std::size_t length = size - offsetof(sockaddr_un, sun_path);
  address_ = '@' + std::string(address.sun_path + 1, length - 1);
}

int Supervisor::stored_program() const noexcept {
  const auto found = std::ranges::find_if(store_, [](const NamedFd& held) { return is_stored_program(held.name); });
  return found == store_.end() ? -1 : found->descriptor.get();
}

void Supervisor::start() noexcept {
  ready_ = false;
  seconds_ = 0;
  started_ = Clock::now();
  started_file_ = FileState::of(options_.program);
  if (started_file_ != failed_file_) passed_over_.clear();
  const pid_t supervisor = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become_daemon(supervisor);
  if (child_ > 0) return;
  spdlog::error("supervisor: fork: {}", std::strerror(errno));
  ++row_;
  next_start_ = Clock::now() + k_longest_start_pause_ms;
}

void Supervisor::become_daemon(pid_t supervisor) noexcept {
  try {
    // What was sent before the daemon could hear it waits for it (see hear_signals).
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    block_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGUSR2);
    if (::getppid() != supervisor) ::_exit(EXIT_FAILURE);
    ::setenv("NOTIFY_SOCKET", address_.c_str(), 1);
    ::setenv("FDSTORE", std::to_string(limit_).c_str(), 1);
    ::unsetenv(k_passed_over);
    std::vector<std::string> arguments = options_.arguments;
    arguments.insert(arguments.end(), {"--kept-by", std::to_string(supervisor)});
    if (std::ranges::any_of(store_, [](const NamedFd& held) { return is_queue_part(held.name); })) {
      arguments.insert(arguments.end(), {k_store_format_option, std::to_string(k_store_format)});
    }
    exec_program(arguments);
  } catch (const std::exception& error) {
    spdlog::error("supervisor: {}", error.what());
  }
  flush_log();
  ::_exit(EXIT_FAILURE);
}

void Supervisor::exec_program(const std::vector<std::string>& arguments) const {
  // The stored program is copied first, to a number beyond those at which the store is handed on.
  const int beyond = static_cast<int>(store_.size()) + 3;
  const int stored = stored_program();
  const os::Fd copy(stored < 0 ? -1 : ::fcntl(stored, F_DUPFD_CLOEXEC, beyond));
  std::vector<PassedFd> passed;
  passed.reserve(store_.size());
  for (const NamedFd& held : store_) passed.push_back({held.name, held.descriptor.get()});
  if (!passed.empty()) pass_at_exec(passed);
  std::string why = passed_over_;
  if (why.empty()) {
    exec_file(options_.program, options_.program, arguments);
    why = options_.program + " cannot be executed: " + std::strerror(errno);
    spdlog::error("supervisor: {}; {} runs", why, copy ? "the stored program" : "the supervisor's own program");
  }
  ::setenv(k_passed_over, why.c_str(), 1);
  if (copy) exec_descriptor(copy.get(), options_.program, arguments);
  exec_file("/proc/self/exe", options_.program, arguments);
}

int Supervisor::patience_ms() const {
  if (child_ > 0) return ready_ && !ending_ ? -1 : 1000;
  const auto left = std::chrono::ceil<milliseconds>(next_start_ - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

int Supervisor::run() {
  for (;;) {
    if (child_ <= 0 && !ending_ && Clock::now() >= next_start_) start();
    std::array<pollfd, 2> waits{pollfd{signals_.get(), POLLIN, 0}, pollfd{socket_.get(), POLLIN, 0}};
    const int heard = ::poll(waits.data(), waits.size(), patience_ms());
    read_notifications();
    take_signals();
    if (const std::optional<int> code = reap()) return *code;
    if (ending_ && child_ <= 0) return EXIT_SUCCESS;
    if (heard == 0 && child_ > 0) count_second();
  }
}

void Supervisor::count_second() {
  // Seconds that the supervisor has waited itself: a machine that was suspended does not count.
  if ((ready_ && !ending_) || ++seconds_ != options_.max_start_s) return;
  spdlog::error("supervisor: the daemon, process {}, did not {} within {} s; it is killed", child_,
                ending_ ? "end" : "come up", options_.max_start_s);
  ::kill(child_, SIGKILL);
}

void Supervisor::take_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    const auto number = static_cast<int>(signal.ssi_signo);
    if (number == SIGCHLD) continue;
    if (number == SIGUSR2) {  // its sender wants the program file
      passed_over_.clear();
      failed_starts_ = 0;
      next_start_ = std::min(next_start_, Clock::now());
    } else if (!std::exchange(ending_, true)) {
      seconds_ = 0;
    }
    if (child_ > 0) ::kill(child_, number);
  }
}

void Supervisor::read_notifications() {
  while (std::optional<Notification> heard = receive_notification(socket_.get())) {
    if (heard->sender == child_) accept(std::move(*heard));
  }
}

void Supervisor::accept(Notification heard) {
  const std::string name = heard.value("FDNAME").value_or("stored");
  if (heard.says("FDSTOREREMOVE")) {
    std::erase_if(store_, [&](const NamedFd& held) { return held.name == name; });
  }
  if (heard.says("FDSTORE")) {
    for (os::Fd& descriptor : heard.descriptors) {
      if (store_.size() < limit_) store_.push_back({name, std::move(descriptor)});
    }
  }
  if (!heard.says("READY")) return;
  ready_ = true;
  ever_ready_ = true;
  failed_starts_ = 0;
  if (!std::exchange(told_ready_, true)) options_.ready();
}

std::optional<int> Supervisor::reap() {
  // Left as a zombie until what it sent is read: its number stays its own.
  siginfo_t info{};
  if (child_ <= 0 || ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  if (info.si_pid == 0) return std::nullopt;
  read_notifications();
  int status = 0;
  ::waitpid(child_, &status, 0);
  return ended(status);
}

void Supervisor::count_failed_start(const std::string& how) {
  if (!passed_over_.empty()) return;  // it was the stored program, and there is no other
  if (++failed_starts_ < k_max_failed_starts || stored_program() < 0) return;
  // The same file once more would change nothing.
  const os::Fd file(::open(options_.program.c_str(), O_PATH | O_CLOEXEC));
  if (file && are_same_file(file.get(), stored_program())) return;
  failed_file_ = started_file_;
  passed_over_ = options_.program + " did not come up " + std::to_string(failed_starts_) + " times in a row: it " +
                 how +
                 ". The stored program runs in its place; install a program that works, or send SIGUSR2 to try again";
  spdlog::error("supervisor: {}", passed_over_);
}

std::optional<int> Supervisor::ended(int status) {
  const pid_t child = std::exchange(child_, -1);
  const bool by_itself = WIFEXITED(status);
  const int code = by_itself ? WEXITSTATUS(status) : EXIT_FAILURE;
  // Code 0 of a program that was never ready says nothing: it may be any program.
  const bool as_told = by_itself && code == EXIT_SUCCESS && (ready_ || !ever_ready_);
  const bool on_purpose = by_itself && code == k_restart_code;
  if (as_told || ending_) return code;
  if (!ever_ready_ && by_itself && !on_purpose) return code;
  const std::string how = how_it_ended(status);
  if (on_purpose || (ready_ && Clock::now() - started_ >= k_steady_ms)) row_ = 0;
  milliseconds pause{0};
  if (row_ != 0) pause = std::min(k_longest_start_pause_ms, k_first_start_pause_ms * (1U << std::min(row_ - 1, 10U)));
  if (!on_purpose) ++row_;
  next_start_ = Clock::now() + pause;
  if (on_purpose || row_ <= k_logged_deaths || std::has_single_bit(row_)) {
    spdlog::log(on_purpose ? spdlog::level::info : spdlog::level::err,
                "supervisor: the daemon, process {}, {}{}; it is started again in {} ms with {} descriptors", child,
                how, row_ > k_logged_deaths ? ", death " + std::to_string(row_) + " in a row" : "", pause.count(),
                store_.size());
  }
  if (on_purpose) {
    passed_over_.clear();
    failed_starts_ = 0;
  } else if (!ready_) {
    count_failed_start(how);
  }
  if (ever_ready_ || failed_starts_ < k_max_failed_starts) return std::nullopt;
  spdlog::critical("supervisor: the daemon {} {} times, and was never ready; giving up", how, failed_starts_);
  return EXIT_FAILURE;
}

}  // namespace

int run_supervisor(const SupervisorOptions& options) { return Supervisor(options).run(); }

}  // namespace beltway::daemon
