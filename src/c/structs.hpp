// The structs of the C API that begin with their size, and what they are in C++.
// Thread safety: pure functions. They throw Error(invalid_option, incompatible).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "beltway/beltway.h"
#include "beltway/error.hpp"
#include "beltway/options.hpp"

namespace beltway::c {

/// No version of a struct is larger. So a size that nobody has set is seldom believed.
inline constexpr std::size_t k_most_struct_bytes = 4096;

/// The struct as this library has it. NULL: the defaults. What an older program does not know has its default, `defaults`. A
/// program that is newer than the library may not set what the library does not know. `first_bytes`: the struct's size in the
/// first version of the API.
template <class Struct>
[[nodiscard]] Struct taken(const Struct* given, const Struct& defaults, const char* name,
                           std::size_t first_bytes = sizeof(Struct)) {
  Struct whole = defaults;
  if (given == nullptr) return whole;
  if (given->size < first_bytes || given->size > k_most_struct_bytes) {
    throw Error(Errc::invalid_option, std::string(name) + ": size " + std::to_string(given->size) +
                                          "; initialise the struct by its macro, which sets it");
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  if (given->size > sizeof(Struct) &&
      std::any_of(bytes + sizeof(Struct), bytes + given->size, [](unsigned char byte) { return byte != 0; })) {
    throw Error(Errc::incompatible, std::string(name) + " has members that this library, version " + beltway_version() +
                                        ", does not know; install a newer one");
  }
  std::memcpy(&whole, given, std::min(given->size, sizeof(Struct)));
  return whole;
}

/// Fills the program's struct by `fill(struct)`, as far as its `size` says: an older program has a shorter one. `first_bytes`:
/// the struct's size in the first version of the API; a shorter one throws.
template <class Struct, class Fill>
void fill_known(Struct* given, const char* name, const Fill& fill, std::size_t first_bytes = sizeof(Struct)) {
  const std::size_t size = given->size;
  if (size < first_bytes) {
    throw Error(Errc::invalid_option, std::string(name) + ": size " + std::to_string(size) +
                                          "; set the member `size` to sizeof(" + name + ") before the call");
  }
  if (size >= sizeof(Struct)) {
    fill(*given);
    return;
  }
  Struct whole{};
  fill(whole);
  whole.size = size;
  std::memcpy(given, &whole, size);
}

[[nodiscard]] inline std::string text(const char* string) { return string == nullptr ? std::string() : string; }

/// Throws unless all bytes are 0: later versions give them a meaning.
template <std::size_t count>
void check_reserved(const std::uint8_t (&reserved)[count], const char* name) {
  if (std::all_of(reserved, reserved + count, [](std::uint8_t byte) { return byte == 0; })) return;
  throw Error(Errc::invalid_option,
              std::string(name) + ": a byte of `reserved` is not 0; initialise the struct by its macro");
}

/// The number in an enumeration, which a C program may have set to any. A plain read of one that is no enumerator is undefined.
template <class C>
[[nodiscard]] std::underlying_type_t<C> number_of(const C& value) noexcept {
  std::underlying_type_t<C> number{};
  std::memcpy(&number, &value, sizeof number);
  return number;
}
/// Throws if it is no enumerator of `Cpp`, whose values are 0 to `last`.
template <class Cpp, class C>
[[nodiscard]] Cpp enumerator(const C& value, Cpp last, const char* option) {
  const auto number = static_cast<long long>(number_of(value));
  if (number < 0 || number > static_cast<long long>(last)) {
    throw Error(Errc::invalid_option, std::string(option) + ": no such value as " + std::to_string(number) +
                                          "; use an enumerator of its type");
  }
  return static_cast<Cpp>(number);
}

[[nodiscard]] QueueOptions cpp(const beltway_queue_options* options);
[[nodiscard]] NamedGroup cpp(const beltway_group& group);
[[nodiscard]] ConnectionOptions cpp(const beltway_connection_options* options);
[[nodiscard]] ProducerOptions cpp(const beltway_producer_options* options);
[[nodiscard]] ConsumerOptions cpp(const beltway_consumer_options* options);
/// Of beltway_remove() and beltway_remove_group(); `call` is the caller.
[[nodiscard]] RemoveOptions remove_options(std::uint32_t flags, const char* call);
[[nodiscard]] Start start(const beltway_start& start);

}  // namespace beltway::c
