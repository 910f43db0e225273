// `beltway doctor`: looks at everything for some seconds, and says in words what is wrong and what to do.
#include <algorithm>

#include "beltway/error.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/doctor_text.hpp"
#include "tool/commands/examination.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/output.hpp"
#include "watch/machine.hpp"

namespace beltway::tool {

namespace {

struct DoctorOptions {
  std::optional<std::chrono::nanoseconds> time;
};

/// No daemon: what may keep one from running is told before the error says what to do.
[[noreturn]] void throw_no_daemon(const Globals& globals, const Error& error) {
  const std::vector<watch::Verdict> machine = watch::machine_verdicts(watch::this_machine());
  if (!machine.empty() && !globals.json()) {
    Output output(1);
    output.append(verdicts_text(machine));
    output.flush();
  }
  throw error;
}

Examination examine_or_explain(const Globals& globals, std::chrono::nanoseconds time, const std::stop_token& stop) {
  try {
    return examine(globals.inspect_options(), {.command = "doctor", .progress = globals.progress_when(), .time = time},
                   stop);
  } catch (const Error& error) {
    if (error.reason() == Errc::no_daemon) throw_no_daemon(globals, error);
    throw;
  }
}

ExitCode run(const Globals& globals, const DoctorOptions& options) {
  Interrupt interrupt;
  const Examination examination =
      examine_or_explain(globals, options.time.value_or(k_default_examination), interrupt.token());
  if (interrupt.signal() != 0) return interrupt.exit_code();
  Output output(1);
  output.append(globals.json() ? watch::json_line(doctor_json(examination)) : doctor_text(examination));
  output.flush();
  const bool is_healthy = std::ranges::all_of(
      examination.verdicts, [](const watch::Verdict& each) { return each.severity == watch::Severity::note; });
  return is_healthy ? ExitCode::done : ExitCode::failed;
}

}  // namespace

void add_doctor(Command& app, Globals& globals) {
  Command command = app.add_command("doctor", "Say what is wrong with queues, daemon and machine, and what to do");
  const auto options = std::make_shared<DoctorOptions>();
  command.add_duration("--for", options->time, "How long to look (2 s); longer while something is uncertain");
  command.footer(R"(Exit codes: 0 nothing is wrong (notes may be told), 1 a trouble or a warning was found, 4 no daemon.
Examples:
  beltway doctor
  beltway doctor --for 10s
  beltway doctor --format json | jq -r '.verdicts[] | .remedies[0].command')");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
