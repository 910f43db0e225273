// See held_count.hpp.
#include "endpoint/held_count.hpp"

#include <cassert>

#include "os/kernel.hpp"
#include "ring/tuning.hpp"

namespace beltway::endpoint {

void HeldCount::own_slowly() noexcept {
  if (!may_own_) return;
  if (held() == 0) {  // no thread ends a message now
    owner_.store(this_thread(), std::memory_order_relaxed);
    return;
  }
  disown();
  may_own_ = false;  // it may be handed over again and again
}

void HeldCount::disown() noexcept {
  if (owner_.load(std::memory_order_relaxed) == this_thread()) {
    owner_.store(nullptr, std::memory_order_relaxed);
    return;
  }
  owner_.store(nullptr, std::memory_order_relaxed);
  os::heavy_barrier();
  while ((own_.load(std::memory_order_acquire) & 1) != 0) os::nap(ring::k_short_nap_ns);
}

bool HeldCount::close() noexcept {
  want_credit_no_more();
  assert(ended() <= taken_);
  if (held() == 0) return true;
  if (owner_.load(std::memory_order_relaxed) != nullptr) disown();
  const std::uint64_t not_own = taken_ - (own_.load(std::memory_order_acquire) >> 1);
  gone_with_.store(not_own, std::memory_order_relaxed);
  // From now on it counts up to 0: the thread that brings it there is the last.
  const std::int64_t left = static_cast<std::int64_t>(not_own) * k_one_end;
  return ends_.fetch_sub(left) == left;
}

}  // namespace beltway::endpoint
