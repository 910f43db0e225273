// Structs that a call gives to the program, with all that they point to.
// Thread safety: as a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "beltway/beltway.h"
#include "beltway/info.hpp"

namespace beltway::c {

/// Owns objects of any type until its end.
class Arena {
 public:
  template <class T>
  T& keep(T value) {
    auto kept = std::make_shared<T>(std::move(value));
    T& place = *kept;
    objects_.push_back(std::move(kept));
    return place;
  }
  /// Ends with a zero.
  const char* text(std::string_view view) { return keep(std::string(view)).c_str(); }
  /// The results of `show(element)` for each element, as an array of pointers to them.
  template <class Range, class Show>
  auto array(const Range& range, const Show& show) {
    using Pointer = decltype(show(*range.begin()));
    std::vector<Pointer> pointers;
    pointers.reserve(range.size());
    for (const auto& each : range) pointers.push_back(show(each));
    return static_cast<const Pointer*>(keep(std::move(pointers)).data());
  }

 private:
  std::vector<std::shared_ptr<void>> objects_;
};

/// What the program gets, `first`, lies at the beginning: so it is freed by its address.
template <class Struct>
struct Shown {
  Struct first{};
  Arena arena{};
};

/// Makes a Shown by `fill(struct, arena)`.
template <class Struct, class Fill>
Struct* make_shown(const Fill& fill) {
  auto made = std::make_unique<Shown<Struct>>();
  made->first.size = sizeof(Struct);
  fill(made->first, made->arena);
  return &made.release()->first;
}
template <class Struct>
void free_shown(Struct* shown) noexcept {
  static_assert(offsetof(Shown<Struct>, first) == 0);
  delete reinterpret_cast<Shown<Struct>*>(shown);
}

/// BELTWAY_UNSET for no value; of a duration its count.
template <class Value>
[[nodiscard]] std::int64_t or_unset(const std::optional<Value>& value) {
  return value ? static_cast<std::int64_t>(*value) : BELTWAY_UNSET;
}
template <class Period>
[[nodiscard]] std::int64_t or_unset(const std::optional<std::chrono::duration<std::int64_t, Period>>& value) {
  return value ? value->count() : BELTWAY_UNSET;
}

void show(beltway_queue_info& to, const QueueInfo& from, Arena& arena);
[[nodiscard]] const beltway_endpoint_info* show(const EndpointInfo& from, Arena& arena);
[[nodiscard]] const beltway_queue_options* show(const QueueOptions& from, Arena& arena);

}  // namespace beltway::c
