// Runs a function in small steps and calls a hook after each, in the same thread: the hook may copy memory, run other code, or
// step another function in turn. Two ways, of which a program has one:
//
//   trap/    EFLAGS.TF makes the processor trap after each instruction of the optimised code (SIGTRAP)
//   access/  each access to a shared word is a step (access_atomics.hpp): coarser, and far cheaper
//
// Thread safety: none; one thread of the process steps. Stepped code must not be inside malloc when a hook allocates:
// the hot paths that are stepped here allocate nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace beltway::crash {

/// A reference to a callable, so that stepping itself allocates nothing.
template <class Signature>
class FunctionRef;
template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>)
  FunctionRef(Callable&& callable) noexcept  // NOLINT: implicit by design
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Args... args) -> Result {
          return (*static_cast<std::remove_reference_t<Callable>*>(object))(args...);
        }) {}
  Result operator()(Args... args) const { return call_(object_, args...); }

 private:
  void* object_;
  Result (*call_)(void*, Args...);
};

/// What the hook wants next.
enum class Then : std::uint8_t { step, run_on };

/// Runs `actor`; after its n-th step (from 0) calls hook(n), until the hook says run_on: then the actor finishes at full
/// speed. A hook may call step() itself.
void step(FunctionRef<void()> actor, FunctionRef<Then(std::uint64_t)> hook);

/// Steps since the program began.
[[nodiscard]] std::uint64_t steps() noexcept;

}  // namespace beltway::crash
