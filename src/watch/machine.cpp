// See machine.hpp. The verdicts about daemons: machine_daemon.cpp.
#include "watch/machine.hpp"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <system_error>

#include "base/shell_word.hpp"
#include "client/socket_path.hpp"
#include "watch/format.hpp"
#include "watch/process_info.hpp"

namespace beltway::watch {

namespace {

namespace fs = std::filesystem;

Verdict of_machine(std::string kind, Severity severity, std::string cause) {
  return {.kind = std::move(kind), .severity = severity, .subject = "this machine", .cause = std::move(cause)};
}

/// A call that a sandbox or an old kernel refuses.
Verdict refused(std::string kind, Severity severity, const std::string& call, int error, const std::string& effect) {
  Verdict verdict = of_machine(std::move(kind), severity, call + " does not work here; " + effect);
  verdict.evidence = call + ": " + std::strerror(error);
  verdict.forecast =
      "it stays so until the sandbox allows the call: SystemCallFilter= of its systemd unit, or "
      "--security-opt seccomp= of its container";
  return verdict;
}

void add_memory(const MachineSources& sources, std::vector<Verdict>& verdicts) {
  const std::uint64_t available = os::available_memory_bytes(sources.memory);
  if (available >= k_low_memory_bytes) return;
  Verdict verdict = of_machine("memory_low", Severity::warning,
                               "little memory is left, by the machine or by a memory limit of this control group");
  verdict.evidence = format_size(static_cast<double>(available)) + " are available";
  verdict.forecast =
      "new queues and lanes will be refused; end programs or remove queues that are not needed, or raise the limit";
  verdicts.push_back(std::move(verdict));
}

void add_socket_directories(const MachineSources& sources, std::vector<Verdict>& verdicts) {
  for (const fs::path& directory : sources.socket_directories) {
    std::error_code failed;
    if (!fs::is_directory(fs::symlink_status(directory, failed)) || client::is_private_directory(directory)) continue;
    Verdict verdict = of_machine("socket_directory_open", Severity::warning,
                                 "other users can write to " + directory.string() +
                                     ", or it is not this user's: daemons and clients do not use it");
    verdict.remedies = {{"chmod 700 " + shell_word(directory.string()), "closes it to others, if it is yours"}};
    verdicts.push_back(std::move(verdict));
  }
}

/// The numbers behind "Max open files" of /proc/PID/limits; "unlimited" is the largest number.
std::optional<std::pair<std::uint64_t, std::uint64_t>> open_files(const fs::path& limits) {
  static constexpr std::string_view k_label = "Max open files";
  std::ifstream file(limits);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(k_label)) continue;
    std::istringstream words(line.substr(k_label.size()));
    const auto next = [&words] {
      std::string word;
      words >> word;
      std::uint64_t number = 0;
      std::istringstream(word) >> number;
      return word == "unlimited" ? UINT64_MAX : number;
    };
    const std::uint64_t soft = next();
    return std::pair(soft, next());
  }
  return std::nullopt;
}

std::set<int> processes_of(const Fleet& fleet) {
  std::set<int> pids;
  if (fleet.daemon.pid > 0) pids.insert(fleet.daemon.pid);
  for (const QueueView& queue : fleet.queues) {
    for (const EndpointInfo& endpoint : queue.info.endpoints) {
      if (endpoint.pid > 0) pids.insert(endpoint.pid);
      if (pids.size() >= k_max_counted_processes) return pids;
    }
  }
  return pids;
}

}  // namespace

MachineSources this_machine() {
  MachineSources machine;
  std::vector<fs::path> sockets = client::user_socket_paths();
  std::ranges::copy(client::other_user_socket_paths(), std::back_inserter(sockets));
  for (const fs::path& socket : sockets) machine.socket_directories.push_back(socket.parent_path());
  const long commands = ::syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  if (commands < 0) machine.membarrier_error = errno;
  if (commands >= 0 && (commands & MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0) machine.membarrier_error = ENOSYS;
  const int memory = ::memfd_create("beltway:doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const bool is_short_of_descriptors = errno == EMFILE || errno == ENFILE;  // no sandbox refuses so
  if (memory < 0 && !is_short_of_descriptors) machine.memfd_error = errno;
  if (memory >= 0) ::close(memory);
  std::uint32_t word = 0;
  if (::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0) < 0) machine.futex_error = errno;
  return machine;
}

std::vector<Verdict> machine_verdicts(const MachineSources& sources) {
  std::vector<Verdict> verdicts;
  if (sources.memfd_error != 0) {
    verdicts.push_back(refused("memfd_refused", Severity::trouble, "memfd_create", sources.memfd_error,
                               "no daemon can make a queue that runs as this process does"));
  }
  if (sources.futex_error != 0) {
    verdicts.push_back(refused("futex_refused", Severity::trouble, "futex", sources.futex_error,
                               "no process that runs as this one does can sleep or wake others"));
  }
  if (sources.membarrier_error != 0) {
    verdicts.push_back(refused("membarrier_refused", Severity::note, "membarrier", sources.membarrier_error,
                               "queues that such a process attaches to use full fences, and each publish costs more"));
  }
  add_memory(sources, verdicts);
  add_socket_directories(sources, verdicts);
  return verdicts;
}

std::optional<DescriptorUse> descriptor_use(int pid, const fs::path& proc) {
  const fs::path process = proc / std::to_string(pid);
  const auto limits = open_files(process / "limits");
  if (!limits) return std::nullopt;
  std::error_code failed;
  DescriptorUse use{.soft_limit = limits->first, .hard_limit = limits->second};
  fs::directory_iterator each(process / "fd", failed);
  while (!failed && each != fs::directory_iterator()) {
    ++use.used;
    each.increment(failed);
  }
  return failed ? std::nullopt : std::optional(use);
}

std::vector<Verdict> descriptor_verdicts(const Fleet& fleet, const fs::path& proc) {
  std::vector<Verdict> verdicts;
  for (const int pid : processes_of(fleet)) {
    const std::optional<DescriptorUse> use = descriptor_use(pid, proc);
    if (!use || static_cast<double>(use->used) < k_near_limit * static_cast<double>(use->soft_limit)) continue;
    const std::uint64_t wanted = use->soft_limit > UINT64_MAX / 2 ? UINT64_MAX : 2 * use->soft_limit;
    const std::string process = std::to_string(pid);
    Verdict verdict{.kind = "descriptors_low", .severity = Severity::warning, .subject = process_text(pid), .pid = pid};
    verdict.cause = "it has nearly used up its descriptors";
    verdict.evidence =
        std::to_string(use->used) + " of " + std::to_string(use->soft_limit) + " are in use (RLIMIT_NOFILE)";
    verdict.forecast =
        pid == fleet.daemon.pid ? "the daemon will refuse new queues and connections" : "its next attach will fail";
    const std::string hard = std::to_string(std::max(use->hard_limit, wanted));
    verdict.remedies = {
        {"prlimit --pid " + process + " --nofile=" + std::to_string(wanted) + ":" + hard,
         use->hard_limit >= wanted ? "doubles the limit" : "doubles the limit; only root may do so here"}};
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

}  // namespace beltway::watch
