// Waiting for something that only the daemon knows: its clients ask again. The socket carries one request and its answer at a
// time. If the daemon held a request back, all other requests of the same connection would wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "beltway/error.hpp"
#include "beltway/status.hpp"
#include "beltway/until.hpp"
#include "os/cancel_guard.hpp"

namespace beltway::client {

inline constexpr std::chrono::milliseconds k_first_gap_between_questions{1};
inline constexpr std::chrono::milliseconds k_last_gap_between_questions{20};

/// Calls `is_so()` at once and then again and again, with growing pauses. Returns ok when it is true, timeout at the deadline,
/// and stopped when a stop is requested, also in the middle of a request (Session::request_until). What `is_so` throws
/// leaves, except an Error(no_daemon) when `until` is over: that ended the request. Ignores pthread_cancel().
template <class IsSo>
[[nodiscard]] Status ask_until(const Until& until, const IsSo& is_so) {
  if (until.stop().stop_requested()) return Status::stopped;
  const os::CancelGuard no_cancellation;
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  auto gap = k_first_gap_between_questions;
  const auto is_so_now = [&] {
    try {
      return is_so();
    } catch (const Error& error) {
      if (error.reason() != Errc::no_daemon || !until.is_over()) throw;
      return false;
    }
  };
  while (!is_so_now()) {
    if (until.is_over()) return until.stop().stop_requested() ? Status::stopped : Status::timeout;
    const auto next = Until::Clock::now() + gap;
    never_notified.wait_until(lock, until.stop(), std::min(next, until.deadline().value_or(next)),
                              [] { return false; });
    gap = std::min(gap * 2, k_last_gap_between_questions);
  }
  return Status::ok;
}

}  // namespace beltway::client
