// What may stand at a place of a command line.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "tool/commands/command_tree.hpp"

namespace beltway::tool {

/// A command line that is being typed, as bash splits it: "=" is a word of its own.
struct CommandLine {
  std::vector<std::string> words;  ///< the program first
  std::size_t at = 0;              ///< the word in question, which may be empty
};

/// The words that begin as the one in question, and k_files if a file may stand there. `queues`: asks for those of the daemon
/// at a socket (empty: the usual one); called at most once, and only if names are needed.
[[nodiscard]] std::vector<std::string> completions(
    const CommandDescription& all, const CommandLine& line,
    const std::function<std::vector<QueueInfo>(const std::string&)>& queues);

inline constexpr const char* k_files = "@files";

[[nodiscard]] std::vector<std::string> names_of_queues(const std::vector<QueueInfo>& queues);

}  // namespace beltway::tool
