// The flags that come from the table of options (wire/options_schema.hpp). See command_line.hpp.
#include <charconv>
#include <optional>
#include <type_traits>

#include "tool/commands/command_line.hpp"

namespace beltway::tool {

namespace {

template <class Value>
constexpr bool k_is_number = std::is_same_v<Value, std::uint32_t> || std::is_same_v<Value, std::uint64_t>;

std::optional<std::uint32_t> parse_number(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// What the type of a value says of its flag. Nothing for types that no flag can set.
struct FlagMaker {
  Command& command;
  std::string flag;
  std::string help;
  std::string value_name;
  wire::Unit unit;

  template <class Value>
    requires k_is_number<Value>
  std::optional<Option> operator()(Value& number) const {
    if constexpr (std::is_same_v<Value, std::uint32_t>) {
      if (unit == wire::Unit::count) return command.add_number(flag, number, help);
      if (unit == wire::Unit::mode) {
        const auto parse = [](const std::string& mode) { return parse_mode(mode); };
        return command.add_parsed(flag, number, parse, "an octal MODE", help);
      }
    }
    return command.add_size(flag, number, help);
  }
  std::optional<Option> operator()(bool& value) const {
    if (value_name.empty()) return command.add_flag(flag, value, help);
    return command.add_parsed(flag, value, &parse_truth, "one of " + value_name, help);  // may be set back
  }
  std::optional<Option> operator()(std::string& text) const {
    return command.add_text(flag, text, help).type_name(value_name);
  }
  std::optional<Option> operator()(std::chrono::milliseconds& time) const {
    return command.add_milliseconds(flag, time, help);
  }
  std::optional<Option> operator()(std::optional<std::chrono::milliseconds>& time) const {
    return command.add_milliseconds(flag, time, help);
  }
  std::optional<Option> operator()(std::optional<std::uint32_t>& number) const {
    return command.add_parsed(flag, number, parse_number, "a number", help);
  }
  std::optional<Option> operator()(std::optional<std::string>& text) const {
    const auto as_it_is = [](const std::string& said) { return std::optional(said); };
    return command.add_parsed(flag, text, as_it_is, "a name", help).type_name(value_name);
  }
  std::optional<Option> operator()(std::optional<bool>& value) const {
    return command.add_parsed(flag, value, &parse_truth, "one of " + value_name, help);
  }
  template <wire::Worded Enum>
  std::optional<Option> operator()(Enum& value) const {
    return command.add_choice(flag, value, help);
  }
  std::optional<Option> operator()(TypeTag& /*type*/) const { return std::nullopt; }
  std::optional<Option> operator()(std::vector<NamedGroup>& /*groups*/) const { return std::nullopt; }
};

}  // namespace

template <class Options>
std::vector<std::pair<std::string, Option>> Command::add_options(Options& target) {
  std::vector<std::pair<std::string, Option>> added;
  for (const wire::OptionRow<Options>& row : wire::options_of<Options>()) {
    if (row.flag.empty()) continue;
    const FlagMaker make{*this, std::string(row.flag), std::string(row.help), std::string(row.value_name), row.unit};
    added.emplace_back(row.name, row.visit(target, make).value());
  }
  return added;
}

template std::vector<std::pair<std::string, Option>> Command::add_options(QueueOptions& target);
template std::vector<std::pair<std::string, Option>> Command::add_options(GroupOptions& target);
template std::vector<std::pair<std::string, Option>> Command::add_options(ProducerOptions& target);
template std::vector<std::pair<std::string, Option>> Command::add_options(ConsumerOptions& target);

}  // namespace beltway::tool
