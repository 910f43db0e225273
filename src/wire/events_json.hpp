// Events as the protocol and the daemon's journal say them. Members that do not apply are left out, and unknown ones ignored.
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "beltway/events.hpp"

namespace beltway::wire {

/// `text` and `command` of a process are written as UTF-8; what is none becomes "?".
[[nodiscard]] nlohmann::json encode(const Event& event);
[[nodiscard]] nlohmann::json encode(const EventPage& page);

/// Checked as if a stranger had written it. Throws Error(protocol).
[[nodiscard]] Event decode_event(const nlohmann::json& object, const std::string& context);
[[nodiscard]] EventPage decode_event_page(const nlohmann::json& object, const std::string& context);

/// The text for people in ASCII, at most so many bytes: other bytes become "?".
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes);

}  // namespace beltway::wire
