#include "os/fork_section.hpp"

#include <pthread.h>

#include <mutex>
#include <utility>

namespace beltway::os {

namespace {

/// Held by a section, and by a thread that forks from `prepare` on. Guards the list, too.
constinit std::mutex fork_mutex;
constinit ForkClosedFd* open_descriptors = nullptr;

}  // namespace

void close_all_in_child() noexcept {
  for (ForkClosedFd* at = std::exchange(open_descriptors, nullptr); at != nullptr;) {
    ForkClosedFd* const next = std::exchange(at->next_, nullptr);
    at->before_ = nullptr;
    at->descriptor_.reset();
    at = next;
  }
}

namespace {

void before_fork() noexcept { fork_mutex.lock(); }
void after_fork_in_parent() noexcept { fork_mutex.unlock(); }
void after_fork_in_child() noexcept {
  close_all_in_child();
  fork_mutex.unlock();
}

/// When the library is loaded, and not at first use: a fork in the middle of a first use would find its guard locked.
[[maybe_unused]] const int handlers_added = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);

}  // namespace

ForkSection::ForkSection() noexcept {
  // A handler that forks in the middle of a section would wait for itself; a thread that is cancelled would never unlock.
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation_);
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &signals_);
  fork_mutex.lock();
}

ForkSection::~ForkSection() {
  const int error = errno;
  fork_mutex.unlock();
  ::pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
  ::pthread_setcancelstate(cancellation_, nullptr);
  errno = error;
}

void ForkClosedFd::adopt_in_section(int descriptor, const ForkSection&) noexcept {
  descriptor_.reset(descriptor);
  next_ = open_descriptors;
  if (next_ != nullptr) next_->before_ = this;
  open_descriptors = this;
}

void ForkClosedFd::unlink() noexcept {
  (before_ != nullptr ? before_->next_ : open_descriptors) = next_;
  if (next_ != nullptr) next_->before_ = before_;
  before_ = next_ = nullptr;
}

void ForkClosedFd::close() noexcept {
  if (!descriptor_) return;
  const ForkSection section;
  unlink();
  descriptor_.reset();
}

}  // namespace beltway::os
