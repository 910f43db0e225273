// The model in the text format of Prometheus: families with HELP and TYPE, counters with `_total`, units in the names.
//
// METRICS.md lists the families. Their number is bounded: by default they are sums of all queues. Single queues are told
// only on request, and at most so many of them; the others are summed under the name "(other)", which no queue can have.
// Thread safety: a function of its arguments.
#pragma once

#include <cstddef>
#include <string>

#include "watch/model.hpp"

namespace beltway::watch {

/// The content type of the answer to a scrape.
inline constexpr const char* k_metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// The queue that stands for all queues beyond MetricsOptions::max_queues.
inline constexpr const char* k_other_queues = "(other)";

struct MetricsOptions {
  bool per_queue = false;  ///< also families of single queues and groups
  /// With per_queue: so many queues at most. The oldest come first, so that a new queue changes no other queue's series.
  std::size_t max_queues = 100;
};

/// Lines that end with a newline; the last one, too.
[[nodiscard]] std::string metrics_text(const Fleet& fleet, const MetricsOptions& options = {});

/// The text if no daemon has ever answered: `beltway_up 0` alone. A counter of 0 would be taken for one that began anew.
[[nodiscard]] std::string metrics_text_without_daemon();

/// A value of a label: backslash, quotation mark and newline escaped.
[[nodiscard]] std::string escape_label(const std::string& value);

}  // namespace beltway::watch
