// `beltway help`: the help of a command.
#include <memory>

#include "tool/commands/commands.hpp"
#include "tool/commands/help_text.hpp"
#include "tool/commands/suggestions.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

ExitCode run(const CommandDescription& all, const std::vector<std::string>& words) {
  Output output(1);
  output.append(help_text(find_command(all, words), all));
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_help(Command& app, Globals& globals) {
  Command command = app.add_command("help", "Print the help of a command");
  const auto words = std::make_shared<std::vector<std::string>>();
  command.add_texts("COMMAND", *words, "The command; none: all of them").type_name("");
  command.footer("Examples:\n  beltway help sub\n  beltway help group reset");
  command.on_parsed([&globals, app, words] { globals.action = [app, words] { return run(app.describe(), *words); }; });
}

}  // namespace beltway::tool
