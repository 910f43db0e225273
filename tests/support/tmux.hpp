// A tmux server of the test's own, with one program in it: what a person types and sees.
// Thread safety: none; one thread at a time.
#pragma once

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "child.hpp"
#include "temp_dir.hpp"

namespace beltway::test {

class Tmux {
 public:
  /// True if this machine has tmux.
  [[nodiscard]] static bool is_here() { return std::system("command -v tmux >/dev/null 2>&1") == 0; }

  /// Starts the shell command in a window of this size. `/bin/sh` runs it.
  explicit Tmux(const std::string& command, unsigned columns = 80, unsigned rows = 24) {
    ok(call({"-f", dir_.write("tmux.conf", "set -g remain-on-exit on\nset -g status off\nset -sg escape-time 0\n"),
             "new-session", "-d", "-x", std::to_string(columns), "-y", std::to_string(rows), command}));
    server_ = std::stoi(told("#{pid}"));
  }
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;
  /// Ends the server and what runs in it.
  ~Tmux() {
    const int program = pid();
    (void)call({"kill-server"});
    // The program ends by SIGHUP when its terminal goes.
    for (const int each : {program, server_}) {
      if (!eventually([each] { return each <= 0 || ::kill(each, 0) != 0; })) ::kill(each, SIGKILL);
    }
  }

  /// Keys as tmux names them: "Enter", "Escape", "C-z", "Down"; other words are typed.
  void press(const std::vector<std::string>& keys) {
    std::vector<std::string> arguments{"send-keys"};
    arguments.insert(arguments.end(), keys.begin(), keys.end());
    ok(call(arguments));
  }
  void type(const std::string& text) { ok(call({"send-keys", "-l", text})); }
  void resize(unsigned columns, unsigned rows) {
    ok(call({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)}));
  }

  /// What is on the screen.
  [[nodiscard]] std::string screen() { return call({"capture-pane", "-p"}).out; }
  [[nodiscard]] bool shows(const std::string& text) {
    return eventually([&] { return screen().find(text) != std::string::npos; });
  }
  [[nodiscard]] bool hides(const std::string& text) {
    return eventually([&] { return screen().find(text) == std::string::npos; });
  }
  /// Waits for the end of the program. Returns its exit code; -1: it goes on, or a signal ended it. tmux 3.3 sometimes misses the
  /// end of its child: then /proc has the code.
  [[nodiscard]] int exit_code() {
    const std::string stat_file = "/proc/" + std::to_string(pid()) + "/stat";
    std::string status;
    int ended = -1;
    (void)eventually([&] {
      status = told("#{pane_dead_status}");
      std::string stat;
      std::getline(std::ifstream(stat_file), stat);
      if (stat.find(") Z ") != std::string::npos) ended = std::stoi(stat.substr(stat.rfind(' ') + 1));
      return !status.empty() || ended >= 0;
    });
    if (!status.empty()) return std::stoi(status);
    return ended >= 0 && WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  }
  [[nodiscard]] int pid() {
    const std::string text = told("#{pane_pid}");
    return text.empty() ? 0 : std::stoi(text);
  }

 private:
  Outcome call(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{"tmux", "-u", "-S", (dir_.path() / "tmux.sock").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv, {.environment = {{"TMUX", ""}, {"LC_ALL", "C.UTF-8"}, {"TERM", "screen"}}});
  }
  static void ok(const Outcome& outcome) {
    if (!outcome.exit.ok()) throw std::runtime_error("tmux: " + outcome.err);
  }
  std::string told(const std::string& format) {
    std::string text = call({"display-message", "-p", format}).out;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

  TempDir dir_;
  int server_ = 0;
};

}  // namespace beltway::test
