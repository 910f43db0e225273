// A bench's result as text and as JSON.
#pragma once

#include <string>

#include "tool/bench/bench_plan.hpp"
#include "tool/bench/bench_shared.hpp"
#include "tool/text/message_json.hpp"

namespace beltway::tool {

[[nodiscard]] Json bench_json(const BenchPlan& plan, const QueueOptions& queue, const BenchShared& results);
[[nodiscard]] std::string bench_text(const BenchPlan& plan, const QueueOptions& queue, const BenchShared& results);

/// The middle of the values, the lower one of two; 0 if there are none.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace beltway::tool
