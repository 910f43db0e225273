// Interleavings in groups that keep only their newest messages: who drops, who leases, who sleeps. See explorer.hpp.
#include "run_scenarios.hpp"

namespace beltway::explore {

INSTANTIATE_TEST_SUITE_P(Dropping, Interleavings, testing::ValuesIn(drop_scenarios()), test_name);

}  // namespace beltway::explore
