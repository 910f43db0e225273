#include "tool/commands/command_tree.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>

namespace beltway::tool {

namespace {

OptionDescription describe_option(const CLI::Option& option) {
  OptionDescription description{.names = {}, .is_argument = option.get_positional()};
  if (description.is_argument) {
    description.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_snames()) description.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) description.names.push_back("--" + name);
  }
  description.is_required = option.get_required();
  description.is_repeated = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  if (option.get_expected_max() != 0) description.value = option.get_type_name();
  description.value.resize(std::min(description.value.find(":{"), description.value.size()));  // what a check adds
  description.initial = option.get_default_str();
  description.help = option.get_description();
  return description;
}

}  // namespace

std::string OptionDescription::all_names() const {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> OptionDescription::words() const {
  std::vector<std::string> found;
  if (value.find('|') == std::string::npos) return found;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find('|', begin), value.size());
    std::string word = value.substr(begin, end - begin);
    if (!word.empty() && std::islower(static_cast<unsigned char>(word.front())) != 0) found.push_back(std::move(word));
    begin = end + 1;
  }
  return found;
}

const CommandDescription* CommandDescription::find_command(const std::string& word) const {
  const auto found = std::ranges::find(commands, word, &CommandDescription::name);
  return found == commands.end() ? nullptr : &*found;
}

const OptionDescription* CommandDescription::find_option(const std::string& word) const {
  const auto found = std::ranges::find_if(options, [&word](const OptionDescription& each) {
    return std::ranges::find(each.names, word) != each.names.end();
  });
  return found == options.end() ? nullptr : &*found;
}

CommandDescription describe(const CLI::App& app, const std::string& above) {
  CommandDescription description{.name = app.get_name(),
                                 .path = above.empty() ? app.get_name() : above + " " + app.get_name(),
                                 .help = app.get_description(),
                                 .footer = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) description.options.push_back(describe_option(*option));
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    description.commands.push_back(describe(*command, description.path));
  }
  return description;
}

}  // namespace beltway::tool
