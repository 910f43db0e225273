// See stepper.hpp.
#include "stepper.hpp"

#include <signal.h>
#include <ucontext.h>

#include <cerrno>
#include <cstdlib>

namespace beltway::crash {

namespace {

constexpr std::uint64_t k_trap_flag = 0x100;

struct Frame {
  FunctionRef<Then(std::uint64_t)> hook;
  std::uint64_t count = 0;
  Frame* outer = nullptr;
};

Frame* current = nullptr;
std::uint64_t trap_count = 0;

void on_trap(int /*signal*/, siginfo_t* /*info*/, void* context) {
  ++trap_count;
  Frame* const frame = current;
  if (frame == nullptr) return;
  const int saved = errno;
  if (frame->hook(frame->count++) == Then::run_on) {
    auto& flags = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL];
    flags &= ~static_cast<greg_t>(k_trap_flag);
  }
  current = frame;
  errno = saved;
}

void install() {
  struct sigaction action{};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (sigaction(SIGTRAP, &action, nullptr) != 0) std::abort();
}

// Below the stack pointer lies the red zone, in which a function may keep its variables: step over it.
inline void set_trap_flag() noexcept {
  asm volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::: "memory", "cc");
}
inline void clear_trap_flag() noexcept {
  asm volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
                   : "memory", "cc");
}

}  // namespace

void step(FunctionRef<void()> actor, FunctionRef<Then(std::uint64_t)> hook) {
  static const bool installed = (install(), true);
  static_cast<void>(installed);
  Frame frame{hook, 0, current};
  current = &frame;
  set_trap_flag();
  actor();
  clear_trap_flag();
  current = frame.outer;
}

std::uint64_t steps() noexcept { return trap_count; }

}  // namespace beltway::crash
