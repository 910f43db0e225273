// Options with units for CLI11: what does not parse is a usage error that names the option.
#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "beltway/options.hpp"
#include "units.hpp"

namespace beltway::tool {

/// Stores what `parse` makes of the option's text; `what` says what was expected.
template <class Target, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, Target& target, Parse parse, const std::string& what,
                        const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&target, parse, name, what](const std::string& text) {
            const auto value = parse(text);
            if (!value) throw CLI::ValidationError(name, "\"" + text + "\" is not " + what);
            target = *value;
          },
          help)
      ->type_name(what.substr(what.find(' ') + 1));
}

/// K, M, G count in 1024s.
template <std::unsigned_integral Number>
CLI::Option* add_size(CLI::App& app, const std::string& name, Number& target, const std::string& help) {
  const auto parse = [](const std::string& text) -> std::optional<Number> {
    const std::optional<std::uint64_t> value = parse_size(text);
    if (!value || *value > std::numeric_limits<Number>::max()) return std::nullopt;
    return static_cast<Number>(*value);
  };
  return add_parsed(app, name, target, parse, "a SIZE", help);
}

inline CLI::Option* add_count(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& target,
                              const std::string& help) {
  return add_parsed(app, name, target, [](const std::string& text) { return parse_count(text); }, "a NUMBER", help);
}

inline CLI::Option* add_duration(CLI::App& app, const std::string& name,
                                 std::optional<std::chrono::nanoseconds>& target, const std::string& help) {
  return add_parsed(app, name, target, [](const std::string& text) { return parse_duration(text); }, "a TIME", help);
}

/// One of a few words, each with its value.
template <class Enum>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Enum& target,
                        const std::map<std::string, Enum>& choices, const std::string& help) {
  std::string words;
  for (const auto& [word, value] : choices) words += (words.empty() ? "" : "|") + word;
  const auto parse = [choices](const std::string& text) -> std::optional<Enum> {
    const auto found = choices.find(text);
    if (found == choices.end()) return std::nullopt;
    return found->second;
  };
  return add_parsed(app, name, target, parse, "one of " + words, help)->type_name(words);
}

inline CLI::Option* add_start(CLI::App& app, Start& target, const std::string& help) {
  return add_choice<Start>(app, "--from", target, {{"latest", Start::latest}, {"oldest", Start::oldest}}, help);
}

inline CLI::Option* add_wait(CLI::App& app, WaitStrategy& target) {
  return add_choice<WaitStrategy>(
      app, "--wait", target,
      {{"adaptive", WaitStrategy::adaptive}, {"spin", WaitStrategy::spin}, {"sleep", WaitStrategy::sleep}},
      "What to do while there is nothing to do: spin a little, then sleep (adaptive), spin, or sleep at once");
}

inline CLI::Option* add_queue_name(CLI::App& app, std::string& name) {
  return app.add_option("NAME", name, "The queue")->required()->type_name("");
}

}  // namespace beltway::tool
