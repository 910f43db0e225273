#include "survival/background.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "os/fd.hpp"

namespace beltway::daemon {
namespace {

int exit_code_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

}  // namespace

void leave_terminal(bool log_is_elsewhere) {
  // The starting process chose a standard error that is no terminal: the log goes there.
  const os::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(nothing.get(), standard);
  if (log_is_elsewhere || ::isatty(STDERR_FILENO) != 0) ::dup2(nothing.get(), STDERR_FILENO);
}

int run_in_background(const std::function<int(const std::function<void()>& ready)>& run) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw os::system_failure("go into the background: make a pipe");
  const os::Fd parents_end(ends[0]);
  os::Fd childs_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw os::system_failure("go into the background: fork");
  if (child == 0) {
    ::setsid();
    return run([&childs_end] {
      static_cast<void>(!::write(childs_end.get(), "r", 1));  // a parent that is gone need not know
      childs_end.reset();
    });
  }
  childs_end.reset();
  char byte = 0;
  ssize_t size = 0;
  do {
    size = ::read(parents_end.get(), &byte, 1);
  } while (size < 0 && errno == EINTR);
  return size == 1 ? EXIT_SUCCESS : exit_code_of(child);
}

}  // namespace beltway::daemon
