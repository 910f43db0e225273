// See signals.hpp.
#include "survival/signals.hpp"

#include <csignal>

#include "survival/surroundings.hpp"

namespace beltway::daemon {
namespace {

sigset_t heard_set() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : heard_signals()) ::sigaddset(&signals, signal);
  return signals;
}

}  // namespace

std::vector<int> heard_signals() {
  std::vector<int> signals{SIGTERM, SIGUSR2};
  for (const int signal : {SIGINT, SIGHUP}) {
    if (!is_ignored(signal)) signals.push_back(signal);
  }
  return signals;
}

void block_signals() noexcept {
  const sigset_t signals = heard_set();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

void hear_signals() noexcept {
  const sigset_t signals = heard_set();
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace beltway::daemon
