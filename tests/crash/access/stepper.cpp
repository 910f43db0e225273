// stepper.hpp by accesses instead of instructions. See access_atomics.hpp.
#include "stepper.hpp"

#include "beltway/detail/atomics.hpp"

namespace beltway::crash {

bool accesses_count = false;

namespace {

struct Frame {
  FunctionRef<Then(std::uint64_t)> hook;
  std::uint64_t count = 0;
};

Frame* current = nullptr;
std::uint64_t access_count = 0;

}  // namespace

void accessed() noexcept {
  Frame* const frame = current;
  accesses_count = false;  // the hook's own accesses are nobody's places
  ++access_count;
  const Then then = frame->hook(frame->count++);
  current = frame;
  accesses_count = then == Then::step;
}

void step(FunctionRef<void()> actor, FunctionRef<Then(std::uint64_t)> hook) {
  Frame frame{hook};
  Frame* const outer = current;
  current = &frame;
  accesses_count = true;
  actor();
  accesses_count = false;  // we are either nobody's or inside the outer's hook
  current = outer;
}

std::uint64_t steps() noexcept { return access_count; }

}  // namespace beltway::crash
