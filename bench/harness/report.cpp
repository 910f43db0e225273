// Medians over the slices of a run, then over the runs.
#include "harness/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "tool/bench/bench_report.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/units.hpp"

namespace beltway::bench {

namespace {

using tool::Json;

struct Percentile {
  const char* key;
  double quantile;
};
constexpr std::array k_percentiles{Percentile{"p50", 0.5}, Percentile{"p99", 0.99}, Percentile{"p99_9", 0.999},
                                   Percentile{"p99_99", 0.9999}, Percentile{"max", 1.0}};

/// Latencies are half of a round trip; one-way ones are what they are.
double ns_of(const Spec& spec, const Results& results, std::uint64_t ticks) {
  return static_cast<double>(ticks) * results.ns_per_tick / (spec.mode == Mode::latency ? 2 : 1);
}

/// One number of each run that has slices, and their median.
template <class Value>
Json median_of_runs(const Result& result, const Value& value, const Tally RunResult::* which) {
  std::vector<double> values;
  for (const RunResult& run : result.runs) {
    if (!(run.*which).probes_ns.empty()) values.push_back(value(run.*which));
  }
  if (values.empty()) return nullptr;
  return {{"median", tool::median(values)}, {"runs", values}};
}

Json figures(const Spec& spec, const Results& results, const Result& result, const Tally RunResult::* which) {
  Json json;
  json["probe_ns"] = median_of_runs(result, [](const Tally& tally) { return tool::median(tally.probes_ns); }, which);
  if (spec.mode == Mode::throughput) {
    json["messages_per_s"] =
        median_of_runs(result, [](const Tally& tally) { return tool::median(tally.rates); }, which);
    return json;
  }
  Json latency;
  tool::Histogram all;
  for (const RunResult& run : result.runs) all.merge((run.*which).ticks);
  for (const Percentile& each : k_percentiles) {
    latency[each.key] = median_of_runs(
        result,
        [&](const Tally& tally) {
          return ns_of(spec, results, each.quantile < 1 ? tally.ticks.value_at(each.quantile) : tally.ticks.max());
        },
        which);
  }
  if (spec.mode == Mode::latency) {
    // Many processors count ticks in steps of 10 ns, which shows in the percentiles; the mean of a whole slice is exact.
    latency["slice_mean"] =
        median_of_runs(result, [](const Tally& tally) { return 1e9 / (2 * tool::median(tally.rates)); }, which);
  }
  json["latency_ns"] = std::move(latency);
  Json histogram = Json::array();
  all.for_each(
      [&](std::uint64_t top, std::uint64_t count) { histogram.push_back({ns_of(spec, results, top), count}); });
  json["histogram"] = std::move(histogram);
  return json;
}

std::size_t slices_of(const Result& result, const Tally RunResult::* which) {
  std::size_t count = 0;
  for (const RunResult& run : result.runs) count += (run.*which).probes_ns.size();
  return count;
}

}  // namespace

const char* name_of(Mode mode) noexcept {
  switch (mode) {
    case Mode::latency: return "latency";
    case Mode::one_way: return "one_way";
    case Mode::throughput: return "throughput";
  }
  return "unknown";
}

std::string json_lines(const Spec& spec, const Settings& settings, const Results& results) {
  std::string lines;
  for (const Result& result : results.candidates) {
    Json json{{"mode", name_of(spec.mode)},
              {"candidate", result.candidate},
              {"size", spec.size_bytes},
              {"producers", spec.producers},
              {"consumers", spec.consumers},
              {"fanout", spec.consumers == 1          ? "one"
                         : spec.fanout == Fanout::all ? "all"
                                                      : "shared"},
              {"slots", spec.ring_slots()},
              {"slot_bytes", spec.slot()},
              {"bytes_in_flight", result.bytes_in_flight},
              {"batch", spec.batch}};
    if (spec.mode == Mode::one_way) json["rate"] = spec.rate;
    if (spec.footprint_bytes != 0) json["footprint"] = spec.footprint_bytes;
    json["pinned"] = settings.processors;
    json["oversubscribed"] = spec.workers() > static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
    json["near_band_ns"] = {settings.near.low_ns, settings.near.high_ns};
    std::uint32_t far = 0;
    for (const RunResult& run : result.runs) far += run.far_slices;
    json["slices_near"] = slices_of(result, &RunResult::near);
    json["slices_far"] = far;
    json["near"] = figures(spec, results, result, &RunResult::near);
    if (settings.keep_far) json["far"] = figures(spec, results, result, &RunResult::far);
    lines += tool::json_line(json);
  }
  return lines;
}

std::string text(const Spec& spec, const Results& results) {
  std::string text = std::string(name_of(spec.mode)) + ", " + tool::format_size(static_cast<double>(spec.size_bytes)) +
                     ", " + std::to_string(spec.producers) + " to " + std::to_string(spec.consumers) + "\n";
  for (const Result& result : results.candidates) {
    const Json near = figures(spec, results, result, &RunResult::near);
    std::string value = "no near slice";
    if (!near["probe_ns"].is_null() && spec.mode == Mode::throughput) {
      const double rate = near["messages_per_s"]["median"].get<double>();
      value = tool::format_rate(rate) + "  " + tool::format_size(rate * static_cast<double>(spec.size_bytes)) + "/s";
    } else if (!near["probe_ns"].is_null()) {
      value.clear();
      for (const Percentile& each : k_percentiles)
        value += std::string(each.key) + " " +
                 tool::format_nanoseconds(near["latency_ns"][each.key]["median"].get<double>()) + "  ";
      if (spec.mode == Mode::latency)
        value += "mean " + tool::format_nanoseconds(near["latency_ns"]["slice_mean"]["median"].get<double>()) + "  ";
    }
    std::array<char, 240> line{};
    std::snprintf(line.data(), line.size(), "  %-24s %s  (%zu near slices, probe %.0f ns)\n", result.candidate.c_str(),
                  value.c_str(), slices_of(result, &RunResult::near),
                  near["probe_ns"].is_null() ? 0.0 : near["probe_ns"]["median"].get<double>());
    text += line.data();
  }
  return text;
}

}  // namespace beltway::bench
