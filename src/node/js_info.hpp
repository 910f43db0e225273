// What can be known of a queue and of the daemon, as objects of JavaScript. Members have the names of include/beltway/info.hpp in
// camel case, times are milliseconds, and what is not known is absent.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>

#include "beltway/connection.hpp"
#include "beltway/events.hpp"
#include "beltway/info.hpp"

namespace beltway::node {

[[nodiscard]] napi_value info_to_js(napi_env env, const QueueInfo& info);
[[nodiscard]] napi_value snapshot_to_js(napi_env env, const QueueSnapshot& snapshot);
[[nodiscard]] napi_value daemon_to_js(napi_env env, const Connection::DaemonInfo& daemon);
[[nodiscard]] napi_value changes_to_js(napi_env env, const std::vector<OptionChange>& changes);
[[nodiscard]] napi_value purge_to_js(napi_env env, const PurgeResult& result);
[[nodiscard]] napi_value reset_to_js(napi_env env, const ResetResult& result);
[[nodiscard]] napi_value peeked_to_js(napi_env env, const std::vector<PeekedMessage>& messages);
[[nodiscard]] napi_value events_to_js(napi_env env, const EventPage& page);
[[nodiscard]] napi_value counters_to_js(napi_env env, const ProducerCounters& counters);
[[nodiscard]] napi_value counters_to_js(napi_env env, const ConsumerCounters& counters);

}  // namespace beltway::node
