// A queue's record as text, for the registry segment: JSON, so that the next version of the daemon can read what this one
// wrote (fields that it does not know are ignored, fields that are missing have their defaults).
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "records.hpp"

namespace beltway::daemon {

[[nodiscard]] std::string encode(const QueueRecord& record);

/// Throws Error(protocol, invalid_option) for what is no record. Checked as if a stranger had written it: a daemon of another
/// version is one. Sessions are not kept: connections end with the daemon.
[[nodiscard]] QueueRecord decode_record(std::string_view text);

}  // namespace beltway::daemon
