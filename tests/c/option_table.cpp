// Prints the table of options as JSON, one object a row, for the tests of all languages: each compares its own names with it.
//
//   {"of": "queue", "name": "retry_delay", "json": "retry_delay_ms", "kind": "time", "unit": "ms", "optional": false,
//    "default": "1"}
//
// - of: queue, group, producer or consumer.
// - name: as in C++ and Python. json: as on the socket, in JSON and in C. Node has the name in camel case.
// - kind: number, flag, text, time, word, type or groups. unit: of a time "ms"; of a number "count", "size" or "mode".
// - optional: an unset value means something else than any value that may be set.
// - words: of a word, in the order of their values. default: as text.
//
// With --outcomes it prints the names of all Statuses and reasons of errors instead, in the order of their values.
#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "beltway/error.hpp"
#include "beltway/status.hpp"
#include "wire/option_values.hpp"
#include "wire/options_schema.hpp"

namespace {

using namespace beltway::wire;
using nlohmann::json;

template <class Value>
struct Plain {
  using Type = Value;
  static constexpr bool k_optional = false;
};
template <class Value>
struct Plain<std::optional<Value>> {
  using Type = Value;
  static constexpr bool k_optional = true;
};

std::string_view word_of_unit(Unit unit) {
  constexpr std::array<std::string_view, 3> k_words{"count", "size", "mode"};
  return k_words[static_cast<std::size_t>(unit)];
}

template <class Value>
void add_kind(json& row, Unit unit) {
  if constexpr (std::is_same_v<Value, bool>) {
    row["kind"] = "flag";
  } else if constexpr (std::is_integral_v<Value>) {
    row["kind"] = "number";
    row["unit"] = word_of_unit(unit);
  } else if constexpr (std::is_same_v<Value, std::string>) {
    row["kind"] = "text";
  } else if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) {
    row["kind"] = "time";
    row["unit"] = "ms";
  } else if constexpr (Worded<Value>) {
    row["kind"] = "word";
    row["words"] = Words<Value>::all;
  } else if constexpr (std::is_same_v<Value, beltway::TypeTag>) {
    row["kind"] = "type";
  } else {
    row["kind"] = "groups";
  }
}

template <class Options>
void add_rows(json& rows, std::string_view of) {
  const Options defaults{};
  for (const OptionRow<Options>& option : options_of<Options>()) {
    json row{{"of", of}, {"json", option.name}, {"default", option.text(defaults)}};
    option.visit(defaults, [&]<class Value>(const Value&) {
      using Type = typename Plain<Value>::Type;
      add_kind<Type>(row, option.unit);
      row["optional"] = Plain<Value>::k_optional;
      std::string_view name = option.name;
      if (std::is_same_v<Type, std::chrono::milliseconds> && name.ends_with("_ms")) name.remove_suffix(3);
      row["name"] = name;
    });
    rows.push_back(std::move(row));
  }
}

json options() {
  json rows = json::array();
  add_rows<beltway::QueueOptions>(rows, "queue");
  add_rows<beltway::GroupOptions>(rows, "group");
  add_rows<beltway::ProducerOptions>(rows, "producer");
  add_rows<beltway::ConsumerOptions>(rows, "consumer");
  return rows;
}

/// Identifiers: "end_of_stream". A switch without default: the compiler names an enumerator that is missing here.
std::string_view name_of(beltway::Errc reason) {
  using beltway::Errc;
  switch (reason) {
    case Errc::invalid_option: return "invalid_option";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::no_permission: return "no_permission";
    case Errc::limit_reached: return "limit_reached";
    case Errc::too_large: return "too_large";
    case Errc::removed: return "removed";
    case Errc::evicted: return "evicted";
    case Errc::no_daemon: return "no_daemon";
    case Errc::protocol: return "protocol";
    case Errc::incompatible: return "incompatible";
    case Errc::wrong_type: return "wrong_type";
    case Errc::forked: return "forked";
    case Errc::misuse: return "misuse";
    case Errc::system: return "system";
    case Errc::interrupted: return "interrupted";
  }
  return {};
}

json outcomes() {
  json statuses = json::object();
  for (unsigned char value = 0;; ++value) {
    std::string name(to_string(static_cast<beltway::Status>(value)));
    if (name == "unknown status") break;
    std::replace(name.begin(), name.end(), ' ', '_');
    statuses[name] = value;
  }
  json errors = json::object();
  for (int value = 1;; ++value) {
    const std::string_view name = name_of(static_cast<beltway::Errc>(value));
    if (name.empty()) break;
    errors[std::string(name)] = value;
  }
  return {{"statuses", statuses}, {"errors", errors}};
}

}  // namespace

int main(int count, char** arguments) {
  const bool wants_outcomes = count == 2 && std::string_view(arguments[1]) == "--outcomes";
  if (count != 1 && !wants_outcomes) {
    std::cerr << "option_table [--outcomes]\n";
    return 2;
  }
  std::cout << (wants_outcomes ? outcomes() : options()).dump(1) << '\n';
  return 0;
}
