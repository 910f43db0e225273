// `beltway import`: makes the queues of a file that `beltway export` wrote, or changes those that exist.
#include <algorithm>
#include <memory>
#include <stop_token>

#include "beltway/limits.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/importing.hpp"
#include "tool/text/input.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

/// Far more than all definitions of a daemon take.
constexpr std::size_t k_most_bytes = 64UL * 1024 * 1024;
constexpr std::size_t k_piece_bytes = 64UL * 1024;

struct ImportOptions {
  std::string file;
  bool dry_run = false;
  bool skip_existing = false;
};

std::string read_all(const std::string& name) {
  const InputFile file(name);
  std::string text;
  for (std::size_t size = 0;;) {
    text.resize(size + k_piece_bytes);
    const std::size_t got = file.read_full(std::as_writable_bytes(std::span(text).subspan(size)), std::stop_token());
    size += got;
    text.resize(size);
    if (got == 0) return text;
    if (size > k_most_bytes) {
      throw Failure(ExitCode::failed,
                    name + ": more than " + std::to_string(k_most_bytes) + " bytes are no definitions");
    }
  }
}

/// "would make" and "made": what the line says of a step.
std::string verb_of(ImportStep::Kind kind, bool dry_run) {
  switch (kind) {
    case ImportStep::Kind::make: return dry_run ? "would make " : "made ";
    case ImportStep::Kind::change: return dry_run ? "would change " : "changed ";
    case ImportStep::Kind::skip: return "skipped ";
    case ImportStep::Kind::keep: break;
  }
  return "is the same: ";
}

std::string text_of(const std::vector<ImportStep>& steps, bool dry_run) {
  std::string text;
  for (const ImportStep& step : steps) {
    text += verb_of(step.kind, dry_run) + step.definition.name + "\n";
    for (const std::string& group : step.new_groups) text += "  new group " + group + "\n";
    for (const OptionChange& change : step.changes) {
      text += "  " + change.option + (change.group.empty() ? "" : " of group " + change.group) + " from " +
              change.from + " to " + change.to + "\n";
    }
  }
  return text;
}

std::string conflicts_text(const std::vector<ImportStep>& steps) {
  std::string text;
  for (const ImportStep& step : steps) {
    for (const std::string& conflict : step.conflicts) {
      text += (text.empty() ? "" : "; ") + std::string("queue \"") + step.definition.name + "\" has " + conflict;
    }
  }
  return text;
}

std::string word_of(ImportStep::Kind kind) {
  switch (kind) {
    case ImportStep::Kind::make: return "made";
    case ImportStep::Kind::change: return "changed";
    case ImportStep::Kind::skip: return "skipped";
    case ImportStep::Kind::keep: break;
  }
  return "same";
}

Json json_of(const std::vector<ImportStep>& steps, bool dry_run) {
  Json list = Json::array();
  for (const ImportStep& step : steps) {
    Json queue{{"name", step.definition.name}, {"outcome", word_of(step.kind)}, {"new_groups", step.new_groups}};
    queue["changed"] = Json::array();
    for (const OptionChange& change : step.changes) {
      queue["changed"].push_back({{"option", change.option},
                                  {"group", change.group.empty() ? Json(nullptr) : Json(change.group)},
                                  {"from", change.from},
                                  {"to", change.to}});
    }
    queue["conflicts"] = step.conflicts;
    list.push_back(std::move(queue));
  }
  return {{"dry_run", dry_run}, {"queues", std::move(list)}};
}

ExitCode run(const Globals& globals, const ImportOptions& options) {
  const std::string name = options.file == "-" ? "standard input" : options.file;
  const std::vector<Definition> definitions = in_order_of_dead_letters(parse_definitions(read_all(options.file), name));
  const Connection connection = globals.connect();
  const std::vector<ImportStep> steps = plan_import(definitions, connection.list(), options.skip_existing);
  const std::string conflicts = conflicts_text(steps);
  if (!conflicts.empty() && !globals.json()) {
    throw Failure(ExitCode::failed, "import " + name + ": nothing was changed: " + conflicts +
                                        "; these options are fixed while the queue lives. Leave them out, give "
                                        "--skip-existing, or remove the queue first, which drops its messages");
  }
  const bool runs = !options.dry_run && conflicts.empty();
  if (runs) {
    Progress progress(globals.progress_when(), "import");
    run_import(connection, steps, progress);
  }
  Output output(1);
  output.append(globals.json() ? json_line(json_of(steps, !runs)) : text_of(steps, options.dry_run));
  output.flush();
  return conflicts.empty() ? ExitCode::done : ExitCode::failed;
}

}  // namespace

void add_import(Command& app, Globals& globals) {
  Command command = app.add_command("import", "Make the queues that a file of `beltway export` defines");
  const auto options = std::make_shared<ImportOptions>();
  command.add_text("FILE", options->file, "The file; \"-\" is standard input").required().type_name("");
  command.add_flag("--dry-run", options->dry_run, "Change nothing; say what would be done");
  command.add_flag("--skip-existing", options->skip_existing, "Leave queues as they are that exist");
  command.footer(R"(Examples:
  beltway import queues.json --dry-run
  beltway --socket /run/beltway/beltwayd.sock export | beltway import -
The whole file is checked, and compared with the queues that exist, before anything is done.
Of a queue that exists, only the options that the file has are compared; those that may change are changed.
If a queue is refused, the queues that were made before it are removed again. Changes stay.)");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
