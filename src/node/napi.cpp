#include "node/napi.hpp"

#include <cmath>
#include <new>

#include "node/environment.hpp"

namespace beltway::node {

namespace {

[[noreturn]] void wrong_type(std::string_view what, std::string_view wanted) {
  throw Error(Errc::invalid_option, std::string(what) + " takes " + std::string(wanted));
}

}  // namespace

void check(napi_env env, napi_status status) {
  if (status == napi_ok) [[likely]]
    return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending && status != napi_pending_exception) {
    const napi_extended_error_info* info = nullptr;
    napi_get_last_error_info(env, &info);
    const char* const text = info != nullptr && info->error_message != nullptr ? info->error_message : "unknown";
    napi_throw_error(env, nullptr, (std::string("beltway: Node-API: ") + text).c_str());
  }
  throw PendingException();
}

std::string_view name_of(Errc code) noexcept {
  constexpr std::array<std::string_view, 16> k_names{"invalid_option", "not_found", "already_exists", "no_permission",
                                                     "limit_reached",  "too_large", "removed",        "evicted",
                                                     "no_daemon",      "protocol",  "incompatible",   "wrong_type",
                                                     "forked",         "misuse",    "system",         "interrupted"};
  const auto index = static_cast<std::size_t>(code) - 1;
  return index < k_names.size() ? k_names[index] : "unknown";
}

napi_value make_error(napi_env env, std::string_view code, std::string_view message) noexcept {
  Environment* const environment = Environment::of(env);
  napi_value maker = nullptr;
  napi_value receiver = nullptr;
  std::array<napi_value, 2> arguments{};
  napi_value error = nullptr;
  napi_create_string_utf8(env, code.data(), code.size(), &arguments[0]);
  napi_create_string_utf8(env, message.data(), message.size(), &arguments[1]);
  if (environment == nullptr || environment->error_maker() == nullptr) {
    napi_create_error(env, arguments[0], arguments[1], &error);
    return error;
  }
  napi_get_reference_value(env, environment->error_maker(), &maker);
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, maker, arguments.size(), arguments.data(), &error);
  return error;
}

void raise_current_exception(napi_env env) noexcept {
  napi_value error = nullptr;
  try {
    throw;
  } catch (const PendingException&) {
    return;
  } catch (const Error& failure) {
    error = make_error(env, name_of(failure.reason()), failure.what());
  } catch (const std::bad_alloc&) {
    error = make_error(env, "limit_reached", "beltway: out of memory");
  } catch (const std::exception& failure) {
    error = make_error(env, "system", failure.what());
  }
  if (error != nullptr) napi_throw(env, error);
}

napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  check(env, napi_typeof(env, value, &type));
  return type;
}

bool is_given(napi_env env, napi_value value) {
  const napi_valuetype type = type_of(env, value);
  return type != napi_undefined && type != napi_null;
}

std::string string_of(napi_env env, napi_value value, std::string_view what) {
  if (type_of(env, value) != napi_string) wrong_type(what, "a string");
  std::size_t size = 0;
  check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &size));
  std::string text(size, '\0');
  check(env, napi_get_value_string_utf8(env, value, text.data(), size + 1, &size));
  return text;
}

double number_of(napi_env env, napi_value value, std::string_view what) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || std::isnan(number)) wrong_type(what, "a number");
  return number;
}

bool boolean_of(napi_env env, napi_value value, std::string_view what) {
  bool flag = false;
  if (napi_get_value_bool(env, value, &flag) != napi_ok) wrong_type(what, "true or false");
  return flag;
}

std::uint64_t whole_number_of(napi_env env, napi_value value, std::string_view what) {
  constexpr double k_limit = 9007199254740992.0;  // 2^53
  if (type_of(env, value) == napi_bigint) {
    std::uint64_t number = 0;
    bool is_exact = false;
    check(env, napi_get_value_bigint_uint64(env, value, &number, &is_exact));
    if (!is_exact) wrong_type(what, "a BigInt from 0 to 2^64 - 1");
    return number;
  }
  double number = -1;
  napi_get_value_double(env, value, &number);
  if (!(number >= 0 && number <= k_limit && std::floor(number) == number)) wrong_type(what, "a whole number from 0 on");
  return static_cast<std::uint64_t>(number);
}

napi_value property_of(napi_env env, napi_value object, const char* name) {
  napi_value value = nullptr;
  check(env, napi_get_named_property(env, object, name, &value));
  return value;
}

napi_value keys_of(napi_env env, napi_value object, std::string_view what, std::uint32_t& count) {
  if (type_of(env, object) != napi_object) wrong_type(what, "an object");
  napi_value keys = nullptr;
  check(env, napi_get_all_property_names(env, object, napi_key_own_only,
                                         static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols),
                                         napi_key_numbers_to_strings, &keys));
  check(env, napi_get_array_length(env, keys, &count));
  return keys;
}

napi_value element_of(napi_env env, napi_value array, std::uint32_t index) {
  napi_value value = nullptr;
  check(env, napi_get_element(env, array, index, &value));
  return value;
}

bool is_array(napi_env env, napi_value value) {
  bool is = false;
  check(env, napi_is_array(env, value, &is));
  return is;
}

napi_value undefined(napi_env env) {
  napi_value value = nullptr;
  check(env, napi_get_undefined(env, &value));
  return value;
}
napi_value to_js(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  check(env, napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}
napi_value to_js(napi_env env, double number) {
  napi_value value = nullptr;
  check(env, napi_create_double(env, number, &value));
  return value;
}
napi_value to_js(napi_env env, bool flag) {
  napi_value value = nullptr;
  check(env, napi_get_boolean(env, flag, &value));
  return value;
}
napi_value number_to_js(napi_env env, std::uint64_t number) { return to_js(env, static_cast<double>(number)); }

BytesOf::BytesOf(napi_env env, napi_value value) {
  // In the order of what is most usual: a Buffer is a typed array.
  napi_typedarray_type kind{};
  void* data = nullptr;
  std::size_t count = 0;
  if (napi_get_typedarray_info(env, value, &kind, &count, &data, nullptr, nullptr) == napi_ok) [[likely]] {
    constexpr std::array<std::size_t, 11> k_element_bytes{1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    data_ = data;
    size_ = count * k_element_bytes[static_cast<std::size_t>(kind)];
  } else if (type_of(env, value) == napi_string) {
    read_string(env, value);
  } else if (napi_get_arraybuffer_info(env, value, &data, &count) == napi_ok ||
             napi_get_dataview_info(env, value, &count, &data, nullptr, nullptr) == napi_ok) {
    data_ = data;
    size_ = count;
  } else {
    wrong_type("a message", "a Buffer, a typed array, an ArrayBuffer or a string");
  }
}

void BytesOf::read_string(napi_env env, napi_value value) {
  check(env, napi_get_value_string_utf8(env, value, short_text_.data(), short_text_.size(), &size_));
  data_ = short_text_.data();
  // A character of UTF-8 has 4 bytes at most: with so little room left the text may have been cut.
  if (size_ + 4 < short_text_.size()) return;
  long_text_ = string_of(env, value, "a message");
  data_ = long_text_.data();
  size_ = long_text_.size();
}

std::span<std::byte> writable(napi_env env, napi_value value, std::string_view what) {
  napi_typedarray_type kind{};
  void* data = nullptr;
  std::size_t size = 0;
  const bool is_bytes = napi_get_typedarray_info(env, value, &kind, &size, &data, nullptr, nullptr) == napi_ok &&
                        (kind == napi_uint8_array || kind == napi_int8_array || kind == napi_uint8_clamped_array);
  if (!is_bytes && napi_get_arraybuffer_info(env, value, &data, &size) != napi_ok)
    wrong_type(what, "a Buffer, a Uint8Array or an ArrayBuffer");
  return {static_cast<std::byte*>(data), size};
}

Object::Object(napi_env env) : env_(env) { check(env, napi_create_object(env, &object_)); }

Object& Object::set(const char* name, napi_value value) {
  check(env_, napi_set_named_property(env_, object_, name, value));
  return *this;
}

Object& Object::method(const char* name, napi_callback function, void* data) {
  napi_value value = nullptr;
  check(env_, napi_create_function(env_, name, NAPI_AUTO_LENGTH, function, data, &value));
  return set(name, value);
}

}  // namespace beltway::node
