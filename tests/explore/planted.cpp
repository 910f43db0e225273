#include "planted.hpp"

namespace beltway::explore {

const char* planted_bug = nullptr;

}  // namespace beltway::explore
