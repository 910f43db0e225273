// Global options, dispatch, errors.
#include "tool/commands/run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <initializer_list>
#include <iostream>

#include "beltway/error.hpp"
#include "beltway/version.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/connecting.hpp"
#include "tool/commands/help_text.hpp"
#include "tool/commands/plain_words.hpp"
#include "tool/commands/short_options.hpp"
#include "tool/commands/suggestions.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

constexpr const char* k_examples = R"(Examples:
  beltway declare orders --group billing
  beltway pub orders "first" "second"
  beltway sub orders --group billing --count 2
  beltway show orders --watch 1
  beltway bench latency --size 64 --wait spin --pin 0,1

Sizes take K, M, G (1024s), counts and rates k, M, G (1000s), times ms, s, m, h (else seconds).
Exit codes: 0 done, 1 refused or failed, 2 usage, 3 timeout, 4 no daemon, 5 not found,
6 no permission, 7 removed or evicted while in use, 8 messages are left (purge, requeue,
--if-empty), 130 Ctrl-C, 141 the reader of the output is gone.)";

/// A standard descriptor that is closed would be the next one that we open: what we print would go to the daemon. Each is
/// filled with one that fails as a closed one does.
void fill_standard_descriptors() {
  for (const int wanted : {0, 1, 2}) {
    if (fcntl(wanted, F_GETFD) >= 0) continue;
    const int opened = open("/dev/null", (wanted == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    if (opened < 0 || opened == wanted) continue;
    dup3(opened, wanted, O_CLOEXEC);
    close(opened);
  }
}

void set_up(CLI::App& app, Globals& globals) {
  app.name("beltway");
  app.description("Message queues in shared memory: declare, look at, publish to, receive from and measure them.");
  app.footer(k_examples);
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag(with_short_option("--version"), "beltway " + std::string(k_version), "Print the version");
  // Before the subcommands are made: they inherit it, and then take the global options behind their own too.
  app.fallthrough();
  app.require_subcommand(1);
  app.add_option(with_short_option("--socket"), globals.socket,
                 "The daemon's socket (else $BELTWAY_SOCKET, the user's own, the system's)")
      ->type_name("PATH")
      ->transform(without_marks);
  app.add_flag("--no-start", globals.no_start,
               "Do not start a daemon if none answers; commands that only look never do");
  app.add_option(with_short_option("--format"), globals.format, "text for people, json for programs")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("text|json");
  app.add_flag("--progress", globals.progress,
               "Say on standard error how far a long command came, also without a terminal");
  Command all(app);
  for (const auto add : {add_declare, add_list,    add_show,       add_pub,     add_sub,    add_peek,  add_purge,
                         add_remove,  add_requeue, add_group,      add_evict,   add_ack,    add_move,  add_events,
                         add_ping,    add_doctor,  add_check,      add_metrics, add_digest, add_bench, add_export,
                         add_import,  add_help,    add_completion, add_man,     add_top,    add_web,   add_bridge}) {
    add(all, globals);
  }
}

/// The deepest command that the command line names.
const CLI::App& named_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string path_of(const CLI::App& command) {
  std::string path = command.get_name();
  for (const CLI::App* above = command.get_parent(); above != nullptr; above = above->get_parent()) {
    path.insert(0, above->get_name() + " ");
  }
  return path;
}

std::string parent_path_of(const CLI::App& command) {
  return command.get_parent() == nullptr ? std::string() : path_of(*command.get_parent());
}

/// What is wrong. An unknown option or command is named even where the parser complains of what is missing because of it.
std::string complaint_about(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = named_command(app);
  const CommandDescription described = describe(command);
  const std::vector<std::string> unknown = app.remaining(true);
  const auto option = std::ranges::find_if(
      unknown, [](const std::string& word) { return word.size() > 1 && word.starts_with('-') && word != "--"; });
  if (option != unknown.end()) {
    const std::string hint = did_you_mean(suggest_option(described, describe(app), *option));
    return "\"" + *option + "\" is no option of \"" + path_of(command) + "\"" +
           (hint.empty() ? "; a name or message that begins with \"-\" must follow \"--\"" : hint);
  }
  if (unknown.empty()) return without_marks(error.what());
  const std::string word = without_marks(unknown.front());
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return "\"" + word + "\" is one word too many for \"" + path_of(command) + "\"";
  }
  const bool no_such_command =
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !described.commands.empty();
  if (!no_such_command) return without_marks(error.what());
  if (word != unknown.front()) return "a command must stand before \"--\"";
  return "\"" + word + "\" is no command" + did_you_mean(suggest_command(described, word));
}

ExitCode usage(const CLI::App& app, const CLI::ParseError& error) {
  complain(complaint_about(app, error));
  std::cerr << "Run \"" << path_of(named_command(app)) << " --help\" for help." << std::endl;
  return ExitCode::usage;
}

ExitCode parse_and_run(CLI::App& app, Globals& globals, int argc, char** argv) {
  try {
    std::vector<std::string> arguments = with_plain_words({argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    print(help_text(describe(named_command(app), parent_path_of(named_command(app))), describe(app)));
    return ExitCode::done;
  } catch (const CLI::CallForVersion&) {
    print("beltway " + std::string(k_version) + "\n");
    return ExitCode::done;
  } catch (const CLI::ParseError& error) {
    return usage(app, error);
  }
  return globals.action ? globals.action() : ExitCode::usage;
}

/// The value that the command line gives to the first of these options or arguments; empty: to none.
std::string value_of(const CLI::App& command, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const CLI::Option* const option = command.get_option_no_throw(name);
    if (option != nullptr && option->count() != 0) return option->results().front();
  }
  return {};
}

void complain_of(const Error& error, const CLI::App& app, const Globals& globals) {
  std::string text = error.what();
  if (error.reason() == Errc::not_found) {
    const CLI::App& command = named_command(app);
    text += suggestion_for({.queue = value_of(command, {"NAME", "QUEUE", "DEAD_LETTER"}),
                            .other_queue = value_of(command, {"--to"}),
                            .group = value_of(command, {"GROUP", "--group"})},
                           globals.socket);
  }
  complain(text);
}

}  // namespace

int run(int argc, char** argv) {
  // A closed pipe is an error of write() here, so that leases are given back before the end.
  std::signal(SIGPIPE, SIG_IGN);
  fill_standard_descriptors();
  CLI::App app;
  Globals globals;
  ExitCode code = ExitCode::failed;
  try {
    set_up(app, globals);
    code = parse_and_run(app, globals, argc, argv);
  } catch (const Failure& failure) {
    complain(failure.what());
    code = failure.code();
  } catch (const Error& error) {
    complain_of(error, app, globals);
    code = exit_code_of(error.reason());
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return static_cast<int>(code);
}

}  // namespace beltway::tool
