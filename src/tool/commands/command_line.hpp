// The command line, as far as the commands need it: options with units, help, and what runs once all of it has made sense.
// What does not parse is a usage error that names the option.
//
// The one place that knows CLI11, which is large, is command_line.cpp (and run.cpp, which parses).
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "beltway/options.hpp"
#include "tool/commands/command_tree.hpp"
#include "tool/text/units.hpp"
#include "wire/options_schema.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's name
class Option;
}  // namespace CLI

namespace beltway::tool {

/// Thrown while options are checked; `name` is that of the option at fault, or empty.
[[noreturn]] void throw_usage(const std::string& name, const std::string& complaint);

/// A time rounded up to milliseconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_milliseconds(const std::string& text);

/// "true" or "false".
[[nodiscard]] std::optional<bool> parse_truth(const std::string& text);

/// One option of a Command, to be told more about. Lives as long as the command line.
class Option {
 public:
  explicit Option(CLI::Option& option) noexcept : option_(&option) {}
  Option& required();
  /// What stands for the value in the help.
  Option& type_name(const std::string& name);
  /// Makes sense only beside the other.
  Option& needs(const Option& other);
  /// Whether the command line has it. Once it is parsed.
  [[nodiscard]] bool given() const noexcept;

 private:
  CLI::Option* option_;
};

/// A command or one of its commands. Targets are filled while the command line is parsed, and must live until then. An option
/// gets its letter of short_options.hpp.
class Command {
 public:
  explicit Command(CLI::App& app) noexcept : app_(&app) {}

  Command add_command(const std::string& name, const std::string& help);
  /// One of its commands must be given.
  void require_command();
  /// Stands below the options in the help.
  void footer(const std::string& text);
  /// Runs when all options are parsed; may throw_usage().
  void on_parsed(std::function<void()> callback);
  /// With all that was added until now.
  [[nodiscard]] CommandDescription describe() const;

  Option add_flag(const std::string& name, bool& target, const std::string& help);
  Option add_text(const std::string& name, std::string& target, const std::string& help);
  /// All that stand there (name without dashes), or one each time the option is given.
  Option add_texts(const std::string& name, std::vector<std::string>& target, const std::string& help);
  /// A plain number; the help shows what the target says now.
  Option add_number(const std::string& name, std::uint32_t& target, const std::string& help);
  /// Numbers with commas between them.
  Option add_numbers(const std::string& name, std::vector<int>& target, const std::string& help);
  /// Stores what `parse` makes of the option's text; `what` ("a SIZE") says what was expected.
  template <class Target, class Parse>
  Option add_parsed(const std::string& name, Target& target, const Parse& parse, const std::string& what,
                    const std::string& help) {
    const auto store = [&target, parse](const std::string& text) {
      const auto value = parse(text);
      if (value) target = *value;  // NOLINT(bugprone-optional-value-conversion): Target need not be optional
      return value.has_value();
    };
    return add_stored(name, store, what, help);
  }
  /// K, M, G count in 1024s. `Target`: an unsigned number, or an optional one.
  template <std::unsigned_integral Number>
  Option add_size(const std::string& name, Number& target, const std::string& help) {
    return add_parsed(name, target, &size_of<Number>, "a SIZE", help);
  }
  template <std::unsigned_integral Number>
  Option add_size(const std::string& name, std::optional<Number>& target, const std::string& help) {
    return add_parsed(name, target, &size_of<Number>, "a SIZE", help);
  }
  Option add_count(const std::string& name, std::optional<std::uint64_t>& target, const std::string& help) {
    return add_parsed(name, target, &parse_count, "a NUMBER", help);
  }
  Option add_duration(const std::string& name, std::optional<std::chrono::nanoseconds>& target,
                      const std::string& help) {
    return add_parsed(name, target, &parse_duration, "a TIME", help);
  }
  /// `Target`: milliseconds, or optional ones.
  template <class Target>
  Option add_milliseconds(const std::string& name, Target& target, const std::string& help) {
    return add_parsed(name, target, &parse_milliseconds, "a DURATION", help);
  }
  /// One word of the enumeration.
  template <wire::Worded Enum>
  Option add_choice(const std::string& name, Enum& target, const std::string& help) {
    std::map<std::string, Enum> choices;
    for (const std::string_view word : wire::Words<Enum>::all) {
      choices.emplace(word, static_cast<Enum>(choices.size()));
    }
    std::string words;
    for (const auto& [word, value] : choices) words += (words.empty() ? "" : "|") + word;
    const auto parse = [choices](const std::string& text) -> std::optional<Enum> {
      const auto found = choices.find(text);
      if (found == choices.end()) return std::nullopt;
      return found->second;
    };
    return add_parsed(name, target, parse, "one of " + words, help).type_name(words);
  }

  Option add_queue_name(std::string& name);
  /// GROUP, the argument behind the queue.
  Option add_group_name(std::string& name);
  /// The flags of all options of `target` that have one (option_flags.cpp). Returns each with its option's name.
  template <class Options>
  std::vector<std::pair<std::string, Option>> add_options(Options& target);

 private:
  template <std::unsigned_integral Number>
  static std::optional<Number> size_of(const std::string& text) {
    const std::optional<std::uint64_t> value = parse_size(text);
    if (!value || *value > std::numeric_limits<Number>::max()) return std::nullopt;
    return static_cast<Number>(*value);
  }
  Option add_stored(const std::string& name, std::function<bool(const std::string&)> store, const std::string& what,
                    const std::string& help);

  CLI::App* app_;
};

}  // namespace beltway::tool
