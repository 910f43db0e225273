#include "tool/commands/manual.hpp"

#include <algorithm>

#include "beltway/version.hpp"
#include "tool/commands/help_text.hpp"
#include "tool/text/roff.hpp"

namespace beltway::tool {

namespace {

/// Beside the margin of a page of 80 columns.
constexpr std::size_t k_note_columns = 72;

std::string bold(const std::string& text) { return ".B " + roff_escaped(text) + "\n"; }

std::string options_part(const CommandDescription& command, bool arguments, const std::string& heading) {
  std::string text;
  for (const OptionDescription& option : command.options) {
    if (option.is_argument != arguments) continue;
    const std::string help = help_of(option);
    text += ".TP\n" + bold(synopsis_of(option)) + (help.empty() ? "\\&" : roff_escaped(help)) + "\n";
  }
  return text.empty() ? text : ".SH " + heading + "\n" + text;
}

std::string commands_part(const CommandDescription& command) {
  if (command.commands.empty()) return {};
  std::string text = ".SH COMMANDS\n";
  for (const CommandDescription& each : command.commands) {
    text += ".TP\n.BR " + roff_escaped(page_name(each)) + " (1)\n" + roff_escaped(each.help) + "\n";
  }
  return text;
}

/// The text below the options: lines as they are, since it is mostly examples.
std::string footer_part(const CommandDescription& command) {
  if (command.footer.empty()) return {};
  return ".SH NOTES\n.nf\n" + roff_escaped(footer_text(command, k_note_columns)) + ".fi\n";
}

}  // namespace

std::string page_name(const CommandDescription& command) {
  std::string name = command.path;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string manual_page(const CommandDescription& command, const CommandDescription& global) {
  const std::string name = page_name(command);
  std::string title = name;
  std::ranges::transform(title, title.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  // A date would make two builds of one version differ.
  std::string page = ".TH " + roff_escaped(title) + " 1 \"\" \"beltway " + std::string(k_version) + "\" \"Beltway\"\n";
  page += ".SH NAME\n" + roff_escaped(name) + " \\- " + roff_escaped(command.help) + "\n";
  page += ".SH SYNOPSIS\n" + bold(usage_text(command));
  page += ".SH DESCRIPTION\n" + roff_escaped(command.help) + ".\n";
  page += options_part(command, true, "ARGUMENTS");
  page += options_part(command, false, "OPTIONS");
  page += commands_part(command);
  page += footer_part(command);
  if (command.path != global.path) page += ".SH SEE ALSO\n.BR " + roff_escaped(global.path) + " (1)\n";
  return page;
}

}  // namespace beltway::tool
