// `beltway export`: the definitions of queues, to be imported at another daemon or kept beside the program.
#include <algorithm>
#include <memory>

#include "beltway/error.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/connecting.hpp"
#include "tool/text/definitions.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

std::vector<QueueInfo> chosen(const Connection& connection, const std::vector<std::string>& names) {
  if (names.empty()) return connection.list();
  std::vector<QueueInfo> queues;
  for (const std::string& name : names) {
    const bool is_new = std::ranges::find(queues, name, &QueueInfo::name) == queues.end();
    if (is_new) queues.push_back(connection.describe(name));
  }
  return queues;
}

ExitCode run(const Globals& globals, const std::vector<std::string>& names) {
  const std::vector<QueueInfo> queues = chosen(globals.connect_to_inspect(), names);
  for (const QueueInfo& info : queues) {
    if (info.options.exclusive)
      complain("note: \"" + info.name + "\" is left out: it ends with the process that made it");
  }
  Output output(1);
  output.append(definitions_text(queues));
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_export(Command& app, Globals& globals) {
  Command command =
      app.add_command("export", "Write the definitions of queues as JSON: options and groups, no messages");
  const auto names = std::make_shared<std::vector<std::string>>();
  command.add_texts("QUEUE", *names, "The queues; none: all that you may read or write").type_name("");
  command.footer(R"(Examples:
  beltway export > queues.json
  beltway export orders failed
Queues and options have a stable order, so that two exports can be compared.)");
  command.on_parsed([&globals, names] { globals.action = [&globals, names] { return run(globals, *names); }; });
}

}  // namespace beltway::tool
