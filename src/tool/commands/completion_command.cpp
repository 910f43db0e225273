// `beltway completion bash` prints a script for the shell. The script asks `beltway completion words`, so that it knows the
// commands, options and names of the program that is installed.
#include <sys/time.h>
#include <unistd.h>
#include <csignal>

#include <memory>

#include "tool/commands/commands.hpp"
#include "tool/commands/completion.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

constexpr const char* k_bash_script = R"(# bash completion of beltway; made by `beltway completion bash`.
_beltway() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      @files) compopt -o default 2>/dev/null ;;
      ?*) COMPREPLY+=("$line") ;;
    esac
  done < <("${COMP_WORDS[0]}" completion words -- "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null </dev/null)
  # A word of which "=" is a part is completed behind it.
  case "${COMP_WORDS[COMP_CWORD]}" in *=*) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _beltway beltway
)";

/// A person waits for the answer of the key.
constexpr suseconds_t k_patience_us = 500'000;

void end_quietly(int /*signal*/) { _exit(0); }

/// From here on, the process ends by itself after a while, without a word: a daemon that does not answer is no reason to hang.
void limit_time() {
  std::signal(SIGALRM, end_quietly);
  itimerval timer{};
  timer.it_value.tv_usec = k_patience_us;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

/// Those of the daemon that answers, if one does.
std::vector<QueueInfo> living_queues(const std::string& socket) {
  try {
    return Connection::open({.socket = socket, .start_daemon = false}).list();
  } catch (const Error&) {
    return {};
  }
}

/// `words`: the index of the word in question, then the words of the line.
ExitCode complete(const CommandDescription& all, const std::vector<std::string>& words) {
  if (words.empty()) return ExitCode::usage;
  limit_time();
  const std::optional<std::uint64_t> index = parse_count(words.front());
  if (!index) return ExitCode::usage;
  const CommandLine line{.words = {words.begin() + 1, words.end()}, .at = static_cast<std::size_t>(*index)};
  std::string text;
  for (const std::string& word : completions(all, line, &living_queues)) text += word + "\n";
  print(text);
  return ExitCode::done;
}

}  // namespace

void add_completion(Command& app, Globals& globals) {
  Command command = app.add_command("completion", "Print a script that lets a shell complete commands and names");
  command.require_command();
  Command bash = command.add_command("bash", "The script for bash");
  bash.footer(
      "Example:\n  source <(beltway completion bash)\nIt completes names of queues and groups, and starts no daemon.");
  bash.on_parsed([&globals] {
    globals.action = [] {
      print(k_bash_script);
      return ExitCode::done;
    };
  });
  Command words = command.add_command("words", "What may stand there; the script asks for it");
  const auto line = std::make_shared<std::vector<std::string>>();
  words.add_texts("WORD", *line, "Behind \"--\": the index of the word in question, and the words of the line");
  words.on_parsed([&globals, app, line] { globals.action = [app, line] { return complete(app.describe(), *line); }; });
}

}  // namespace beltway::tool
