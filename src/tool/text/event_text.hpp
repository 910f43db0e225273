// Events for people and for programs: one line each. Thread safety: pure functions, but for the local time zone.
#pragma once

#include <string>

#include "beltway/events.hpp"
#include "tool/text/message_json.hpp"

namespace beltway::tool {

/// "2026-11-29T18:42:12.123 #17 orders: evicted: consumer 2 of group billing, process 4711 (worker): why", without its end. Times
/// are local.
[[nodiscard]] std::string event_text(const Event& event);

/// All members of the event; null: does not apply.
[[nodiscard]] Json to_json(const Event& event);

}  // namespace beltway::tool
