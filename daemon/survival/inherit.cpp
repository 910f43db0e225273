// See inherit.hpp.
#include "survival/inherit.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

namespace beltway::daemon {
namespace {

constexpr int k_first = 3;  // SD_LISTEN_FDS_START

void set_close_on_exec(int descriptor, bool on) { ::fcntl(descriptor, F_SETFD, on ? FD_CLOEXEC : 0); }

}  // namespace

long number_in_environment(const char* variable) noexcept {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  long number = 0;
  if (text == nullptr) return -1;
  const char* const end = text + std::strlen(text);
  return std::from_chars(text, end, number).ptr == end ? number : -1;
}

std::vector<NamedFd> take_inherited() {
  std::vector<NamedFd> taken;
  if (number_in_environment("LISTEN_PID") == ::getpid()) {
    const char* const listed = std::getenv("LISTEN_FDNAMES");  // NOLINT(concurrency-mt-unsafe): one thread
    std::istringstream names(listed == nullptr ? "" : listed);
    const long count = number_in_environment("LISTEN_FDS");
    for (int i = 0; i < count; ++i) {
      std::string name;
      if (!std::getline(names, name, ':')) name = "unknown";
      set_close_on_exec(k_first + i, true);
      taken.push_back({name, os::Fd(k_first + i)});
    }
  }
  for (const char* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  return taken;
}

void pass_at_exec(const std::vector<PassedFd>& descriptors) {
  const auto end = k_first + static_cast<int>(descriptors.size());
  std::vector<int> numbers;
  std::map<int, std::size_t> in_the_way;  // ours that lie where others of ours go
  std::string names;
  for (const PassedFd& passed : descriptors) {
    if (passed.descriptor < end) in_the_way[passed.descriptor] = numbers.size();
    numbers.push_back(passed.descriptor);
    names += (numbers.size() == 1 ? "" : ":") + passed.name;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const int place = k_first + static_cast<int>(i);
    if (numbers[i] == place) {
      set_close_on_exec(place, false);
      continue;
    }
    if (const auto found = in_the_way.find(place); found != in_the_way.end() && found->second > i) {
      const int moved = ::fcntl(place, F_DUPFD_CLOEXEC, end);
      if (moved < 0) throw os::system_failure("pass descriptors on");
      numbers[found->second] = moved;
    }
    if (::dup2(numbers[i], place) < 0) throw os::system_failure("pass descriptors on");
  }
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(numbers.size()).c_str(), 1);
  ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
}

std::size_t raise_open_files_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace beltway::daemon
