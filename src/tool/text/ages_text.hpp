// How old messages are, for people; and times that people give.
// Thread safety: pure functions, but for reading a clock.
#pragma once

#include <optional>
#include <string>

#include "beltway/info.hpp"

namespace beltway::tool {

/// A table of groups and private consumers whose messages have stamps or expire; empty: there are none.
[[nodiscard]] std::string ages_text(const QueueSnapshot& snapshot, std::size_t indent, std::size_t width = 0);

/// "2026-11-29T08:00:00Z", "2026-11-29 08:00" (local time), or an age ("10m": ten minutes ago). Nothing: it is none of these.
[[nodiscard]] std::optional<PublishTime> parse_time(const std::string& text);

}  // namespace beltway::tool
