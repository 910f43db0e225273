// See past.hpp.
#include "watch/past.hpp"

#include <algorithm>

namespace beltway::watch {

namespace {

constexpr Nanoseconds k_window = std::chrono::seconds(1);

/// Sums that never go back: the counters of an endpoint that ends are missing for a moment, until the daemon has added them.
void raise(Sums& sums, const Sums& floor) noexcept {
  for (auto member : {&Sums::messages_in, &Sums::bytes_in, &Sums::messages_out, &Sums::bytes_out, &Sums::redelivered,
                      &Sums::dead_lettered, &Sums::lost}) {
    sums.*member = std::max(sums.*member, floor.*member);
  }
}

}  // namespace

void RateWindow::add(Nanoseconds at, const Reading& reading) {
  Entry entry{.at = at, .sums = reading.sums, .groups_out = {}};
  if (!entries_.empty()) raise(entry.sums, entries_.back().sums);
  for (const Reading::Group& group : reading.groups) entry.groups_out.push_back(group.messages_out);
  entries_.push_back(std::move(entry));
  while (entries_.size() > 2 && at - entries_[1].at >= k_window) entries_.pop_front();
}

double RateWindow::per_second(std::uint64_t before, std::uint64_t now) const {
  const std::chrono::duration<double> elapsed = entries_.back().at - entries_.front().at;
  return now > before && elapsed.count() > 0 ? static_cast<double>(now - before) / elapsed.count() : 0.0;
}

Rates RateWindow::rates() const {
  if (entries_.size() < 2) return {};
  const Sums& before = entries_.front().sums;
  const Sums& now = entries_.back().sums;
  return {.in = per_second(before.messages_in, now.messages_in),
          .out = per_second(before.messages_out, now.messages_out),
          .bytes_in = per_second(before.bytes_in, now.bytes_in),
          .bytes_out = per_second(before.bytes_out, now.bytes_out),
          .redelivered = per_second(before.redelivered, now.redelivered),
          .dead_lettered = per_second(before.dead_lettered, now.dead_lettered),
          .lost = per_second(before.lost, now.lost)};
}

double RateWindow::group_out_per_s(std::size_t group) const {
  if (entries_.size() < 2 || group >= entries_.front().groups_out.size()) return 0;
  if (group >= entries_.back().groups_out.size()) return 0;
  return per_second(entries_.front().groups_out[group], entries_.back().groups_out[group]);
}

void RateWindow::forget_groups() {
  for (Entry& entry : entries_) entry.groups_out.clear();
}

void Past::add(Nanoseconds now, std::int64_t wall_s, const QueueView& view) {
  fresh_ = now >= next_;
  if (!fresh_) return;
  next_ = now + std::chrono::seconds(1);
  HistoryPoint point{.at_s = wall_s,
                     .in_per_s = static_cast<float>(view.rates.in),
                     .out_per_s = static_cast<float>(view.rates.out),
                     .lag = static_cast<float>(view.lag)};
  if (view.oldest_age) point.oldest_age_s = std::chrono::duration<float>(*view.oldest_age).count();
  if (points_.size() >= max_points_) points_.erase(points_.begin());
  points_.push_back(point);
}

}  // namespace beltway::watch
