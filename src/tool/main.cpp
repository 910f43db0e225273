// The `beltway` command: see commands.hpp for its parts and README.md for its promises.
#include "tool/commands/run.hpp"

int main(int argc, char** argv) { return beltway::tool::run(argc, argv); }
