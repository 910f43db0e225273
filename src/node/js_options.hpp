// Options between JavaScript objects and the structs of the library, by the one table of options (wire/options_schema.hpp). A
// name is that of the table in camel case, without its unit: `retry_delay_ms` is `retryDelay`, in milliseconds.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "beltway/options.hpp"

namespace beltway::node {

/// Of an option of the table: "retryDelay".
[[nodiscard]] std::string js_name_of(std::string_view name);

/// Reads an object; undefined and null are no options. Throws Error(invalid_option) that names `operation` and the option for a
/// name that does not exist and a value of the wrong type. Ranges are checked by the call that takes the options.
/// `said`: gets the names of the options that the object has, as the table has them.
template <class Options>
[[nodiscard]] Options read_options(napi_env env, napi_value value, std::string_view operation,
                                   std::vector<std::string>* said = nullptr);
template <>
[[nodiscard]] ConnectionOptions read_options(napi_env env, napi_value value, std::string_view operation,
                                             std::vector<std::string>* said);

/// A name, or an object with `name` and options of a group.
[[nodiscard]] NamedGroup read_group(napi_env env, napi_value value, std::string_view operation);
/// "latest" or "oldest"; not given: latest.
[[nodiscard]] Start read_start(napi_env env, napi_value value, std::string_view what);

[[nodiscard]] napi_value options_to_js(napi_env env, const QueueOptions& options);

/// For tests: the names of each kind of options.
[[nodiscard]] napi_value option_names(napi_env env, napi_callback_info info);

}  // namespace beltway::node
