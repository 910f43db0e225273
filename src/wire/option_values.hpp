// The values that options have: the words of enumerations, and each value as text for people.
// Thread safety: pure functions.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "beltway/options.hpp"

namespace beltway::wire {

/// The words of an enumeration, in the order of its values. Socket, records, flags and JSON have the same ones.
template <class Enum>
struct Words;
template <>
struct Words<Fence> {
  static constexpr std::array<std::string_view, 2> all{"asymmetric", "symmetric"};
};
template <>
struct Words<Stamps> {
  static constexpr std::array<std::string_view, 3> all{"off", "coarse", "fine"};
};
template <>
struct Words<Start> {
  static constexpr std::array<std::string_view, 2> all{"latest", "oldest"};
};
template <>
struct Words<Ack> {
  static constexpr std::array<std::string_view, 2> all{"explicit", "automatic"};
};
template <>
struct Words<EndOfStream> {
  static constexpr std::array<std::string_view, 4> all{"by_group", "never", "after_producer", "drained"};
};
template <>
struct Words<WaitStrategy> {
  static constexpr std::array<std::string_view, 3> all{"adaptive", "spin", "sleep"};
};

template <class T>
concept Worded = std::is_enum_v<T> && requires { Words<T>::all; };

/// Of a value of the enumeration.
template <Worded Enum>
[[nodiscard]] constexpr std::string_view word_of(Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < Words<Enum>::all.size() ? Words<Enum>::all[index] : std::string_view("unknown");
}

/// Access bits of a queue or a file: "0600".
[[nodiscard]] std::string octal(std::uint32_t mode);

/// How a number is written and read by people.
enum class Unit : std::uint8_t {
  count,  ///< "64"
  size,   ///< on a command line also with K, M or G, which count in 1024s
  mode,   ///< octal
};

[[nodiscard]] std::string text_of(const TypeTag& type);
[[nodiscard]] std::string text_of(const std::vector<NamedGroup>& groups);
[[nodiscard]] inline std::string text_of(const std::string& text) { return "\"" + text + "\""; }
[[nodiscard]] inline std::string text_of(bool flag) { return flag ? "true" : "false"; }
[[nodiscard]] inline std::string text_of(std::chrono::milliseconds time) { return std::to_string(time.count()); }
[[nodiscard]] inline std::string text_of(std::uint32_t number) { return std::to_string(number); }
template <class Value>
[[nodiscard]] std::string text_of(const std::optional<Value>& own) {
  return own ? text_of(*own) : "unset";
}
template <Worded Enum>
[[nodiscard]] std::string text_of(Enum value) {
  return std::string(word_of(value));
}

}  // namespace beltway::wire
