// Producers and consumers as the JavaScript side sees them: objects whose functions belong to one endpoint.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>

#include "beltway/consumer.hpp"
#include "beltway/options.hpp"
#include "beltway/producer.hpp"

namespace beltway::node {

/// Made by the thread of the environment of an endpoint that another thread may have attached. Throws Error.
[[nodiscard]] napi_value producer_to_js(napi_env env, Producer producer);
[[nodiscard]] napi_value consumer_to_js(napi_env env, Consumer consumer, const ConsumerOptions& options);

}  // namespace beltway::node
