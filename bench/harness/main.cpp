// beltway_bench: candidates side by side on this machine, by the method of README.md. JSON lines go to standard output or a
// file, a short table to standard error.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <set>

#include "harness/report.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/units.hpp"

namespace {

using namespace beltway::bench;
using beltway::tool::ExitCode;
using beltway::tool::Failure;

struct Options {
  Spec spec;
  Settings settings;
  std::vector<std::string> sizes{"8"};
  std::vector<std::string> candidates;
  std::string footprint;
  std::string near = "52:110";
  std::string output;
  double slice_ms = 20;
  bool list = false;
};

void describe(CLI::App& app, Options& options) {
  Spec& spec = options.spec;
  Settings& settings = options.settings;
  const std::map<std::string, Mode> modes{
      {"latency", Mode::latency}, {"one-way", Mode::one_way}, {"throughput", Mode::throughput}};
  const std::map<std::string, Fanout> fanouts{{"all", Fanout::all}, {"shared", Fanout::shared}};
  app.add_flag("--list", options.list, "List the candidates of this build, and end");
  app.add_option("--mode", spec.mode, "latency, one-way, throughput")->transform(CLI::CheckedTransformer(modes));
  app.add_option("--sizes", options.sizes, "Payloads, for example 8,64,4K,1M")->delimiter(',')->capture_default_str();
  app.add_option("--candidates", options.candidates,
                 "Names as in --list; a name with a final * stands for all that begin so. Default: all that fit")
      ->delimiter(',');
  app.add_option("--producers", spec.producers)->check(CLI::Range(1, 16))->capture_default_str();
  app.add_option("--consumers", spec.consumers)->check(CLI::Range(1, 16))->capture_default_str();
  app.add_option("--fanout", spec.fanout,
                 "Several consumers: all (each gets every message), shared (each message goes to one)")
      ->transform(CLI::CheckedTransformer(fanouts));
  app.add_option("--slots", spec.slots, "Slots of a ring, a power of two; else what the footprint holds");
  app.add_option("--slot-bytes", spec.slot_bytes, "Bytes of a slot; else the least multiple of 64");
  app.add_option("--footprint", options.footprint, "Bytes in flight; else 256K up to 256 bytes, 4M beyond");
  app.add_option("--batch", spec.batch, "Messages of a batch")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--rate", spec.rate, "One way: messages a second")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--runs", settings.runs)->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--slices", settings.slices, "Near slices of each candidate in each run")->capture_default_str();
  app.add_option("--run-seconds", settings.run_s, "A run ends after this long, whatever it has")->capture_default_str();
  app.add_option("--slice-ms", options.slice_ms)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--near", options.near, "Raw probes, ns, between which a slice counts")->capture_default_str();
  app.add_flag("--keep-far", settings.keep_far, "Measure far slices, too, and report them apart");
  app.add_option("--pin", settings.processors,
                 "Processors: first producer, first consumer, other producers, consumers; in turn")
      ->delimiter(',');
  app.add_option("--output", options.output, "Append the JSON lines to this file instead of standard output");
}

std::uint64_t size_of(const std::string& text) {
  const auto size = beltway::tool::parse_size(text);
  constexpr std::uint64_t k_most_bytes = 64U << 20;
  if (!size || *size < 8 || *size > k_most_bytes) throw Failure(ExitCode::usage, "sizes are 8 to 64M: " + text);
  return *size;
}

void complete(Options& options) {
  options.settings.slice_ns = static_cast<std::uint64_t>(options.slice_ms * 1e6);
  if (!options.footprint.empty()) options.spec.footprint_bytes = size_of(options.footprint);
  if (std::sscanf(options.near.c_str(), "%lf:%lf", &options.settings.near.low_ns, &options.settings.near.high_ns) != 2)
    throw Failure(ExitCode::usage, "--near LOW:HIGH");
  const Spec& spec = options.spec;
  if (spec.mode == Mode::latency && spec.workers() != 2) throw Failure(ExitCode::usage, "latency is between two");
  if (spec.mode == Mode::one_way && spec.consumers > 1 && spec.fanout == Fanout::shared)
    throw Failure(ExitCode::usage, "one-way latency is not measured for consumers that share");
  if (options.settings.processors.empty() && sysconf(_SC_NPROCESSORS_ONLN) > 1) options.settings.processors = {0, 1};
}

bool wanted(const std::vector<std::string>& names, const std::string& candidate) {
  if (names.empty()) return true;
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.ends_with('*') ? candidate.starts_with(name.substr(0, name.size() - 1)) : candidate == name;
  });
}

void write_out(const Options& options, const std::string& lines) {
  std::FILE* const file = options.output.empty() ? stdout : std::fopen(options.output.c_str(), "a");
  if (file == nullptr || std::fwrite(lines.data(), 1, lines.size(), file) != lines.size() || std::fflush(file) != 0)
    throw Failure(ExitCode::failed, "cannot write to " + options.output);
  if (file != stdout) std::fclose(file);
}

void run(Options& options) {
  const Entries all = all_candidates();
  if (options.list) {
    std::set<std::string> told;  // some have a type, and so an entry, for each size
    for (const Entry& entry : all) {
      if (told.insert(entry.name).second) std::printf("%-24s %s\n", entry.name.c_str(), entry.what.c_str());
    }
    return;
  }
  complete(options);
  for (const std::string& size : options.sizes) {
    options.spec.size_bytes = size_of(size);
    Entries chosen;
    for (const Entry& entry : all) {
      if (wanted(options.candidates, entry.name) && entry.fits(options.spec)) chosen.push_back(entry);
    }
    if (chosen.empty()) {
      std::cerr << "nothing fits " << size << '\n';
      continue;
    }
    run_scenario(options.spec, options.settings, chosen, [&](const Spec& spec, const Results& results) {
      std::cerr << text(spec, results);
      write_out(options, json_lines(spec, options.settings, results));
    });
  }
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Beltway, raw limits and peers side by side");
  Options options;
  describe(app, options);
  CLI11_PARSE(app, argc, argv);
  run(options);
  return 0;
} catch (const beltway::tool::Failure& failure) {
  std::cerr << failure.what() << '\n';
  return static_cast<int>(failure.code());
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
