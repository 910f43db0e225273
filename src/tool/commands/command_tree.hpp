// What the command line knows, as plain data: for the help, the manual pages, the completion and the suggestions.
// Thread safety: values.
#pragma once

#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's name
class App;
}  // namespace CLI

namespace beltway::tool {

struct OptionDescription {
  std::vector<std::string> names;  ///< "-n", "--count"; of an argument: its one name
  bool is_argument = false;        ///< has no dashes
  bool is_required = false;
  bool is_repeated = false;
  std::string value = {};  ///< what stands for the value: "PATH", "text|json"; empty: a flag, or an argument
  std::string initial = {};
  std::string help = {};

  /// "-n, --count".
  [[nodiscard]] std::string all_names() const;
  /// The words of "text|json" that are meant as they are; upper case stands for something else.
  [[nodiscard]] std::vector<std::string> words() const;
};

struct CommandDescription {
  std::string name;  ///< "sub"
  std::string path;  ///< "beltway sub"
  std::string help;
  std::string footer = {};
  std::vector<OptionDescription> options = {};
  std::vector<CommandDescription> commands = {};

  [[nodiscard]] const CommandDescription* find_command(const std::string& word) const;
  [[nodiscard]] const OptionDescription* find_option(const std::string& word) const;
};

/// The command and all below it. `above`: the path of its parent.
[[nodiscard]] CommandDescription describe(const CLI::App& app, const std::string& above = {});

}  // namespace beltway::tool
