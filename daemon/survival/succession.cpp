// See succession.hpp.
#include "survival/succession.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "beltway/limits.hpp"
#include "beltway/version.hpp"
#include "survival/log.hpp"

namespace beltway::daemon {
namespace {

constexpr std::size_t k_max_reason = 1024;
/// Between this process and itself, over exec: giving way has failed.
constexpr const char* k_stays = "BELTWAY_STAYS";

/// As exec wants it.
class CommandLine {
 public:
  CommandLine(const std::string& name, const std::vector<std::string>& arguments) : words_{name} {
    words_.insert(words_.end(), arguments.begin(), arguments.end());
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] char* const* words() noexcept { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

std::string own_title() {
  return own_program() + " (version " + std::string(k_version) + ", layout " + wire::k_own_layout.text() + ")";
}

std::string name_of(const HeldQueue& queue) {
  return queue.stamp.name.empty() ? "a queue" : "queue \"" + queue.stamp.name + "\"";
}

std::string why_others(const std::vector<HeldQueue>& others) {
  std::string why = own_title() + " gave way: of " + name_of(others.front()) + ", " + others.front().why;
  if (others.size() > 1) why += "; " + std::to_string(others.size() - 1) + " more queues are like that";
  return why + ". It runs when these queues are removed and the daemon is started again (SIGUSR2 or a restart)";
}

/// The stored program, or the supervisor's, unless it is this one.
os::Fd find_other_program(const DescriptorStore& store, int supervisor) {
  const os::Fd own = program_of("self");
  for (const NamedFd& left : store.inherited()) {
    if (!is_stored_program(left.name)) continue;
    if (are_same_file(own.get(), left.descriptor.get())) return {};
    return os::Fd(::dup(left.descriptor.get()));
  }
  if (supervisor == 0 || supervisor != ::getppid()) return {};
  os::Fd program = program_of(std::to_string(supervisor));
  return program && !are_same_file(own.get(), program.get()) ? std::move(program) : os::Fd();
}

}  // namespace

std::string passed_over() {
  const char* const text = std::getenv(k_passed_over);  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? "" : std::string(text).substr(0, k_max_reason);
}

std::string own_program() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) {  // no /proc
    const auto* const started_as =
        reinterpret_cast<const char*>(::getauxval(AT_EXECFN));  // NOLINT: the kernel's pointer
    return started_as == nullptr ? "/proc/self/exe" : std::filesystem::absolute(started_as, failed).string();
  }
  std::string text = path.string();
  constexpr std::string_view k_gone = " (deleted)";
  if (text.ends_with(k_gone) && !std::filesystem::exists(path)) text.resize(text.size() - k_gone.size());
  return text;
}

std::optional<Predecessor> find_predecessor(const DescriptorStore& store, int supervisor) {
  const Survey found = survey(store);
  const bool cannot_read = !found.others.empty() && found.own == 0;
  const bool fails = found.starts >= k_max_failed_starts;
  const bool stays = std::getenv(k_stays) != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread
  ::unsetenv(k_stays);
  if ((!cannot_read && !fails) || stays || !passed_over().empty()) return std::nullopt;
  os::Fd program = find_other_program(store, supervisor);
  if (!program) return std::nullopt;
  if (cannot_read) return Predecessor{std::move(program), why_others(found.others)};
  return Predecessor{std::move(program), own_title() + " did not come up " + std::to_string(found.starts) +
                                             " times in a row; the program before it runs again"};
}

void exec_descriptor(int program, const std::string& name, const std::vector<std::string>& arguments) noexcept {
  CommandLine line(name, arguments);
  flush_log();  // its thread ends here
  ::fexecve(program, line.words(), environ);
}

void exec_file(const std::string& file, const std::string& name, const std::vector<std::string>& arguments) noexcept {
  CommandLine line(name, arguments);
  flush_log();
  ::execv(file.c_str(), line.words());
}

void give_way(const Predecessor& predecessor, const DescriptorStore& store, const std::vector<std::string>& arguments) {
  spdlog::warn("{}", predecessor.why);
  try {
    // Beyond the numbers at which the store is handed on.
    const int beyond = static_cast<int>(store.inherited().size()) + 3;
    const os::Fd program = os::checked_fd(::fcntl(predecessor.program.get(), F_DUPFD_CLOEXEC, beyond), "give way");
    store.hand_on();
    ::setenv(k_passed_over, predecessor.why.c_str(), 1);
    exec_descriptor(program.get(), own_program(), arguments);
    spdlog::critical("give way: exec: {}; staying, to hold the queues", std::strerror(errno));
    ::unsetenv(k_passed_over);
    ::setenv(k_stays, "1", 1);
    exec_file("/proc/self/exe", own_program(), arguments);
  } catch (const Error& error) {
    spdlog::critical("give way: {}", error.what());
  }
  // The store's descriptors may have moved: this process is of no more use, and its supervisor starts another.
  flush_log();
  std::_Exit(EXIT_FAILURE);
}

}  // namespace beltway::daemon
