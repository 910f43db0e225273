// The JSON shapes of the tool. README.md documents them: keys may be added, none changes its meaning or goes.
#pragma once

#include <nlohmann/json.hpp>

#include "beltway/connection.hpp"
#include "beltway/info.hpp"
#include "beltway/message.hpp"
#include "tool/text/digest.hpp"

namespace beltway::tool {

/// Keys stay in the order of the documentation.
using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const Connection::DaemonInfo& daemon);
[[nodiscard]] Json to_json(const QueueInfo& info);
[[nodiscard]] Json to_json(const EndpointInfo& endpoint);
[[nodiscard]] Json to_json(const QueueSnapshot& snapshot);
[[nodiscard]] Json to_json(const Message& message);
[[nodiscard]] Json to_json(const PeekedMessage& message);
[[nodiscard]] Json to_json(const Digest& digest);

/// One line of it, as everything that the tool prints as JSON.
[[nodiscard]] std::string json_line(const Json& json);

[[nodiscard]] std::string_view name_of(SleepState state) noexcept;
[[nodiscard]] std::string_view name_of(WaitsFor what) noexcept;

}  // namespace beltway::tool
