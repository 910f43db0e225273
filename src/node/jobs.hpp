// Calls that may block (requests to the daemon), made by a thread of libuv's pool. Each gives a promise.
#pragma once

#include <node_api.h>

#include <functional>

namespace beltway::node {

/// Makes the value of the promise, in the thread of the environment. It may throw Error.
using Answer = std::function<napi_value(napi_env)>;

/// Runs `work` in a thread of the pool. The promise gets the value of its answer, or the Error that it or its answer threw.
/// Thread safety: the thread of the environment; `work` must use nothing of Node-API.
[[nodiscard]] napi_value run_job(napi_env env, std::function<Answer()> work);

}  // namespace beltway::node
