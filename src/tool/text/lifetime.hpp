// How long a queue lasts, for people.
// Thread safety: pure functions, but for looking into /proc.
#pragma once

#include <string>

#include "beltway/info.hpp"

namespace beltway::tool {

/// "as long as process 123 name; until it is unused for 30 s, which is in 12 s". Empty: until it is removed.
[[nodiscard]] std::string lifetime_text(const QueueInfo& info);

/// "process 123, unused 30 s (in 12 s)"; "-": until it is removed.
[[nodiscard]] std::string lifetime_cell(const QueueInfo& info);

}  // namespace beltway::tool
