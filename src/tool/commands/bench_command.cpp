// `beltway bench latency` and `bench throughput`: what this machine makes of it.
#include "tool/bench/bench_report.hpp"
#include "tool/bench/bench_run.hpp"
#include "tool/commands/commands.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

ExitCode run(const Globals& globals, const BenchPlan& plan) {
  const BenchOutcome outcome = run_bench(plan, globals.connection_options(), globals.progress_when());
  if (outcome.code != ExitCode::done) return outcome.code;
  Output output(1);
  output.append(globals.json() ? json_line(bench_json(plan, outcome.queue, *outcome.results))
                               : bench_text(plan, outcome.queue, *outcome.results));
  output.flush();
  return ExitCode::done;
}

std::optional<ProbeBand> parse_band(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::optional<std::uint64_t> low = parse_count(text.substr(0, colon));
  const std::optional<std::uint64_t> high = parse_count(text.substr(colon + 1));
  if (!low || !high || *low > *high) return std::nullopt;
  return ProbeBand{static_cast<double>(*low), static_cast<double>(*high)};
}

void add_common(Command& app, BenchPlan& plan) {
  app.add_size("--size", plan.size_bytes, "Bytes of a message (8)");
  app.add_count("--count", plan.count, "Stop after so many");
  app.add_duration("--seconds", plan.seconds, "Stop after this time (2)");
  app.add_parsed(
      "--slice", plan.slice, [](const std::string& text) { return parse_duration(text); }, "a TIME",
      "Length of a slice between two raw probes (20ms)");
  app.add_choice("--wait", plan.wait, std::string(wire::find_option<ProducerOptions>("wait")->help));
  app.add_size("--slots", plan.slots, "Slots of the ring (1024, or what 4 MiB hold)");
  app.add_size("--slot-bytes", plan.slot_bytes, "Bytes of a slot (what holds the message, up to 4 KiB)");
  app.add_size("--lane-bytes", plan.lane_bytes, "Bytes of a lane (4M or more where the slot is too small)");
  app.add_flag("--group", plan.group, "Lease and acknowledge in a named group, instead of a private consumer each");
  app.add_flag("--multi-producer", plan.multi_producer, "The several-producer ring even for one producer");
  app.add_flag("--copy", plan.copy, "Publish by copying from a buffer, instead of writing in place");
  app.add_numbers("--pin", plan.processors, "Processors of the first producer, the first consumer, and so on")
      .type_name("A,B");
  app.add_parsed("--near", plan.near, parse_band, "a LOW:HIGH",
                 "Count only slices whose two raw probes lie in this band of ns (see bench/README.md)");
}

void set_callback(Command& command, Globals& globals, const std::shared_ptr<BenchPlan>& plan) {
  command.on_parsed([&globals, plan] {
    if (const auto complaint = complaint_about(*plan)) throw_usage("", *complaint);
    globals.action = [&globals, plan] { return run(globals, *plan); };
  });
}

}  // namespace

void add_bench(Command& app, Globals& globals) {
  Command command = app.add_command("bench", "Measure latency or throughput on this machine");
  command.require_command();
  command.footer("Processes of its own, a queue of its own, removed at the end. See \"beltway bench latency --help\".");

  Command latency = command.add_command("latency", "Half a round trip between two processes, with percentiles");
  const auto latency_plan = std::make_shared<BenchPlan>();
  latency_plan->kind = BenchKind::latency;
  add_common(latency, *latency_plan);
  latency.footer(R"(Examples:
  beltway bench latency --wait spin --pin 0,1
  beltway bench latency --size 1K --group --wait sleep --seconds 5
Every byte is written and read. The raw line is the ping-pong of one cache line between the same two processes.)");
  set_callback(latency, globals, latency_plan);

  Command throughput = command.add_command("throughput", "Messages and bytes a second, from producers to consumers");
  const auto throughput_plan = std::make_shared<BenchPlan>();
  throughput_plan->kind = BenchKind::throughput;
  add_common(throughput, *throughput_plan);
  throughput.add_number("--producers", throughput_plan->producers, "");
  throughput.add_number("--consumers", throughput_plan->consumers, "");
  throughput.add_number("--batch", throughput_plan->batch, "Messages of a publish_batch and receive_batch");
  throughput.footer(R"(Examples:
  beltway bench throughput --size 64 --wait spin --pin 0,1
  beltway bench throughput --size 1M --consumers 2
  beltway bench throughput --producers 2 --consumers 2 --group --batch 32)");
  set_callback(throughput, globals, throughput_plan);
}

}  // namespace beltway::tool
