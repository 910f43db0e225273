// The native module: what the files in lib/ load. Its functions are no interface for users.
#include <node_api.h>

#include "beltway/properties.hpp"
#include "beltway/version.hpp"
#include "node/control.hpp"
#include "node/environment.hpp"
#include "node/js_properties.hpp"
#include "node/napi.hpp"

namespace beltway::node {

namespace {

napi_value set_error_maker(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  Environment::of(env)->set_error_maker(arguments[0]);
  return nullptr;
}

/// Of a record: (array buffer, offset, size).
napi_value properties(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  const std::span<const std::byte> chunk = writable(env, arguments[0], "a chunk");
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  check(env, napi_get_value_uint32(env, arguments[1], &offset));
  check(env, napi_get_value_uint32(env, arguments[2], &size));
  if (offset > chunk.size() || size > chunk.size() - offset) return undefined(env);
  return properties_to_js(env, PropertiesView(chunk.subspan(offset, size)));
}

napi_value init(napi_env env, napi_value exports) noexcept {
  try {
    static_cast<void>(Environment::create(env));
    add_control_calls(env, exports);
    const auto add = [&](const char* name, napi_callback function) {
      napi_value value = nullptr;
      check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value));
      check(env, napi_set_named_property(env, exports, name, value));
    };
    add("setErrorMaker", guarded<set_error_maker>);
    add("properties", guarded<properties>);
    check(env, napi_set_named_property(env, exports, "version", to_js(env, k_version)));
  } catch (...) {
    raise_current_exception(env);
  }
  return exports;
}

}  // namespace

}  // namespace beltway::node

NAPI_MODULE_INIT() { return beltway::node::init(env, exports); }
