// See keeper.hpp.
#include "keeper.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "inherit.hpp"
#include "log.hpp"
#include "store.hpp"
#include "surroundings.hpp"

namespace beltway::daemon {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// A daemon that was ready and ran for so long is no one that dies of what it finds: its death does not count as one of a
/// row. Short, since who died in the middle of a claim is repaired by the next daemon, and others wait for that.
constexpr milliseconds k_steady_ms{100};
/// Pauses before the second, third, ... start of a row; the first is at once.
constexpr milliseconds k_first_pause_ms{20};
constexpr milliseconds k_longest_pause_ms{2000};
/// Descriptors that the keeper and the daemon need for themselves.
constexpr std::size_t k_own_descriptors = 16;
constexpr std::size_t k_most_descriptors = 253;  // SCM_MAX_FD
constexpr std::size_t k_datagram_bytes = 4096;

/// One datagram: the lines of its text, and its descriptors.
struct Notification {
  pid_t sender = 0;
  std::string text;
  std::vector<Fd> descriptors;

  [[nodiscard]] std::optional<std::string> value(std::string_view key) const {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line(text.data() + at, end - at);
      if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
        return std::string(line.substr(key.size() + 1));
      }
      at = end + 1;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool says(std::string_view key) const { return value(key) == "1"; }
};

/// Nothing if none is there.
std::optional<Notification> receive(int socket) {
  std::array<char, k_datagram_bytes> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * k_most_descriptors) + CMSG_SPACE(sizeof(ucred))> control{};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return std::nullopt;
  Notification heard;
  heard.text.assign(text.data(), static_cast<std::size_t>(size));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(header), sizeof who);
      heard.sender = who.pid;
    } else if (header->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
        heard.descriptors.emplace_back(descriptor);
      }
    }
  }
  return heard;
}

class Keeper {
 public:
  explicit Keeper(const KeeperOptions& options);
  int run();

 private:
  void make_socket();
  void start() noexcept;
  [[noreturn]] void become_daemon(pid_t keeper) noexcept;
  void take_signals();
  void read_notifications();
  void accept(Notification heard);
  /// The exit code, once all is over.
  std::optional<int> reap();
  [[nodiscard]] std::optional<int> ended(int status);
  [[nodiscard]] int patience_ms() const;

  const KeeperOptions& options_;
  std::vector<NamedFd> store_;
  std::size_t limit_;
  sigset_t mask_before_{};
  Fd signals_;
  Fd socket_;
  std::string address_;
  pid_t child_ = -1;
  bool ready_ = false;       // this daemon has said so
  bool ever_ready_ = false;  // one of them has
  bool ending_ = false;
  unsigned row_ = 0;  // deaths soon after a start, one after the other
  Clock::time_point started_;
  Clock::time_point next_start_ = Clock::now();
};

Keeper::Keeper(const KeeperOptions& options) : options_(options), store_(take_inherited()), limit_(k_max_stored) {
  ::prctl(PR_SET_PDEATHSIG, 0);  // a daemon that became its own keeper had asked for it
  const std::size_t files = raise_open_files_limit();
  limit_ = std::min(limit_, files > k_own_descriptors ? files - k_own_descriptors : 0);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  for (const int signal : k_passed_on) {
    if (!is_ignored(signal)) ::sigaddset(&signals, signal);
  }
  ::sigprocmask(SIG_BLOCK, &signals, &mask_before_);
  ::sigdelset(&mask_before_, SIGCHLD);
  signals_ = checked_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "start the keeper: make a signalfd");
  make_socket();
}

void Keeper::make_socket() {
  const std::string what = "start the keeper: make its socket";
  socket_ = checked_fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), what);
  const int on = 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address;
  // An abstract name that the kernel chooses: nothing in any directory that could be left behind.
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 ||
      ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw system_failure(what);
  }
  const std::size_t length = size - offsetof(sockaddr_un, sun_path);
  address_ = '@' + std::string(address.sun_path + 1, length - 1);
}

void Keeper::start() noexcept {
  ready_ = false;
  started_ = Clock::now();
  const pid_t keeper = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become_daemon(keeper);
  if (child_ > 0) return;
  spdlog::error("keeper: fork: {}", std::strerror(errno));
  ++row_;
  next_start_ = Clock::now() + k_longest_pause_ms;
}

void Keeper::become_daemon(pid_t keeper) noexcept {
  try {
    // What was sent before the daemon could hear it waits for it (see hear_signals).
    sigset_t mask = mask_before_;
    for (const int signal : k_passed_on) ::sigaddset(&mask, signal);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGUSR2);
    if (::getppid() != keeper) ::_exit(EXIT_FAILURE);
    ::setenv("NOTIFY_SOCKET", address_.c_str(), 1);
    ::setenv("FDSTORE", std::to_string(limit_).c_str(), 1);
    std::vector<PassedFd> passed;
    passed.reserve(store_.size());
    for (const NamedFd& held : store_) passed.push_back({held.name, held.descriptor.get()});
    if (!passed.empty()) pass_on(passed);
    std::vector<std::string> arguments = options_.arguments;
    arguments.insert(arguments.end(), {"--kept-by", std::to_string(keeper)});
    replace_process(options_.program, arguments);
  } catch (const std::exception& error) {
    spdlog::error("keeper: {}", error.what());
  }
  flush_log();
  ::_exit(EXIT_FAILURE);
}

int Keeper::patience_ms() const {
  if (child_ > 0) return -1;
  const auto left = std::chrono::ceil<milliseconds>(next_start_ - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

int Keeper::run() {
  for (;;) {
    if (child_ <= 0 && !ending_ && Clock::now() >= next_start_) start();
    std::array<pollfd, 2> waits{pollfd{signals_.get(), POLLIN, 0}, pollfd{socket_.get(), POLLIN, 0}};
    ::poll(waits.data(), waits.size(), patience_ms());
    read_notifications();
    take_signals();
    if (const std::optional<int> code = reap()) return *code;
    if (ending_ && child_ <= 0) return EXIT_SUCCESS;
  }
}

void Keeper::take_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    const auto number = static_cast<int>(signal.ssi_signo);
    if (number == SIGCHLD) continue;
    if (number != SIGUSR2) ending_ = true;
    if (child_ > 0) ::kill(child_, number);
  }
}

void Keeper::read_notifications() {
  while (std::optional<Notification> heard = receive(socket_.get())) {
    if (heard->sender == child_) accept(std::move(*heard));
  }
}

void Keeper::accept(Notification heard) {
  const std::string name = heard.value("FDNAME").value_or("stored");
  if (heard.says("FDSTOREREMOVE")) {
    std::erase_if(store_, [&](const NamedFd& held) { return held.name == name; });
  }
  if (heard.says("FDSTORE")) {
    for (Fd& descriptor : heard.descriptors) {
      if (store_.size() < limit_) store_.push_back({name, std::move(descriptor)});
    }
  }
  if (!heard.says("READY")) return;
  ready_ = true;
  if (!std::exchange(ever_ready_, true)) options_.ready();
}

std::optional<int> Keeper::reap() {
  // Left as a zombie until what it sent is read: its number stays its own.
  siginfo_t info{};
  if (child_ <= 0 || ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  if (info.si_pid == 0) return std::nullopt;
  read_notifications();
  int status = 0;
  ::waitpid(child_, &status, 0);
  return ended(status);
}

std::optional<int> Keeper::ended(int status) {
  const pid_t child = std::exchange(child_, -1);
  const bool by_itself = WIFEXITED(status);
  const int code = by_itself ? WEXITSTATUS(status) : EXIT_FAILURE;
  if (by_itself && (code == EXIT_SUCCESS || (!ever_ready_ && code != k_restart_code))) return code;
  if (ending_) return code;
  const bool on_purpose = by_itself && code == k_restart_code;
  if (on_purpose || (ready_ && Clock::now() - started_ >= k_steady_ms)) row_ = 0;
  milliseconds pause{0};
  if (row_ != 0) pause = std::min(k_longest_pause_ms, k_first_pause_ms * (1U << std::min(row_ - 1, 10U)));
  if (!on_purpose) ++row_;
  next_start_ = Clock::now() + pause;
  spdlog::log(on_purpose ? spdlog::level::info : spdlog::level::err,
              "keeper: the daemon, process {}, {} {}; it is started again in {} ms with {} descriptors", child,
              by_itself ? "ended with code" : "was killed by signal", by_itself ? code : WTERMSIG(status),
              pause.count(), store_.size());
  return std::nullopt;
}

}  // namespace

void hear_signals() noexcept {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : k_passed_on) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

int run_keeper(const KeeperOptions& options) { return Keeper(options).run(); }

void replace_process(const std::string& program, const std::vector<std::string>& arguments) noexcept {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  flush_log();  // its thread ends here
  ::execv(program.c_str(), pointers.data());
  spdlog::error("start {}: {}; going on with the old program", program, std::strerror(errno));
  flush_log();
  ::execv("/proc/self/exe", pointers.data());
}

}  // namespace beltway::daemon
