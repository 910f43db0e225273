// All scenarios, in families of one file each.
#pragma once

#include <vector>

#include "explorer.hpp"

namespace beltway::explore {

[[nodiscard]] std::vector<Scenario> ring_scenarios();
[[nodiscard]] std::vector<Scenario> join_scenarios();
[[nodiscard]] std::vector<Scenario> lane_scenarios();
[[nodiscard]] std::vector<Scenario> group_scenarios();
[[nodiscard]] std::vector<Scenario> removal_scenarios();
[[nodiscard]] std::vector<Scenario> live_group_scenarios();
[[nodiscard]] std::vector<Scenario> sleep_scenarios();
[[nodiscard]] std::vector<Scenario> room_scenarios();
[[nodiscard]] std::vector<Scenario> heal_scenarios();
[[nodiscard]] std::vector<Scenario> property_scenarios();
[[nodiscard]] std::vector<Scenario> stamp_scenarios();
[[nodiscard]] std::vector<Scenario> delay_scenarios();
[[nodiscard]] std::vector<Scenario> lease_timeout_scenarios();
[[nodiscard]] std::vector<Scenario> parking_scenarios();
[[nodiscard]] std::vector<Scenario> drop_scenarios();
[[nodiscard]] std::vector<Scenario> operator_scenarios();
[[nodiscard]] std::vector<Scenario> newest_scenarios();

}  // namespace beltway::explore
