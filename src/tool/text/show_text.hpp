// A queue's state as `show` prints it for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "tool/text/causes.hpp"
#include "tool/text/rates.hpp"

namespace beltway::tool {

/// `now_ns`: CLOCK_MONOTONIC of the snapshot, for times that go on.
[[nodiscard]] std::string show_text(const QueueSnapshot& snapshot, const std::vector<Cause>& causes,
                                    const std::optional<Rates>& rates, std::uint64_t now_ns);

}  // namespace beltway::tool
