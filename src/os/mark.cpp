// See mark.hpp.
#include "os/mark.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <cerrno>

namespace beltway::os {

namespace {

/// A signal number of the real-time range, where no library has its own.
constexpr int k_mark = 58;

}  // namespace

void mark_descriptor(int descriptor, const std::string& context) {
  if (::fcntl(descriptor, F_SETSIG, k_mark) != 0) throw system_failure(context + ": fcntl(F_SETSIG)");
}

void require_mark(int descriptor, const std::string& context) {
  const int mark = ::fcntl(descriptor, F_GETSIG);
  if (mark < 0) throw system_failure(context + ": fcntl(F_GETSIG)");
  if (mark != k_mark)
    throw Error(Errc::protocol, context + ": the daemon sent a descriptor without its mark; use its version");
}

bool is_marked(int descriptor) noexcept {
  if (descriptor < 0) return false;
  const int mark = ::fcntl(descriptor, F_GETSIG);
  // In a sandbox that was closed since the attach no call can check: then the number is trusted.
  return mark == k_mark || (mark < 0 && errno != EBADF);
}

Fd make_bell(const std::string& context) {
  Fd bell = checked_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), context + ": eventfd2");
  mark_descriptor(bell.get(), context);
  return bell;
}

}  // namespace beltway::os
