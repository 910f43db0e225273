// The whole command: parse, run, and turn what happened into an exit code.
#pragma once

namespace beltway::tool {

int run(int argc, char** argv);

}  // namespace beltway::tool
