// The terminal behind the screen: shows pictures, reads keys. curses_terminal.cpp implements it.
// Thread safety: one thread.
#pragma once

#include <memory>
#include <vector>

#include "tool/top/styled_grid.hpp"
#include "tool/top/top_state.hpp"

namespace beltway::tool {

class Terminal {
 public:
  Terminal() = default;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  /// Gives the terminal back as it was.
  virtual ~Terminal() = default;

  /// As the kernel says now.
  [[nodiscard]] virtual Size size() = 0;
  [[nodiscard]] virtual Charset charset() const = 0;
  virtual void show(const Grid& grid) = 0;
  /// Forgets what it has shown: others wrote to the terminal.
  virtual void forget() = 0;
  /// All keys that have been pressed. Does not wait.
  [[nodiscard]] virtual std::vector<Key> read_keys() = 0;
  /// Gives the terminal back for a while; show() takes it again.
  virtual void release() = 0;
};

/// True if this build has a screen.
[[nodiscard]] bool has_screen() noexcept;
/// Takes the terminal of standard input and output. Throws Failure if there is none, or if its type is not known; the message
/// says what to do.
[[nodiscard]] std::unique_ptr<Terminal> open_terminal();

}  // namespace beltway::tool
