// Interleavings of leases, and of the removal of groups and the end of streams. See explorer.hpp.
#include "run_scenarios.hpp"

namespace beltway::explore {

INSTANTIATE_TEST_SUITE_P(Groups, Interleavings, testing::ValuesIn(group_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(LeaseTimeouts, Interleavings, testing::ValuesIn(lease_timeout_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Delays, Interleavings, testing::ValuesIn(delay_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Healing, Interleavings, testing::ValuesIn(heal_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(LiveGroups, Interleavings, testing::ValuesIn(live_group_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Operators, Interleavings, testing::ValuesIn(operator_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Removal, Interleavings, testing::ValuesIn(removal_scenarios()), test_name);

}  // namespace beltway::explore
