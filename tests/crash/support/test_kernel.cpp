// The kernel as the crash tests need it, in place of src/kernel.cpp: what an instruction-by-instruction run must not do is
// left out, and a bell that rings is counted in the image, so that it is frozen with it.
#include "kernel.hpp"
#include "world.hpp"

namespace beltway::kernel {

bool register_for_barriers() noexcept { return true; }

// All code runs in one thread here.
bool heavy_barrier() noexcept { return true; }

void ring_bell(int eventfd) noexcept {
  if (crash::World* const world = crash::Use::current()) ++world->journal().bells[crash::bell_index(eventfd)];
}

namespace {
std::uint64_t clock_ns = 1'000'000'000;
}

// Time passes only where somebody looks at it: a wait with a deadline ends soon, and always at the same instruction.
std::uint64_t now_ns() noexcept { return clock_ns += 1'000; }
std::uint64_t coarse_now_ns() noexcept { return 1; }

}  // namespace beltway::kernel
