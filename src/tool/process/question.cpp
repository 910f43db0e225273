#include "tool/process/question.hpp"

#include <unistd.h>

#include <cerrno>
#include <iostream>

namespace beltway::tool {

bool can_ask() noexcept { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

bool ask(const std::string& question) {
  std::cerr << "beltway: " << question << " [y/N] " << std::flush;
  std::string answer;
  for (char letter = 0;;) {
    const ssize_t got = read(STDIN_FILENO, &letter, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got != 1 || letter == '\n') break;
    answer += letter;
  }
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace beltway::tool
