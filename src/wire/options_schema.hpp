// The one table of options: of queues, of groups, of producers and of consumers. A row says all that there is to know of an
// option. From the rows come the socket's fields and the daemon's records (options_json.hpp), the checks and the comparison at
// a second declare. The flags of the tool, the text of `show` and the tool's JSON come from them, too.
// Thread safety: constants and pure functions.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "beltway/options.hpp"
#include "wire/layout_version.hpp"
#include "wire/option_values.hpp"

namespace beltway::wire {

/// What a declare of a queue that exists does with an option whose value differs.
enum class Redeclare : std::uint8_t {
  refused,          ///< the value is fixed while the queue lives
  changed,          ///< the owner may change it by saying it; else it is refused, unless the declare has the default
  changed_or_kept,  ///< the owner may change it by saying it; else the queue's value stays and nothing is refused
  apart,            ///< no value to compare: the missing groups are made
};

/// The types of values that an option may have.
template <class Options>
using Member = std::variant<std::uint32_t Options::*, std::uint64_t Options::*, bool Options::*, std::string Options::*,
                            std::chrono::milliseconds Options::*, std::optional<std::chrono::milliseconds> Options::*,
                            std::optional<std::uint32_t> Options::*, std::optional<bool> Options::*,
                            std::optional<std::string> Options::*, Fence Options::*, Stamps Options::*,
                            Start Options::*, Ack Options::*, EndOfStream Options::*, WaitStrategy Options::*,
                            TypeTag Options::*, std::vector<NamedGroup> Options::*>;

/// One row of the table: an option of `Options`.
template <class Options>
struct OptionRow {
  /// Of the socket's and the record's field and of the tool's JSON key: the member's, with its unit.
  std::string_view name;
  Member<Options> member;
  Unit unit = Unit::count;  ///< of a number
  /// Throws Error(invalid_option) for a value out of range. `context`: operation and object. Null: each value is good.
  void (*check)(const std::string& context, const Options& options) = nullptr;
  Redeclare redeclare = Redeclare::refused;

  bool is_sent = true;  ///< false: it concerns this process alone
  bool is_sent_if_default =
      true;  ///< false: a default is left out, so that a peer that does not know the option serves
  /// A program that does not know the option may ignore it. It then stands beside the options in descriptions and records,
  /// where older programs ignore it.
  bool is_ignorable = false;
  /// The earliest layout whose programs know the option. A queue that has it set is closed to earlier ones (least_reader.hpp).
  LayoutVersion since{4, 0};

  std::string_view flag = {};        ///< on the tool's command line; empty: none
  std::string_view value_name = {};  ///< what stands for a text's value in help and remedies
  std::string_view help = {};
  std::string_view label = {};  ///< the line of `show` that the option has for itself, if it is not the default

  /// Calls `action` with the option's value in `options`.
  template <class Action>
  decltype(auto) visit(Options& options, const Action& action) const {
    return std::visit([&](auto at) -> decltype(auto) { return action(options.*at); }, member);
  }
  template <class Action>
  decltype(auto) visit(const Options& options, const Action& action) const {
    return std::visit([&](auto at) -> decltype(auto) { return action(options.*at); }, member);
  }
  [[nodiscard]] bool is_equal(const Options& left, const Options& right) const {
    return std::visit([&](auto at) { return left.*at == right.*at; }, member);
  }
  [[nodiscard]] bool is_default(const Options& options) const { return is_equal(options, Options{}); }
  void copy(const Options& from, Options& to) const {
    std::visit([&](auto at) { to.*at = from.*at; }, member);
  }
  /// For people.
  [[nodiscard]] std::string text(const Options& options) const {
    return visit(options, [this]<class Value>(const Value& value) {
      if constexpr (std::is_same_v<Value, std::uint32_t> || std::is_same_v<Value, std::uint64_t>) {
        return unit == Unit::mode ? octal(static_cast<std::uint32_t>(value)) : std::to_string(value);
      } else {
        return text_of(value);
      }
    });
  }
  /// Whether its owner may change the option while the queue lives.
  [[nodiscard]] bool is_changeable() const noexcept {
    return redeclare == Redeclare::changed || redeclare == Redeclare::changed_or_kept;
  }
};

using QueueOption = OptionRow<QueueOptions>;
using GroupOption = OptionRow<GroupOptions>;

/// All options of that kind, in the order in which they are checked, compared and shown.
template <class Options>
[[nodiscard]] std::span<const OptionRow<Options>> options_of() noexcept;
template <>
[[nodiscard]] std::span<const OptionRow<QueueOptions>> options_of() noexcept;
template <>
[[nodiscard]] std::span<const OptionRow<GroupOptions>> options_of() noexcept;
template <>
[[nodiscard]] std::span<const OptionRow<ProducerOptions>> options_of() noexcept;
template <>
[[nodiscard]] std::span<const OptionRow<ConsumerOptions>> options_of() noexcept;

/// The option of that name; null: there is none.
template <class Options>
[[nodiscard]] const OptionRow<Options>* find_option(std::string_view name) noexcept {
  const auto all = options_of<Options>();
  const auto found = std::find_if(all.begin(), all.end(), [name](const auto& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

/// Throws Error(invalid_option) for the first option that is out of its range. `context`: see error_subject().
template <class Options>
void check_options(const std::string& context, const Options& options) {
  for (const OptionRow<Options>& row : options_of<Options>()) {
    if (row.check != nullptr) row.check(context, options);
  }
}
/// Name and options.
void check_group(const std::string& context, const NamedGroup& group);

/// An option whose value in the existing queue or group differs from the wanted value. Values are text.
struct Difference {
  std::string option;
  std::string there;
  std::string wanted;
};
/// All options that differ, in the order of the table.
template <class Options>
[[nodiscard]] std::vector<Difference> differences(const Options& there, const Options& wanted) {
  std::vector<Difference> found;
  for (const OptionRow<Options>& row : options_of<Options>()) {
    if (row.redeclare == Redeclare::apart || row.is_equal(there, wanted)) continue;
    found.push_back({std::string(row.name), row.text(there), row.text(wanted)});
  }
  return found;
}
/// "slots 2048, not 1024; mode 0600, not 0644".
[[nodiscard]] std::string text_of(const std::vector<Difference>& differences);

}  // namespace beltway::wire
