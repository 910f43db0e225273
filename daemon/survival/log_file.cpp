// See log_file.hpp.
#include "survival/log_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

namespace beltway::daemon {

int LogFile::write(std::string_view text) noexcept {
  const int descriptor = prepare();
  if (descriptor < 0) return errno;
  if (text.empty()) return 0;
  if (cut_) {
    if (const int error = write_all(descriptor, "\n"); error != 0) return error;
    cut_ = false;
  }
  return write_all(descriptor, text);
}

int LogFile::write_all(int descriptor, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      cut_ = static_cast<std::size_t>(written) < text.size() && (written > 0 || cut_);
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // another process has made the shared description non-blocking
      pollfd entry{descriptor, POLLOUT, 0};
      ::poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int LogFile::prepare() noexcept {
  if (path_.empty()) return STDERR_FILENO;
  struct stat status{};
  if (file_ && has_our_name() && ::fstat(file_.get(), &status) == 0) {
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) < max_bytes_) return file_.get();
    move_away();
  }
  // O_NONBLOCK: a FIFO without a reader is an error. A regular file is not affected.
  constexpr int k_flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (os::Fd fresh(::open(path_.c_str(), k_flags, 0600)); fresh) file_ = std::move(fresh);
  return file_.get();  // the old one, if its directory is gone
}

bool LogFile::has_our_name() const noexcept {
  struct stat ours{};
  struct stat named{};
  return ::fstat(file_.get(), &ours) == 0 && ::stat(path_.c_str(), &named) == 0 && ours.st_dev == named.st_dev &&
         ours.st_ino == named.st_ino;
}

void LogFile::move_away() noexcept {
  ::flock(file_.get(), LOCK_EX);  // until the descriptor is closed: another process may be doing the same
  if (!has_our_name()) return;
  const std::string older = path_.string() + ".1";
  // A directory that cannot be changed must not make the file grow for ever.
  if (::rename(path_.c_str(), older.c_str()) != 0) static_cast<void>(::ftruncate(file_.get(), 0));
  ::flock(file_.get(), LOCK_UN);
}

}  // namespace beltway::daemon
