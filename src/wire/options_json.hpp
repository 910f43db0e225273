// Options as JSON, for the socket and the daemon's records. The table in options_schema.hpp decides which fields there are.
// Decoding throws Error(protocol) if the JSON has the wrong form, and Error(invalid_option) if an option or a name is out of its
// range. `context` names the operation and the object in errors.
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "beltway/error.hpp"
#include "wire/json_reader.hpp"
#include "wire/options_schema.hpp"
#include "wire/validate.hpp"

namespace beltway::wire {

using nlohmann::json;

[[nodiscard]] json encode(const NamedGroup& group);
[[nodiscard]] NamedGroup decode_group(const json& group, const std::string& context);

/// All options in one object, as a declare sends them.
[[nodiscard]] json encode(const QueueOptions& options);
/// Throws for an unknown option: this program could not keep it.
[[nodiscard]] QueueOptions decode_options(const json& object, const std::string& context);

/// The form in descriptions and records: most options are in the field "options" of `object`. Options that older programs may
/// ignore are fields of `object` itself.
void add_options(json& object, const QueueOptions& options);
[[nodiscard]] QueueOptions decode_options_of(const JsonReader& fields, const std::string& context);

[[nodiscard]] json encode_value(const TypeTag& type);
[[nodiscard]] json encode_value(const std::vector<NamedGroup>& groups);
[[nodiscard]] inline json encode_value(std::uint32_t number) { return number; }
[[nodiscard]] inline json encode_value(std::uint64_t number) { return number; }
[[nodiscard]] inline json encode_value(bool flag) { return flag; }
[[nodiscard]] inline json encode_value(const std::string& text) { return text; }
[[nodiscard]] inline json encode_value(std::chrono::milliseconds time) { return time.count(); }
template <class Value>
[[nodiscard]] json encode_value(const std::optional<Value>& own) {
  return own ? encode_value(*own) : json(nullptr);
}
template <Worded Enum>
[[nodiscard]] json encode_value(Enum value) {
  return word_of(value);
}

/// Where a value comes from: its object, its name in that object, and the operation (for errors).
struct ValueSource {
  const JsonReader& fields;
  std::string_view name;
  const std::string& context;
};

void decode_value(const ValueSource& from, TypeTag& type);
void decode_value(const ValueSource& from, std::vector<NamedGroup>& groups);
void decode_value(const ValueSource& from, std::chrono::milliseconds& time);
inline void decode_value(const ValueSource& from, std::uint32_t& number) {
  number = from.fields.number<std::uint32_t>(from.name);
}
inline void decode_value(const ValueSource& from, std::uint64_t& number) {
  number = from.fields.number<std::uint64_t>(from.name);
}
inline void decode_value(const ValueSource& from, bool& flag) { flag = from.fields.flag(from.name); }
inline void decode_value(const ValueSource& from, std::string& text) { text = from.fields.text(from.name); }
template <Worded Enum>
void decode_value(const ValueSource& from, Enum& value) {
  value = from.fields.word<Enum>(from.name, Words<Enum>::all);
}
template <class Value>
void decode_value(const ValueSource& from, std::optional<Value>& own) {
  decode_value(from, own.emplace());
}

/// The value of one option.
template <class Options>
[[nodiscard]] json encode_option(const OptionRow<Options>& row, const Options& options) {
  return row.visit(options, [](const auto& value) { return encode_value(value); });
}

/// Each option that is sent becomes a field of `object`.
template <class Options>
void encode_fields(json& object, const Options& options) {
  for (const OptionRow<Options>& row : options_of<Options>()) {
    if (row.is_sent && (row.is_sent_if_default || !row.is_default(options))) {
      object[std::string(row.name)] = encode_option(row, options);
    }
  }
}

/// Reads one option from the field of its name. Without such a field the option keeps its value. Does not check the range.
template <class Options>
void decode_field(const JsonReader& fields, const OptionRow<Options>& row, Options& options,
                  const std::string& context) {
  if (!row.is_sent || !fields.has(row.name)) return;
  row.visit(options, [&](auto& value) { decode_value({fields, row.name, context}, value); });
}
template <class Options>
void decode_fields(const JsonReader& fields, Options& options, const std::string& context) {
  for (const OptionRow<Options>& row : options_of<Options>()) decode_field(fields, row, options, context);
}

}  // namespace beltway::wire
