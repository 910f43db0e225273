// Reads the fields of a JSON object that a stranger sent: every value is checked for type and range, and an error names the
// message, the field and what it must be. Throws Error(protocol) throughout.
// Thread safety: as the object that it reads, which must outlive it.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "beltway/error.hpp"

namespace beltway::wire {

class JsonReader {
 public:
  JsonReader(const nlohmann::json& object, std::string context) : object_(object), what_(std::move(context)) {
    if (!object.is_object()) throw Error(Errc::protocol, what_ + ": not a JSON object");
  }

  [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }
  /// Of any kind.
  [[nodiscard]] const nlohmann::json& value(std::string_view name) const { return at(name); }

  template <std::unsigned_integral T>
  [[nodiscard]] T number(std::string_view name) const {
    const nlohmann::json& value = at(name);
    const bool whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
    if (!whole || value.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
      refuse(name, "a whole number from 0 to " + std::to_string(std::numeric_limits<T>::max()));
    }
    return value.get<T>();
  }
  template <std::unsigned_integral T>
  [[nodiscard]] T number_or(std::string_view name, T otherwise) const {
    return has(name) ? number<T>(name) : otherwise;
  }
  [[nodiscard]] std::string text(std::string_view name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_string()) refuse(name, "a string");
    return value.get<std::string>();
  }
  [[nodiscard]] std::string text_or(std::string_view name, std::string otherwise) const {
    return has(name) ? text(name) : std::move(otherwise);
  }
  [[nodiscard]] bool flag(std::string_view name, bool otherwise = false) const {
    if (!has(name)) return otherwise;
    const nlohmann::json& value = at(name);
    if (!value.is_boolean()) refuse(name, "true or false");
    return value.get<bool>();
  }
  /// One of `words`, which are those of `Enum` in the order of its values.
  template <class Enum, std::size_t count>
  [[nodiscard]] Enum word(std::string_view name, const std::array<std::string_view, count>& words) const {
    const std::string said = text(name);
    const auto* const found = std::find(words.begin(), words.end(), said);
    if (found != words.end()) return static_cast<Enum>(found - words.begin());
    std::string list;
    for (const std::string_view each : words) list += (list.empty() ? "" : ", ") + std::string(each);
    refuse(name, "one of " + list);
  }
  [[nodiscard]] const nlohmann::json& array(std::string_view name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_array()) refuse(name, "a list");
    return value;
  }
  [[nodiscard]] const nlohmann::json& object(std::string_view name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_object()) refuse(name, "an object");
    return value;
  }
  [[noreturn]] void refuse(std::string_view name, const std::string& must_be) const {
    throw Error(Errc::protocol, what_ + ": field \"" + std::string(name) + "\" must be " + must_be);
  }

 private:
  [[nodiscard]] const nlohmann::json& at(std::string_view name) const {
    const auto found = object_.find(name);
    if (found == object_.end()) throw Error(Errc::protocol, what_ + ": field \"" + std::string(name) + "\" is missing");
    return *found;
  }

  const nlohmann::json& object_;
  std::string what_;
};

}  // namespace beltway::wire
