// Keeps pthread_cancel() away. A cancelled thread would unwind through noexcept functions, which ends the process, or leave in
// the middle of an exchange with the daemon. The cancellation takes effect at the first cancellation point behind the scope.
// Thread safety: belongs to its thread.
#pragma once

#include <pthread.h>

namespace beltway::os {

class CancelGuard {
 public:
  CancelGuard() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  CancelGuard(const CancelGuard&) = delete;
  CancelGuard& operator=(const CancelGuard&) = delete;
  ~CancelGuard() {
    int ignored = 0;
    ::pthread_setcancelstate(before_, &ignored);
  }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace beltway::os
