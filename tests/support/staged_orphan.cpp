// See staged_orphan.hpp.
#include "staged_orphan.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

namespace beltway::test {

namespace {

using staging::Scene;

constexpr std::size_t k_stack_bytes = 64 * 1024;
alignas(16) char keeper_stack[k_stack_bytes];

/// What the process does that keeps the memory. It shares all of it with the one that ends, so it touches none but its stack.
int keep_memory(void* guardian) {
  ::close_range(3, ~0U, 0);  // its copies: the connection ends with the other process
  const pid_t parent = *static_cast<pid_t*>(guardian);
  while (::getppid() != parent) ::usleep(1000);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (::getppid() == parent) ::pause();
  return 0;
}

int hold_and_end(const Scene& scene, std::size_t messages, pid_t guardian) {
  auto in = scene.open().consumer({.group = "g"});
  std::vector<Message> held;
  while (held.size() < messages) held.push_back(std::move(*in.receive()));
  static pid_t parent = guardian;
  ::clone(keep_memory, keeper_stack + k_stack_bytes, CLONE_VM | SIGCHLD, &parent);
  ::_exit(0);
}

/// The keeper is its child once the consumer has ended.
int guard(const Scene& scene, std::size_t messages) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t self = ::getpid();
  Child consumer = Child::fork([&] { return hold_and_end(scene, messages, self); });
  consumer.wait();
  while (::waitpid(-1, nullptr, 0) > 0) continue;
  for (;;) ::pause();
}

}  // namespace

Child stage_orphan(const Scene& scene, std::size_t messages) {
  Child guardian = Child::fork([scene, messages] { return guard(scene, messages); });
  const Queue queue = scene.open();
  staging::require([&queue] { return std::ranges::any_of(queue.describe().endpoints, &EndpointInfo::orphan); },
                   "no endpoint is an orphan");
  return guardian;
}

}  // namespace beltway::test
