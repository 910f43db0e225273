// See speculative_spin.hpp.
#include "waiting/speculative_spin.hpp"

// Compiled with shadow stacks: a return must go where it was called from.
#if defined(__CET__) && (__CET__ & 2) != 0
#define BELTWAY_SHADOW_STACK 1
#endif
// Tests' words want to know of each poll.
#if defined(__x86_64__) && !defined(BELTWAY_SHADOW_STACK) && !defined(BELTWAY_ATOMICS_HEADER)
#define BELTWAY_SPECULATIVE_SPIN 1
#endif

namespace beltway::waiting {

bool plain_spin(const detail::Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned polls) noexcept {
  for (; polls != 0; --polls) {
    if ((state.load_relaxed() & mask) == wanted) return true;
    detail::poll_gap();
  }
  return false;
}

#ifdef BELTWAY_SPECULATIVE_SPIN

// In registers: rdi the word's address, rsi the mask, rdx what is wanted, ecx how often; al the result. Not a function of the
// compiler's: a naked one has unwind information only where the compiler thinks that it needs some.
asm(R"(
        .pushsection .text
        .p2align 6
        .globl beltway_speculative_spin
        .hidden beltway_speculative_spin
        .type beltway_speculative_spin, @function
beltway_speculative_spin:
        .cfi_startproc
1:      call 4f
2:      mov $1, %eax            # the processor believes that it goes on here
        ret
3:      sub $1, %ecx            # and comes here when it knows that nothing was there
        jne 1b
        xor %eax, %eax
        ret
4:      .cfi_adjust_cfa_offset 8
        lea 3b(%rip), %r8
        lea 2b(%rip), %r9
        mov (%rdi), %rax
        and %rsi, %rax
        cmp %rdx, %rax
        cmove %r9, %r8
        mov %r8, (%rsp)
        ret
        .cfi_endproc
        .size beltway_speculative_spin, . - beltway_speculative_spin
        .popsection
)");
extern "C" [[gnu::visibility("hidden")]] bool beltway_speculative_spin(const detail::Word*, std::uint64_t,
                                                                       std::uint64_t, unsigned) noexcept;

bool speculative_spin(const detail::Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned polls) noexcept {
  return beltway_speculative_spin(&state, mask, wanted, polls);
}

#else

bool speculative_spin(const detail::Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned polls) noexcept {
  return plain_spin(state, mask, wanted, polls);
}

#endif

}  // namespace beltway::waiting
