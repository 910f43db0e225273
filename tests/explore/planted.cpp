#include "planted.hpp"

#include <cstring>

namespace beltway::explore {

const char* planted_bug = nullptr;

bool planted(const char* name) noexcept { return planted_bug != nullptr && std::strcmp(planted_bug, name) == 0; }

}  // namespace beltway::explore
