// The structs of the C API that begin with their size, and what they are in C++.
// Thread safety: pure functions. They throw Error(invalid_option, incompatible).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "beltway/beltway.h"
#include "beltway/error.hpp"
#include "beltway/options.hpp"

namespace beltway::c {

/// The struct as this library has it. NULL: the defaults. What an older program does not know has its default, `defaults`. A
/// program that is newer than the library may not set what the library does not know. `first_bytes`: the struct's size in the
/// first version of the API.
template <class Struct>
[[nodiscard]] Struct taken(const Struct* given, const Struct& defaults, const char* name,
                           std::size_t first_bytes = sizeof(Struct)) {
  Struct whole = defaults;
  if (given == nullptr) return whole;
  if (given->size < first_bytes) {
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

/// Whether the program's struct, which a call fills, holds what this library knows. Throws.
template <class Struct>
void check_filled(const Struct* given, const char* name) {
  if (given->size >= sizeof(Struct)) return;
  throw Error(Errc::invalid_option, std::string(name) + ": size " + std::to_string(given->size) +
                                        "; set the member `size` to sizeof(" + name + ") before the call");
}

[[nodiscard]] inline std::string text(const char* string) { return string == nullptr ? std::string() : string; }

/// Throws if a program wrote a number into an enumeration that has no such value.
template <class Cpp, class C>
[[nodiscard]] Cpp enumerator(C value, Cpp last, const char* option) {
  const auto number = static_cast<long long>(value);
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
[[nodiscard]] Start start(beltway_start start);

}  // namespace beltway::c
