// See looks.hpp.
#include "looks.hpp"

// Compiled with shadow stacks: a return must go where it was called from.
#if defined(__CET__) && (__CET__ & 2) != 0
#define BELTWAY_SHADOW_STACK 1
#endif
// Tests' words want to know of each look.
#if defined(__x86_64__) && !defined(BELTWAY_SHADOW_STACK) && !defined(BELTWAY_ATOMICS_HEADER)
#define BELTWAY_EAGER_LOOKS 1
#endif

namespace beltway {

bool look_plainly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept {
  for (; looks != 0; --looks) {
    if ((state.load_relaxed() & mask) == wanted) return true;
    short_pause();
  }
  return false;
}

#ifdef BELTWAY_EAGER_LOOKS

namespace {
// In registers: rdi the word's address, rsi the mask, rdx what is wanted, ecx how often; eax the result.
[[gnu::naked, gnu::noinline]] bool look(const Word*, std::uint64_t, std::uint64_t, unsigned) noexcept {
  asm("1:\n\t"
      "call 4f\n"
      "2:\n\t"  // the processor believes that it goes on here
      "mov $1, %eax\n\t"
      "ret\n"
      "3:\n\t"  // and comes here when it knows that nothing was there
      "sub $1, %ecx\n\t"
      "jne 1b\n\t"
      "xor %eax, %eax\n\t"
      "ret\n"
      "4:\n\t"
      ".cfi_adjust_cfa_offset 8\n\t"
      "lea 3b(%rip), %r8\n\t"
      "lea 2b(%rip), %r9\n\t"
      "mov (%rdi), %rax\n\t"
      "and %rsi, %rax\n\t"
      "cmp %rdx, %rax\n\t"
      "cmove %r9, %r8\n\t"
      "mov %r8, (%rsp)\n\t"
      "ret\n\t"
      ".cfi_adjust_cfa_offset -8");
}
}  // namespace

bool look_eagerly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept {
  return look(&state, mask, wanted, looks);
}

#else

bool look_eagerly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept {
  return look_plainly(state, mask, wanted, looks);
}

#endif

}  // namespace beltway
