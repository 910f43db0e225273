// Interleavings of parked messages: who parks them, who goes around them, who ends them. See explorer.hpp.
#include "run_scenarios.hpp"

namespace beltway::explore {

INSTANTIATE_TEST_SUITE_P(Parking, Interleavings, testing::ValuesIn(parking_scenarios()), test_name);

}  // namespace beltway::explore
