// Writes metric families line by line, and the parts of metrics_text() that concern single queues.
// Thread safety: one thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "watch/model.hpp"

namespace beltway::watch {

/// Builds the text. Each name gets the prefix `beltway_`.
class MetricWriter {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// Begins a family: all its values must follow before the next one begins.
  MetricWriter& family(const std::string& name, const char* type, const std::string& help);
  MetricWriter& value(std::unsigned_integral auto number, const Labels& labels = {}) {
    return add(std::to_string(number), labels);
  }
  MetricWriter& value(int number, const Labels& labels = {}) { return add(std::to_string(number), labels); }
  MetricWriter& value(double number, const Labels& labels = {});
  /// In seconds.
  MetricWriter& value(Nanoseconds time, const Labels& labels = {});
  /// The series of a histogram. `counts` as AgeCounts::counts; it has no sum, as nobody adds the ages up.
  void ages(const std::vector<std::uint64_t>& counts, const Labels& labels);

  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  /// `suffix`: what a series of a histogram has behind the name of its family.
  MetricWriter& add(const std::string& number, const Labels& labels, const std::string& suffix = {});

  std::string text_;
  std::string name_;
};

/// The queues that get series of their own, and those that are summed.
struct QueueSelection {
  std::vector<const QueueView*> chosen;  ///< by name
  std::vector<const QueueView*> others;
};

/// The `max_queues` oldest readable queues.
[[nodiscard]] QueueSelection select_queues(const Fleet& fleet, std::size_t max_queues);

void add_queue_gauges(MetricWriter& out, const QueueSelection& selection);
/// How old messages were at their delivery: one histogram for each queue with stamps.
void add_age_histograms(MetricWriter& out, const QueueSelection& selection);

/// The routes of bridges; nothing without bridges.
void add_bridges(MetricWriter& out, const std::vector<BridgeView>& bridges);

/// The part of the ring that its slowest reliable group needs, 0 to 1.
[[nodiscard]] double used_ratio(const QueueView& queue) noexcept;

}  // namespace beltway::watch
