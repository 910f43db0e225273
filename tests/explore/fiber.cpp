#include "fiber.hpp"

#include <ucontext.h>

#include <cstdlib>

namespace beltway::explore {

namespace {

constexpr std::size_t k_stack_bytes = 256 * 1024;

// What enter() needs and makecontext cannot portably pass.
Stack* being_made = nullptr;
ucontext_t maker;

}  // namespace

void switch_context(Context& from, Context& to) noexcept {
  if (_setjmp(from.place) == 0) _longjmp(to.place, 1);
}

void Stack::enter() {
  Stack* const self = being_made;
  // The first time through goes back to the constructor; every later arrival is a start.
  if (_setjmp(self->beginning_.place) == 0) ::setcontext(&maker);
  self->body_();
  std::abort();
}

Stack::Stack(void (*body)()) : body_(body), memory_(new std::byte[k_stack_bytes]) {
  ucontext_t made;
  ::getcontext(&made);
  made.uc_stack.ss_sp = memory_.get();
  made.uc_stack.ss_size = k_stack_bytes;
  made.uc_link = nullptr;
  ::makecontext(&made, &Stack::enter, 0);
  being_made = this;
  ::swapcontext(&maker, &made);
}

}  // namespace beltway::explore
