// What a queue's figures were: sums of the last second, for rates, and one point a second, for pictures.
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "watch/model.hpp"
#include "watch/reading.hpp"

namespace beltway::watch {

/// Rates as the difference to an earlier reading: one of a second ago, or the oldest of this second.
class RateWindow {
 public:
  struct Entry {
    Nanoseconds at{0};
    Sums sums;
    std::vector<std::uint64_t> groups_out;  ///< messages_out of each group
  };
  /// `at`: CLOCK_MONOTONIC. Groups that were not there before have the rate 0.
  void add(Nanoseconds at, const Reading& reading);
  [[nodiscard]] Rates rates() const;
  [[nodiscard]] double group_out_per_s(std::size_t group) const;
  /// The groups changed: earlier readings say nothing of them.
  void forget_groups();

 private:
  [[nodiscard]] double per_second(std::uint64_t before, std::uint64_t now) const;
  std::deque<Entry> entries_;
};

/// One point a second.
class Past {
 public:
  /// Keeps `points` seconds.
  explicit Past(std::size_t points) : max_points_(points) {}

  /// Adds a point if a second is over. `wall_s`: CLOCK_REALTIME.
  void add(Nanoseconds now, std::int64_t wall_s, const QueueView& view);
  [[nodiscard]] const std::vector<HistoryPoint>& points() const noexcept { return points_; }
  /// True if the last add() made a point.
  [[nodiscard]] bool is_fresh() const noexcept { return fresh_; }

 private:
  std::size_t max_points_;
  Nanoseconds next_{0};
  bool fresh_ = false;
  std::vector<HistoryPoint> points_;
};

}  // namespace beltway::watch
