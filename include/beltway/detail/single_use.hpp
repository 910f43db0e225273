// Names a misuse: two threads that use one Producer or one Consumer at once. Each endpoint has a private word that says which
// thread is inside of a call. Handing an endpoint on to another thread between two calls is no misuse.
//
// The library checks this in batches and parts, and wherever a call does not take its fast path. Programs that are compiled
// without NDEBUG check it in publish(), receive(), loans, commits and their try_ forms as well. Functions that are noexcept (an
// ack, a drop, counters) check nothing, since they cannot report; the library never aborts.
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

/// Throws Error(misuse), which names the queue and the remedy; returns in a forked child, where the call itself says so.
void report_two_threads(const InlinePublisher& producer);
void report_two_threads(const InlineReceiver& consumer);

/// Says that this thread is inside of a call of `core` while it lives. Throws Error(misuse) if another thread is. Two that enter
/// at the very same moment may both get in: plain loads and stores cost next to nothing, and the next call sees it.
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

/// As SingleUse; nullptr checks nothing: a loan that is over says so itself.
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
// Two classes and not one with two bodies: a program may link parts that are compiled with NDEBUG and parts that are not.
#ifdef NDEBUG
template <class Core>
using DebugSingleUse = UncheckedUse<Core>;
#else
template <class Core>
using DebugSingleUse = CheckedUse<Core>;
#endif

}  // namespace beltway::detail
