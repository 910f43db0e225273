// Medians, percentiles, and their printing.
#include "tool/bench/bench_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tool/text/table.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

struct Percentile {
  const char* label;
  const char* key;
  double quantile;
};
constexpr std::array k_percentiles{Percentile{"p50", "p50", 0.5}, Percentile{"p90", "p90", 0.9},
                                   Percentile{"p99", "p99", 0.99}, Percentile{"p99.9", "p99_9", 0.999},
                                   Percentile{"p99.99", "p99_99", 0.9999}};

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  return {median(values), *min, *max};
}

/// The figures of the kept slices. If no slice was kept: of all slices, so that the probes show why.
struct Figures {
  std::size_t slices = 0;
  std::size_t kept = 0;
  std::uint64_t messages = 0;
  Spread probe_ns;
  Spread messages_per_s;
};

Figures figures_of(const BenchShared& results) {
  Figures figures;
  std::vector<double> probes;
  std::vector<double> all_probes;
  std::vector<double> rates;
  figures.slices = std::min<std::size_t>(results.slice_count, k_most_slices);
  for (std::size_t i = 0; i < figures.slices; ++i) {
    const SliceResult& slice = results.slices[i];
    all_probes.insert(all_probes.end(), {slice.probe_before_ns, slice.probe_after_ns});
    if (!slice.kept) continue;
    ++figures.kept;
    figures.messages += slice.messages;
    probes.insert(probes.end(), {slice.probe_before_ns, slice.probe_after_ns});
    if (slice.elapsed_ns > 0)
      rates.push_back(static_cast<double>(slice.messages) * 1e9 / static_cast<double>(slice.elapsed_ns));
  }
  figures.probe_ns = spread_of(probes.empty() ? all_probes : probes);
  figures.messages_per_s = spread_of(rates);
  return figures;
}

/// No cache line takes so long from any core to any other.
constexpr double k_one_processor_ns = 5000;

double half_ns(const BenchShared& results, std::uint64_t ticks) {
  return static_cast<double>(ticks) * results.ns_per_tick / 2;
}

const char* name_of(WaitStrategy wait) {
  switch (wait) {
    case WaitStrategy::adaptive: return "adaptive";
    case WaitStrategy::spin: return "spin";
    case WaitStrategy::sleep: return "sleep";
  }
  return "unknown";
}

std::string two_decimals(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

std::string set_up_text(const BenchPlan& plan, const QueueOptions& queue) {
  std::string text = plan.kind == BenchKind::latency ? "latency" : "throughput";
  text += ", " + format_size(static_cast<double>(plan.size_bytes)) + " messages, wait " + name_of(plan.wait) + ", " +
          (plan.group ? "named group" : "private") + ", " + std::to_string(plan.producers) + " to " +
          std::to_string(plan.consumers) +
          (queue.max_producers == 1 ? ", single-producer ring" : ", several-producer ring");
  text += ", " + std::to_string(queue.slots) + " slots of " + format_size(queue.slot_bytes);
  if (queue.lane_bytes > 0) text += ", lane " + format_size(static_cast<double>(queue.lane_bytes));
  if (plan.batch > 1) text += ", batches of " + std::to_string(plan.batch);
  if (plan.copy) text += ", copied";
  if (plan.processors.empty()) return text + ", not pinned\n";
  text += ", pinned to";
  for (std::size_t i = 0; i < plan.processors.size(); ++i)
    text += (i == 0 ? " " : ",") + std::to_string(plan.processors[i]);
  return text + "\n";
}

Json spread_json(const Spread& spread) { return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}}; }

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Json bench_json(const BenchPlan& plan, const QueueOptions& queue, const BenchShared& results) {
  const Figures figures = figures_of(results);
  Json json{{"bench", plan.kind == BenchKind::latency ? "latency" : "throughput"},
            {"size", plan.size_bytes},
            {"wait", name_of(plan.wait)},
            {"group", plan.group},
            {"producers", plan.producers},
            {"consumers", plan.consumers},
            {"batch", plan.batch},
            {"copy", plan.copy},
            {"single_producer_ring", queue.max_producers == 1},
            {"slots", queue.slots},
            {"slot_bytes", queue.slot_bytes},
            {"lane_bytes", queue.lane_bytes},
            {"pinned", plan.processors},
            {"slices", figures.slices},
            {"slices_kept", figures.kept},
            {"messages", figures.messages},
            {"raw_half_round_trip_ns", spread_json(figures.probe_ns)}};
  if (plan.kind == BenchKind::throughput) {
    json["messages_per_s"] = spread_json(figures.messages_per_s);
    json["bytes_per_s"] = figures.messages_per_s.median * static_cast<double>(plan.size_bytes);
    return json;
  }
  Json latency;
  latency["min"] = half_ns(results, results.round_trips.min());
  for (const Percentile& each : k_percentiles)
    latency[each.key] = half_ns(results, results.round_trips.value_at(each.quantile));
  latency["max"] = half_ns(results, results.round_trips.max());
  json["half_round_trip_ns"] = std::move(latency);
  return json;
}

std::string bench_text(const BenchPlan& plan, const QueueOptions& queue, const BenchShared& results) {
  const Figures figures = figures_of(results);
  std::string text = set_up_text(plan, queue);
  Facts facts;
  if (figures.kept == 0) {
    facts.add("result", "none: no slice had both raw probes in the band");
  } else if (plan.kind == BenchKind::throughput) {
    const Spread& rate = figures.messages_per_s;
    facts.add("messages",
              format_rate(rate.median) + " (" + format_rate(rate.min) + " to " + format_rate(rate.max) + ")");
    facts.add("bytes", format_size(rate.median * static_cast<double>(plan.size_bytes)) + "/s");
  } else {
    for (const Percentile& each : k_percentiles) {
      facts.add(each.label, format_nanoseconds(half_ns(results, results.round_trips.value_at(each.quantile))));
    }
    facts.add("max", format_nanoseconds(half_ns(results, results.round_trips.max())));
  }
  const Spread& probe = figures.probe_ns;
  facts.add("raw line", format_nanoseconds(probe.median) + " (" + format_nanoseconds(probe.min) + " to " +
                            format_nanoseconds(probe.max) + "), the same two processes before and after each slice");
  if (probe.median > k_one_processor_ns) {
    facts.add("note",
              "the two shared one processor: pin them (--pin A,B), or wait until the machine has nothing else to do");
  }
  if (plan.kind == BenchKind::latency && probe.median > 0 && figures.kept > 0) {
    facts.add("p50 / raw", two_decimals(half_ns(results, results.round_trips.value_at(0.5)) / probe.median));
  }
  facts.add("slices", std::to_string(figures.kept) + " of " + std::to_string(figures.slices) + " kept, " +
                          format_count(figures.messages) +
                          (plan.kind == BenchKind::latency ? " round trips" : " messages"));
  return text + facts.text(2);
}

}  // namespace beltway::tool
