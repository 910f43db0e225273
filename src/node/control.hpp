// The calls to the daemon: functions of the native module that take a handle of a connection or of a queue and give a promise.
//
// Thread safety: the thread of the environment alone. The work itself runs in threads of libuv's pool.
#pragma once

#include <node_api.h>

namespace beltway::node {

/// Adds `connect` and the calls of connections and queues to the module's exports.
void add_control_calls(napi_env env, napi_value exports);

}  // namespace beltway::node
