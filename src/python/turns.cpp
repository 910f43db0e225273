#include "python/turns.hpp"

#include "python/errors.hpp"

namespace beltway::python {

bool Turns::await(const Deadline& deadline) {
  while (is_taken()) {
    if (deadline.is_over()) return false;
    ++waiting_;
    without_gil([&] {
      std::unique_lock lock(mutex_);
      left_.wait_until(lock, *deadline.piece().deadline(), [this] { return !is_taken(); });
    });
    --waiting_;
    check_signals();
  }
  return true;
}

void Turns::refuse_in_child(const char* operation, const std::string& queue) const {
  if (!guard_.in_child()) return;
  throw Error(Errc::forked,
              context_of(operation, queue) +
                  ": this object was made before fork(); open a connection and make a new one in the child");
}

Turn::~Turn() {
  turns_.taken_.store(false, std::memory_order_relaxed);
  if (turns_.waiting_ == 0) return;
  {
    const std::lock_guard lock(turns_.mutex_);
  }
  turns_.left_.notify_all();
}

}  // namespace beltway::python
