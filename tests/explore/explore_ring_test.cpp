// Interleavings of claims, joins, lanes and lossy readers. See explorer.hpp.
#include "run_scenarios.hpp"

namespace beltway::explore {

INSTANTIATE_TEST_SUITE_P(Ring, Interleavings, testing::ValuesIn(ring_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Join, Interleavings, testing::ValuesIn(join_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Lane, Interleavings, testing::ValuesIn(lane_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Newest, Interleavings, testing::ValuesIn(newest_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Stamps, Interleavings, testing::ValuesIn(stamp_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Properties, Interleavings, testing::ValuesIn(property_scenarios()), test_name);

}  // namespace beltway::explore
