#include "tool/commands/help_text.hpp"

#include <sstream>

#include "tool/text/wrapped.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_help_indent = 2;
/// Where explanations begin. A longer synopsis has its line for itself.
constexpr std::size_t k_explanation_column = 28;

/// A synopsis and beside it what it means.
std::string entry(const std::string& synopsis, const std::string& help) {
  std::string text(k_help_indent, ' ');
  text += synopsis;
  if (help.empty()) return text + "\n";
  if (text.size() + 2 > k_explanation_column) {
    text += "\n" + std::string(k_explanation_column, ' ');
  } else {
    text.resize(k_explanation_column, ' ');
  }
  return text + wrapped(help, k_help_columns - k_explanation_column, k_explanation_column) + "\n";
}

std::string options_help(const CommandDescription& command, bool arguments, const std::string& heading) {
  std::string text;
  for (const OptionDescription& option : command.options) {
    if (option.is_argument == arguments) text += entry(synopsis_of(option), help_of(option));
  }
  return text.empty() ? text : "\n" + heading + ":\n" + text;
}

/// What each command takes besides its own options.
std::string global_part(const CommandDescription& global) {
  std::string text = "Global options:";
  for (const OptionDescription& option : global.options) {
    if (option.names.back() == "--help" || option.names.back() == "--version") continue;
    text += " " + synopsis_of(option) + ";";
  }
  return "\n" + wrapped(text + " see \"" + global.path + " --help\".", k_help_columns) + "\n";
}

}  // namespace

std::string synopsis_of(const OptionDescription& option) {
  std::string text = option.all_names();
  if (!option.value.empty()) text += " " + option.value;
  if (option.is_repeated && !option.value.ends_with("...")) text += " ...";
  return text;
}

std::string help_of(const OptionDescription& option) {
  std::string text = option.help;
  if (!option.initial.empty()) text += (text.empty() ? "(" : " (") + option.initial + ")";
  if (option.is_required && !option.is_argument) text += (text.empty() ? "required" : "; required");
  return text;
}

std::string footer_text(const CommandDescription& command, std::size_t columns) {
  std::string text;
  std::istringstream lines(command.footer);
  for (std::string line; std::getline(lines, line);)
    text += (line.starts_with(' ') ? line : wrapped(line, columns)) + "\n";
  return text;
}

std::string usage_text(const CommandDescription& command) {
  std::string text = command.path;
  if (!command.options.empty()) text += " [OPTIONS]";
  if (!command.commands.empty()) text += " COMMAND";
  for (const OptionDescription& option : command.options) {
    if (!option.is_argument) continue;
    const std::string name = option.names.front() + (option.is_repeated ? " ..." : "");
    text += option.is_required ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string help_text(const CommandDescription& command, const CommandDescription& global) {
  std::string text = wrapped(command.help, k_help_columns) + "\n\nUsage: " + usage_text(command) + "\n";
  text += options_help(command, true, "Arguments");
  text += options_help(command, false, "Options");
  if (!command.commands.empty()) {
    text += "\nCommands:\n";
    for (const CommandDescription& each : command.commands) text += entry(each.name, each.help);
  }
  if (command.path != global.path) text += global_part(global);
  if (!command.footer.empty()) text += "\n" + footer_text(command, k_help_columns);
  return text;
}

}  // namespace beltway::tool
