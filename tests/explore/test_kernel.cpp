// The kernel as the explorer has it: src/os/kernel.hpp, and src/os/event_set.hpp without a descriptor: a bell is a number, and an
// event set is a number beyond the bells. The linker redirects sched_getaffinity of src/waiting/waiter.cpp here (-Wl,--wrap).
#include "os/kernel.hpp"

#include <sched.h>

#include <cstdint>

#include "memory.hpp"
#include "os/event_set.hpp"

namespace beltway::os {

using namespace beltway::detail;

bool register_for_barriers() noexcept { return true; }
bool heavy_barrier() noexcept {
  explore::heavy_barrier();
  return true;
}
Slept sleep_on(const Word& word, std::uint64_t expected, std::uint64_t until_ns) noexcept {
  const std::uint64_t now = explore::now_ns();
  if (until_ns <= now) return Slept::timed_out;
  const auto& value = reinterpret_cast<const std::uint64_t&>(word);
  return explore::sleep_on(value, expected, until_ns - now) ? Slept::woken : Slept::timed_out;
}
void wake_sleeper(Word& word) noexcept { explore::wake_sleeper(reinterpret_cast<const std::uint64_t&>(word)); }
void ring_bell(int eventfd) noexcept { explore::ring_bell(eventfd); }
bool wants_interrupted_calls() noexcept { return false; }
void nap(std::uint64_t /*ns*/) noexcept {}
// Others run when the explorer says so; time passes, so that nobody is waited for endlessly.
void give_way() noexcept { explore::pass_time(1'000'000); }
std::uint64_t now_ns() noexcept { return explore::now_ns(); }
std::uint64_t coarse_now_ns() noexcept { return explore::now_ns(); }

EventSet::EventSet(int bell, Timer /*timer*/, const std::string& /*what*/)
    : bell_(bell), epoll_(explore::add_event_set(bell)), self_(epoll_) {}
void EventSet::listen_to(int bell, const std::string& /*what*/) { bell_ = bell; }
EventSet::~EventSet() = default;
EventSet::Edges EventSet::take() const noexcept {
  const explore::Edges edges = explore::take_edges(epoll_);
  return {.bell = edges.bell, .self = edges.self, .timer = false, .refused = false};
}
void EventSet::ring() const noexcept { explore::ring_event_set(self_); }
void EventSet::set_timer(std::uint64_t /*ns*/) noexcept {}

}  // namespace beltway::os

extern "C" int __wrap_sched_getaffinity(pid_t, std::size_t, cpu_set_t* allowed);
int __wrap_sched_getaffinity(pid_t, std::size_t, cpu_set_t* allowed) {
  CPU_SET(0, allowed);
  return 0;
}
