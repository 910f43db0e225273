// Node-API for the rest of this folder: checks of each call, values in and out, errors of the library as exceptions.
//
// Thread safety: the thread of the environment (`napi_env`) alone.
#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "beltway/bytes.hpp"
#include "beltway/error.hpp"

namespace beltway::node {

/// Thrown while an exception of JavaScript is pending: nothing more is to be said.
struct PendingException {};

/// Throws PendingException if the call failed; makes an exception if Node-API has not.
void check(napi_env env, napi_status status);

/// Errc's name, which is `code` of a BeltwayError: "not_found".
[[nodiscard]] std::string_view name_of(Errc code) noexcept;
/// A BeltwayError. Null if the environment is about to end.
[[nodiscard]] napi_value make_error(napi_env env, std::string_view code, std::string_view message) noexcept;
/// Makes what is being handled (in a catch block) the pending exception of JavaScript.
void raise_current_exception(napi_env env) noexcept;

/// Makes a Node-API callback of a function that may throw Error.
template <napi_value (*Function)(napi_env, napi_callback_info)>
napi_value guarded(napi_env env, napi_callback_info info) noexcept {
  try {
    return Function(env, info);
  } catch (...) {
    raise_current_exception(env);
    return nullptr;
  }
}

/// The arguments of a call, `undefined` where there are fewer, and the pointer that belongs to the function.
template <std::size_t Count>
struct Arguments {
  Arguments(napi_env env, napi_callback_info info) {
    std::size_t count = Count;
    check(env, napi_get_cb_info(env, info, &count, values.data(), nullptr, &data));
  }
  napi_value operator[](std::size_t index) const noexcept { return values[index]; }

  std::array<napi_value, Count> values{};
  void* data = nullptr;
};

[[nodiscard]] napi_valuetype type_of(napi_env env, napi_value value);
/// Neither undefined nor null.
[[nodiscard]] bool is_given(napi_env env, napi_value value);
/// A value of the wrong type throws Error(invalid_option): "`what` takes a string".
[[nodiscard]] std::string string_of(napi_env env, napi_value value, std::string_view what);
[[nodiscard]] double number_of(napi_env env, napi_value value, std::string_view what);
[[nodiscard]] bool boolean_of(napi_env env, napi_value value, std::string_view what);
/// A whole number from 0 to 2^53, or a BigInt.
[[nodiscard]] std::uint64_t whole_number_of(napi_env env, napi_value value, std::string_view what);
[[nodiscard]] napi_value property_of(napi_env env, napi_value object, const char* name);
/// The names of an object's own enumerable properties. Throws Error(invalid_option) if it is no object.
[[nodiscard]] napi_value keys_of(napi_env env, napi_value object, std::string_view what, std::uint32_t& count);
[[nodiscard]] napi_value element_of(napi_env env, napi_value array, std::uint32_t index);
[[nodiscard]] bool is_array(napi_env env, napi_value value);

[[nodiscard]] napi_value undefined(napi_env env);
[[nodiscard]] napi_value to_js(napi_env env, std::string_view text);
[[nodiscard]] napi_value to_js(napi_env env, double number);
[[nodiscard]] napi_value to_js(napi_env env, bool flag);
[[nodiscard]] napi_value number_to_js(napi_env env, std::uint64_t number);

/// The bytes of a Buffer, a typed array, a DataView, an ArrayBuffer, or of a string in UTF-8. They live as long as this object,
/// and until the next call into JavaScript.
class BytesOf {
 public:
  /// Throws Error(invalid_option) for a value of another type.
  BytesOf(napi_env env, napi_value value);
  BytesOf(const BytesOf&) = delete;
  BytesOf& operator=(const BytesOf&) = delete;
  ~BytesOf() = default;
  [[nodiscard]] Bytes bytes() const noexcept { return {data_, size_}; }

 private:
  void read_string(napi_env env, napi_value value);

  const void* data_ = nullptr;
  std::size_t size_ = 0;
  std::array<char, 1024> short_text_;
  std::string long_text_;
};

/// Memory of a Buffer, a typed array or an ArrayBuffer, to be written to. Throws Error(invalid_option).
[[nodiscard]] std::span<std::byte> writable(napi_env env, napi_value value, std::string_view what);

/// An object that is being filled.
class Object {
 public:
  explicit Object(napi_env env);
  Object& set(const char* name, napi_value value);
  Object& set(const char* name, std::string_view text) { return set(name, to_js(env_, text)); }
  Object& set(const char* name, const std::string& text) { return set(name, std::string_view(text)); }
  Object& set(const char* name, const char* text) { return set(name, std::string_view(text)); }
  Object& set(const char* name, double number) { return set(name, to_js(env_, number)); }
  Object& set(const char* name, bool flag) { return set(name, to_js(env_, flag)); }
  Object& set(const char* name, std::uint64_t number) { return set(name, number_to_js(env_, number)); }
  Object& set(const char* name, unsigned number) { return set(name, std::uint64_t{number}); }
  Object& set(const char* name, int number) { return set(name, static_cast<double>(number)); }
  /// A method whose function gets `data` (Arguments::data).
  Object& method(const char* name, napi_callback function, void* data);
  [[nodiscard]] napi_value value() const noexcept { return object_; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
};

/// An array of `convert(each)` for each element of `range`.
template <class Range, class Convert>
[[nodiscard]] napi_value array_of(napi_env env, const Range& range, const Convert& convert) {
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, std::size(range), &array));
  std::uint32_t index = 0;
  for (const auto& each : range) check(env, napi_set_element(env, array, index++, convert(each)));
  return array;
}

}  // namespace beltway::node
