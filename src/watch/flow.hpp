// How fast a queue moves: the difference of two snapshots.
#pragma once

#include <chrono>
#include <cstdint>

#include "beltway/info.hpp"
#include "watch/json.hpp"

namespace beltway::watch {

template <class Number>
struct FlowOf {
  Number messages_in = 0;
  Number bytes_in = 0;
  Number messages_out = 0;
  Number bytes_out = 0;
  Number refused = 0;
  Number lost = 0;
  Number wakes = 0;
  Number sleeps = 0;
};

/// Sums over all endpoints, also endpoints that are gone.
using Flow = FlowOf<std::uint64_t>;
[[nodiscard]] Flow flow_of(const QueueSnapshot& snapshot) noexcept;

/// The same numbers for each second.
using FlowRates = FlowOf<double>;
/// 0 where a number went back, as it may when an endpoint's counters move to the totals between two snapshots.
[[nodiscard]] FlowRates rates_between(const Flow& before, const Flow& after,
                                      std::chrono::duration<double> elapsed) noexcept;

[[nodiscard]] Json to_json(const FlowRates& rates);

}  // namespace beltway::watch
