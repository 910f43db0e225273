// Detects a misuse: two threads use one Producer or one Consumer at once. Each endpoint has a private word that says which
// thread is inside of a call. A program may hand an endpoint to another thread between two calls.
//
// The library checks the word in publish_batch(), publish_parts(), receive_batch(), and in each call that does not take its fast
// path. Programs compiled without NDEBUG also check it in publish(), receive(), loans, commits and their try_ forms. Functions
// that are noexcept (an ack, a drop, counters) do not check, since they cannot report an error; the library never aborts.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <atomic>
#include <bit>
#include <cstdint>
#include <optional>
#include <thread>

namespace beltway::detail {

class InlinePublisher;
class InlineReceiver;

/// Throws Error(misuse), which names the queue and the remedy. In a forked child it returns: there the call itself throws.
void report_two_threads(const InlinePublisher& producer);
void report_two_threads(const InlineReceiver& consumer);

/// While a SingleUse lives, its thread is inside of a call of `core`. The constructor throws Error(misuse) if another thread is
/// inside. Two threads that enter at the very same moment may both succeed, since plain loads and stores are cheap; a later call
/// detects the misuse.
template <class Core>
class SingleUse {
 public:
  explicit SingleUse(Core& core) : user_(core.user()) {
    const auto me = std::bit_cast<std::uint64_t>(std::this_thread::get_id());
    const std::uint64_t inside = user_.load(std::memory_order_relaxed);
    if (inside == me) return;  // a call inside of a call
    if (inside != 0) report_two_threads(core);
    entered_ = true;
    user_.store(me, std::memory_order_relaxed);
  }
  SingleUse(const SingleUse&) = delete;
  SingleUse& operator=(const SingleUse&) = delete;
  ~SingleUse() {
    if (entered_) user_.store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t>& user_;
  bool entered_ = false;
};

/// As SingleUse. With nullptr it checks nothing: that is a loan that has ended, and its call reports that.
template <class Core>
class CheckedUse {
 public:
  explicit CheckedUse(Core* core) {
    if (core != nullptr) use_.emplace(*core);
  }

 private:
  std::optional<SingleUse<Core>> use_;
};
template <class Core>
struct UncheckedUse {
  explicit UncheckedUse(Core* /*core*/) noexcept {}
};
// These are two classes, and not one class with two bodies: a program may link files compiled with NDEBUG and files compiled
// without.
#ifdef NDEBUG
template <class Core>
using DebugSingleUse = UncheckedUse<Core>;
#else
template <class Core>
using DebugSingleUse = CheckedUse<Core>;
#endif

}  // namespace beltway::detail
