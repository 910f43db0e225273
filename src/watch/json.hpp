// The JSON shapes of queues and daemons. ../tool/README.md documents them: keys may be added, none changes its meaning or goes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/connection.hpp"
#include "beltway/info.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// Keys stay in the order of the documentation.
using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const Connection::DaemonInfo& daemon);
[[nodiscard]] Json to_json(const QueueInfo& info);
[[nodiscard]] Json to_json(const EndpointInfo& endpoint);
[[nodiscard]] Json to_json(const QueueSnapshot& snapshot);

[[nodiscard]] Json to_json(const Verdict& verdict);
[[nodiscard]] Json to_json(const std::vector<Verdict>& verdicts);
/// The verdicts on a queue as `causes` of `show --format json`.
[[nodiscard]] Json causes_json(const std::vector<Verdict>& verdicts);
[[nodiscard]] Json to_json(const Rates& rates);
[[nodiscard]] Json to_json(const QueueView& view);
/// {daemon, daemon_answers, daemon_gone_for_ns, queues, bridges, verdicts, rates, shared_bytes}
[[nodiscard]] Json to_json(const Fleet& fleet);
/// The object of `show --format json`, and view, endpoints_view, strip, history, age_counts.
[[nodiscard]] Json to_json(const QueueDetail& detail);

/// One line of it, as everything that the tool prints as JSON.
[[nodiscard]] std::string json_line(const Json& json);

[[nodiscard]] std::string_view name_of(SleepState state) noexcept;
[[nodiscard]] std::string_view name_of(WaitsFor what) noexcept;
[[nodiscard]] std::string_view name_of(SlotLook look) noexcept;

}  // namespace beltway::watch
