// What a route tells about itself, for the thread that writes the status.
// Thread safety: the route's thread writes, any thread reads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "bridge/route_options.hpp"
#include "watch/bridges.hpp"

namespace beltway::bridge {

class RouteStatus {
 public:
  explicit RouteStatus(const RouteOptions& route) : route_(route) {}

  void set_state(RouteState state);
  void set_error(const std::string& text);
  void set_remaining(std::uint64_t messages) noexcept { remaining_.store(messages, std::memory_order_relaxed); }
  void set_in_flight(std::uint64_t messages) noexcept { in_flight_.store(messages, std::memory_order_relaxed); }
  void count_forwarded() noexcept { forwarded_.fetch_add(1, std::memory_order_relaxed); }
  void count_confirmed(std::uint64_t messages) noexcept { confirmed_.fetch_add(messages, std::memory_order_relaxed); }
  void count_duplicate() noexcept { duplicates_.fetch_add(1, std::memory_order_relaxed); }
  void count_loop() noexcept { loops_.fetch_add(1, std::memory_order_relaxed); }
  void count_refused() noexcept { refused_.fetch_add(1, std::memory_order_relaxed); }
  void count_attempt() noexcept { attempts_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] watch::RouteView view() const;

 private:
  const RouteOptions& route_;
  mutable std::mutex mutex_;
  RouteState state_ = RouteState::starting;                                         // under mutex_
  std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();  // likewise
  std::string last_error_;                                                          // likewise
  std::chrono::system_clock::time_point error_at_{};                                // likewise
  std::atomic<std::uint64_t> remaining_{0};
  std::atomic<std::uint64_t> in_flight_{0};
  std::atomic<std::uint64_t> forwarded_{0};
  std::atomic<std::uint64_t> confirmed_{0};
  std::atomic<std::uint64_t> duplicates_{0};
  std::atomic<std::uint64_t> loops_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> attempts_{0};
};

}  // namespace beltway::bridge
