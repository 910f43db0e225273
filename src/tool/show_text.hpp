// A queue's state as `show` prints it for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "rates.hpp"

namespace beltway::tool {

/// `now_ns`: CLOCK_MONOTONIC, for "last progress ... ago".
[[nodiscard]] std::string show_text(const QueueSnapshot& snapshot, const std::optional<Rates>& rates,
                                    std::uint64_t now_ns);

/// What somebody should look at, a sentence each: slots claimed and not finished, a full ring and who holds it, lost
/// wakeups, scribbled messages.
[[nodiscard]] std::vector<std::string> troubles(const QueueSnapshot& snapshot);

}  // namespace beltway::tool
