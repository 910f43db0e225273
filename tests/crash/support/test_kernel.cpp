// The kernel as the crash tests need it, in place of src/os/kernel.cpp: what an instruction-by-instruction run must not do is
// left out, and a bell that rings is counted in the image, so that it is frozen with it.
#include "os/kernel.hpp"
#include "world.hpp"

namespace beltway {

std::uint64_t& crash::sleeps() noexcept {
  static std::uint64_t count = 0;
  return count;
}

}  // namespace beltway

namespace beltway::os {

using namespace beltway::detail;
using namespace beltway::ring;

bool register_for_barriers() noexcept { return true; }

// All code runs in one thread here.
bool heavy_barrier() noexcept { return true; }

// Nobody sleeps here: a wait has an end, or is interrupted. The word is looked at beside the steps, as the kernel does it.
Slept sleep_on(const Word& word, std::uint64_t expected, std::uint64_t /*until_ns*/) noexcept {
  // Counted first: whoever interrupts between the look and the count would find that it slept on.
  ++crash::sleeps();
  if (reinterpret_cast<const volatile std::uint64_t&>(word) == expected) return Slept::timed_out;
  --crash::sleeps();
  return Slept::woken;
}
bool wants_interrupted_calls() noexcept { return false; }
void nap(std::uint64_t /*ns*/) noexcept {}

void wake_sleeper(Word& word) noexcept {
  crash::World* const world = crash::Use::current();
  if (world == nullptr) return;
  const auto* const first = &world->memory().endpoint(0);
  const auto at = reinterpret_cast<const std::byte*>(&word) - reinterpret_cast<const std::byte*>(first);
  const auto index = static_cast<std::size_t>(at) / sizeof(Endpoint);
  // Another world's, which goes on beside this one.
  if (at >= 0 && index < world->memory().geometry.endpoints()) ++world->journal().wakes[index];
}

void ring_bell(int eventfd) noexcept {
  crash::World* const world = crash::Use::current();
  if (world == nullptr) return;
  for (unsigned i = crash::bell_index(eventfd); i < world->memory().geometry.endpoints(); i += ring::k_bells) {
    ++world->journal().wakes[i];
  }
}

namespace {
std::uint64_t clock_ns = 1'000'000'000;
}

// Time passes only where somebody looks at it: a wait with a deadline ends soon, and always at the same instruction.
void give_way() noexcept { clock_ns += 1'000'000; }
std::uint64_t now_ns() noexcept { return clock_ns += 1'000; }
std::uint64_t coarse_now_ns() noexcept { return clock_ns; }

}  // namespace beltway::os
