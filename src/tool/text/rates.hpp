// How fast a queue moves: the difference of two snapshots.
#pragma once

#include <chrono>

#include "beltway/info.hpp"
#include "tool/text/json.hpp"

namespace beltway::tool {

/// Sums over all endpoints, those that are gone included.
struct Flow {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  std::uint64_t wakes = 0;
  std::uint64_t sleeps = 0;
};
[[nodiscard]] Flow flow_of(const QueueSnapshot& snapshot) noexcept;

/// The same, a second.
struct Rates {
  double messages_in = 0;
  double bytes_in = 0;
  double messages_out = 0;
  double bytes_out = 0;
  double refused = 0;
  double lost = 0;
  double wakes = 0;
  double sleeps = 0;
};
/// 0 where a number went back, as it may when an endpoint's counters move to the totals between two snapshots.
[[nodiscard]] Rates rates_between(const Flow& before, const Flow& after,
                                  std::chrono::duration<double> elapsed) noexcept;

[[nodiscard]] Json to_json(const Rates& rates);

}  // namespace beltway::tool
