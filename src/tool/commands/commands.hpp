// The subcommands of `beltway`, one file each or a few small ones together.
//
// Each function adds its subcommand's options to the parser. Parsing only fills options and sets Globals::action; main
// then runs that, so that nothing happens before the whole command line has made sense.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "beltway/connection.hpp"
#include "tool/commands/command_line.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/progress.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

/// The options that all subcommands share, and what the command line asked for.
struct Globals {
  std::string socket;
  bool no_start = false;
  std::string format = "text";
  bool progress = false;
  std::function<ExitCode()> action;

  [[nodiscard]] bool json() const noexcept { return format == "json"; }
  [[nodiscard]] ConnectionOptions connection_options() const;
  /// When a command that is not done after a second says how far it came. `shares_terminal`: its messages go to standard output.
  [[nodiscard]] Progress::When progress_when(bool shares_terminal = false) const noexcept;
  /// Both start nothing. A daemon whose process is stopped is told after 1 s, a busy one when the time of a request is over:
  /// for monitors, which do not wait long, and for the others.
  [[nodiscard]] ConnectionOptions inspect_options() const;
  [[nodiscard]] ConnectionOptions watch_options() const;
  /// Starts a daemon if that is allowed. Says on standard error if this user has another daemon.
  [[nodiscard]] Connection connect() const;
  /// For a command that only inspects: it starts nothing.
  [[nodiscard]] Connection connect_to_inspect() const;
};

/// Writes what was done: the JSON as a line, or the text.
ExitCode print_answer(const Globals& globals, const watch::Json& json, const std::string& text);

void add_declare(Command& app, Globals& globals);
void add_list(Command& app, Globals& globals);
void add_show(Command& app, Globals& globals);
void add_pub(Command& app, Globals& globals);
void add_sub(Command& app, Globals& globals);
void add_peek(Command& app, Globals& globals);
void add_purge(Command& app, Globals& globals);
void add_remove(Command& app, Globals& globals);
void add_requeue(Command& app, Globals& globals);
void add_group(Command& app, Globals& globals);
void add_evict(Command& app, Globals& globals);
void add_ack(Command& app, Globals& globals);
void add_move(Command& app, Globals& globals);
void add_events(Command& app, Globals& globals);
void add_ping(Command& app, Globals& globals);
void add_digest(Command& app, Globals& globals);
void add_doctor(Command& app, Globals& globals);
void add_check(Command& app, Globals& globals);
void add_metrics(Command& app, Globals& globals);
void add_bench(Command& app, Globals& globals);
void add_bridge(Command& app, Globals& globals);
void add_export(Command& app, Globals& globals);
void add_import(Command& app, Globals& globals);
void add_help(Command& app, Globals& globals);
void add_completion(Command& app, Globals& globals);
void add_man(Command& app, Globals& globals);
void add_top(Command& app, Globals& globals);
void add_web(Command& app, Globals& globals);

}  // namespace beltway::tool
