// The few system calls of an endpoint's waiter, in place of the true ones: an endpoint is made for almost every image, and nobody
// sleeps here. No event set ever has an edge.
#include <sched.h>

#include <cstddef>

#include "os/event_set.hpp"
#include "os/kernel.hpp"

namespace beltway::os {

EventSet::EventSet(int bell, Timer /*timer*/, const std::string& /*what*/) : bell_(bell), epoll_(bell), self_(bell) {}
void EventSet::listen_to(int bell, const std::string& /*what*/) { bell_ = bell; }
EventSet::~EventSet() = default;
EventSet::Edges EventSet::take() const noexcept { return {}; }
void EventSet::ring() const noexcept { ring_bell(self_); }
void EventSet::set_timer(std::uint64_t /*ns*/) noexcept {}

}  // namespace beltway::os

extern "C" int __wrap_sched_getaffinity(pid_t process, std::size_t size, cpu_set_t* set);
int __wrap_sched_getaffinity(pid_t /*process*/, std::size_t /*size*/, cpu_set_t* /*set*/) { return -1; }
