// A question to the person at the terminal.
#pragma once

#include <string>

namespace beltway::tool {

/// True if a person can be asked: standard input and standard error are a terminal. A script is never asked.
[[nodiscard]] bool can_ask() noexcept;

/// Writes "question [y/N] " to standard error and reads a line of standard input. True for "y" and "yes" alone.
[[nodiscard]] bool ask(const std::string& question);

}  // namespace beltway::tool
