// See confirm.hpp.
#include "tool/process/confirm.hpp"

#include <unistd.h>

#include <iostream>

namespace beltway::tool {

bool confirmed(const std::string& question) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return true;
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return !answer.empty() && (answer.front() == 'y' || answer.front() == 'Y');
}

}  // namespace beltway::tool
