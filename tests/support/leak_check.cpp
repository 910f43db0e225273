// The leak check reads /proc.
#include "leak_check.hpp"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace beltway::test {
namespace {

namespace fs = std::filesystem;

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> found;
  const auto close_directory = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close_directory)> directory(::opendir("/proc/self/fd"), close_directory);
  if (directory == nullptr) return found;
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT: a stream of our own
    if (entry->d_name[0] == '.') continue;
    const int descriptor = std::atoi(entry->d_name);
    if (descriptor == ::dirfd(directory.get())) continue;
    std::error_code gone;
    found[descriptor] = fs::read_symlink(std::string("/proc/self/fd/") + entry->d_name, gone);
  }
  return found;
}

std::map<std::string, int> memfd_mappings() {
  std::map<std::string, int> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (const auto name = line.find("/memfd:"); name != std::string::npos) ++found[line.substr(name)];
  }
  return found;
}

std::vector<std::string> child_processes() {
  std::vector<std::string> found;
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return found;  // ECHILD: none
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (std::string pid; children >> pid;) found.push_back(pid);
  }
  if (found.empty()) found.emplace_back("?");
  return found;
}

/// All tests share that folder: one that leaks a file there on purpose gives it another mark.
std::vector<std::string> files_in_dev_shm() {
  const char* const given = std::getenv("BELTWAY_LEAK_MARK");
  const std::string mark = given != nullptr ? given : "beltway";
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/dev/shm", none)) {
    if (entry.path().filename().string().find(mark) != std::string::npos) found.push_back(entry.path());
  }
  return found;
}

void report_new(const std::vector<std::string>& before, const std::vector<std::string>& after, const char* what,
                std::vector<std::string>& report) {
  for (const auto& item : after) {
    if (std::find(before.begin(), before.end(), item) == before.end()) report.push_back(what + item);
  }
}

// Mappings stay: a pointer into them may still be in use.
void revoke(const Holdings& before, const Holdings& after) {
  for (const auto& [descriptor, target] : after.descriptors) {
    if (!before.descriptors.contains(descriptor)) ::close(descriptor);
  }
  for (const auto& child : after.children) {
    if (const int pid = std::atoi(child.c_str()); pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
  for (const auto& file : after.shared_files) {
    if (std::find(before.shared_files.begin(), before.shared_files.end(), file) == before.shared_files.end()) {
      ::unlink(file.c_str());
    }
  }
}

}  // namespace

Holdings Holdings::now() { return {open_descriptors(), memfd_mappings(), child_processes(), files_in_dev_shm()}; }

std::vector<std::string> leaks(const Holdings& before, const Holdings& after) {
  std::vector<std::string> report;
  for (const auto& [descriptor, target] : after.descriptors) {
    const auto old = before.descriptors.find(descriptor);
    if (old == before.descriptors.end() || old->second != target) {
      report.push_back("descriptor " + std::to_string(descriptor) + " -> " + target);
    }
  }
  for (const auto& [name, count] : after.mappings) {
    const auto old = before.mappings.find(name);
    if (old == before.mappings.end() || old->second < count) report.push_back("mapping of " + name);
  }
  report_new(before.children, after.children, "child process ", report);
  report_new(before.shared_files, after.shared_files, "shared file ", report);
  return report;
}

void LeakCheck::OnTestStart(const testing::TestInfo&) { before_ = Holdings::now(); }

void LeakCheck::OnTestEnd(const testing::TestInfo& info) {
  const Holdings after = Holdings::now();
  for (const auto& leak : leaks(before_, after)) {
    ADD_FAILURE() << info.test_suite_name() << '.' << info.name() << " leaks: " << leak;
  }
  revoke(before_, after);
}

}  // namespace beltway::test
