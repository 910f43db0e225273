// `beltway man`: manual pages, one or all of them into a directory.
#include <filesystem>
#include <fstream>
#include <memory>

#include "tool/commands/commands.hpp"
#include "tool/commands/manual.hpp"
#include "tool/commands/suggestions.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

struct ManOptions {
  std::vector<std::string> words;
  std::string directory;
};

void write_pages(const CommandDescription& command, const CommandDescription& all, const std::string& directory) {
  const std::filesystem::path path = std::filesystem::path(directory) / (page_name(command) + ".1");
  std::ofstream file(path, std::ios::trunc);
  file << manual_page(command, all);
  file.close();
  if (!file) throw Failure(ExitCode::failed, "write " + path.string() + " failed: the directory must exist");
  for (const CommandDescription& each : command.commands) write_pages(each, all, directory);
}

ExitCode run(const CommandDescription& all, const ManOptions& options) {
  if (!options.directory.empty()) {
    write_pages(all, all, options.directory);
    return ExitCode::done;
  }
  Output output(1);
  output.append(manual_page(find_command(all, options.words), all));
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_man(Command& app, Globals& globals) {
  Command command = app.add_command("man", "Print the manual page of a command");
  const auto options = std::make_shared<ManOptions>();
  command.add_texts("COMMAND", options->words, "The command; none: the page of all of them").type_name("");
  command.add_text("--directory", options->directory, "Write the pages of all commands there").type_name("PATH");
  command.footer("Examples:\n  beltway man sub | man -l -\n  beltway man --directory /usr/local/share/man/man1");
  command.on_parsed(
      [&globals, app, options] { globals.action = [app, options] { return run(app.describe(), *options); }; });
}

}  // namespace beltway::tool
