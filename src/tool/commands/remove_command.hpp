// `group remove`, which `group` adds among its other commands.
#pragma once

#include "tool/commands/commands.hpp"

namespace beltway::tool {

void add_group_remove(Command& group, Globals& globals);

}  // namespace beltway::tool
