// A queue's state as `show` prints it, for people and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "watch/flow.hpp"
#include "watch/json.hpp"
#include "watch/model.hpp"

namespace beltway::tool {

/// `now_ns`: CLOCK_MONOTONIC of the snapshot, for times that go on. `width`: columns of a line, 0: no limit.
[[nodiscard]] std::string show_text(const QueueSnapshot& snapshot, const std::vector<watch::Verdict>& verdicts,
                                    const std::optional<watch::FlowRates>& rates, std::uint64_t now_ns,
                                    std::size_t width = 0);

/// The object of `show --format json`.
[[nodiscard]] watch::Json show_json(const QueueSnapshot& snapshot, const std::vector<watch::Verdict>& verdicts,
                                    const std::optional<watch::FlowRates>& rates);

}  // namespace beltway::tool
