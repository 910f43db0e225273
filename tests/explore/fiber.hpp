// Threads of the explorer: stacks that one thread switches between, so that a schedule is a list of choices and nothing else.
//
// Switching is _setjmp and _longjmp, which make no system call; ucontext only makes the stack, once. A stack can be
// started over at any moment, whatever was running on it: that is how a killed actor ends, without unwinding.
// Sanitizers do not know such stacks: these programs are not built with them.
//
// Thread safety: all of one thread.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <memory>

namespace beltway::explore {

/// A place to go on from.
struct Context {
  std::jmp_buf place;
};

/// Leaves at `from` and goes on at `to`; returns when somebody switches to `from`.
void switch_context(Context& from, Context& to) noexcept;

class Stack {
 public:
  /// `body` runs at each start, must never return, and must not be left by an exception.
  explicit Stack(void (*body)());
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  /// Switch here to run the body from its beginning.
  [[nodiscard]] Context& beginning() noexcept { return beginning_; }

 private:
  static void enter();

  void (*body_)();
  std::unique_ptr<std::byte[]> memory_;
  Context beginning_{};
};

}  // namespace beltway::explore
