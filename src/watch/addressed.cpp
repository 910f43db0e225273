// See addressed.hpp.
#include "watch/addressed.hpp"

#include <string_view>
#include <utility>

#include "base/shell_word.hpp"

namespace beltway::watch {

std::string addressed(std::string command, const std::string& socket) {
  static constexpr std::string_view k_tool = "beltway ";
  static constexpr std::string_view k_then = " && ";
  if (socket.empty()) return command;
  const std::string option = "--socket " + shell_word(socket) + " ";
  for (std::size_t at = 0;;) {
    const std::string_view rest = std::string_view(command).substr(at);
    if (rest.starts_with(k_tool) && !rest.substr(k_tool.size()).starts_with("--socket")) {
      command.insert(at + k_tool.size(), option);
      at += k_tool.size() + option.size();  // a socket's name is no place for a further command
    }
    const std::size_t next = command.find(k_then, at);
    if (next == std::string::npos) return command;
    at = next + k_then.size();
  }
}

void address_remedies(std::vector<Verdict>& verdicts, const std::string& socket) {
  if (socket.empty()) return;
  for (Verdict& verdict : verdicts) {
    for (Remedy& remedy : verdict.remedies) remedy.command = addressed(std::move(remedy.command), socket);
  }
}

}  // namespace beltway::watch
