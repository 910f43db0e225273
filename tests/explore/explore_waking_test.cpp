// Interleavings of sleeping and waking, on both sides. See explorer.hpp.
#include "run_scenarios.hpp"

namespace beltway::explore {

INSTANTIATE_TEST_SUITE_P(Sleep, Interleavings, testing::ValuesIn(sleep_scenarios()), test_name);
INSTANTIATE_TEST_SUITE_P(Room, Interleavings, testing::ValuesIn(room_scenarios()), test_name);

}  // namespace beltway::explore
