// The heap of one execution. An execution is abandoned in the middle (actors are killed, or sleep for ever), so nothing
// that it allocated is freed by those who own it: while an arena is on, operator new takes from it, and the next execution
// starts it over. What must live longer is made while it is off.
//
// Thread safety: all of one thread. Linking arena.cpp replaces operator new and delete of the whole program.
#pragma once

namespace beltway::explore {

class ArenaScope {
 public:
  /// Forgets what earlier executions allocated.
  ArenaScope() noexcept;
  ~ArenaScope();
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;
};

}  // namespace beltway::explore
