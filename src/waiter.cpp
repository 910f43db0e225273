// See waiter.hpp.
#include "waiter.hpp"

#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "beltway/error.hpp"

namespace beltway {

namespace {

// Waking a sleeper takes about 30 us here (PEERS.md): spinning for longer than that costs more than it can save.
constexpr std::uint64_t k_least_budget_ns = 1'000;
constexpr std::uint64_t k_first_budget_ns = 20'000;
constexpr std::uint64_t k_most_budget_ns = 50'000;
/// A producer that looks at the floors takes their lines from the consumers, who are then slower to make room.
constexpr unsigned k_producers_pauses = 64;
constexpr std::uint64_t k_short_sleep_ns = 100'000;

/// On one processor, whoever spins keeps the one away for whom it waits.
bool has_several_processors() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return ::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) > 1;
}

}  // namespace

Waiter::Waiter(const QueueMap& map, unsigned owner, WaitStrategy strategy, bool symmetric)
    : map_(map),
      owner_(owner),
      strategy_(strategy),
      symmetric_(symmetric),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      line_(map, owner),
      most_pauses_(owner < k_first_consumer ? k_producers_pauses : 1),
      budget_ns_(has_several_processors() ? k_first_budget_ns : k_least_budget_ns) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (epoll_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, map.bell(owner), &event) == 0) return;
  const std::string reason = std::strerror(errno);
  if (epoll_ >= 0) ::close(epoll_);
  throw Error(Errc::system,
              "attach: epoll for the endpoint's bell: " + reason + "; raise the limit of open files (ulimit -n)");
}

Waiter::~Waiter() { ::close(epoll_); }

void Waiter::ring_self() const noexcept { kernel::ring_bell(map_.bell(owner_)); }

int Waiter::enable_events() {
  if (!event_mode_) {
    event_mode_ = true;
    ring_self();
  }
  return epoll_;
}

bool Waiter::silence() noexcept {
  const bool signalled = line_.armed() && line_.disarm();
  take_edge();
  return signalled;
}

std::uint64_t Waiter::deadline_of(const Until& until) noexcept {
  if (!until.deadline()) return k_never;
  const auto since_boot = until.deadline()->time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count();
  return ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
}

std::uint64_t Waiter::spin_budget_ns() const noexcept {
  switch (strategy_) {
    case WaitStrategy::spin: return k_never;
    case WaitStrategy::sleep: return 0;
    case WaitStrategy::adaptive: break;
  }
  return budget_ns_;
}

void Waiter::learn(bool found_spinning, std::uint64_t slept_ns) noexcept {
  // Spinning paid, or would have paid had it gone on a little: more of it. A long sleep: less.
  if (found_spinning || slept_ns < k_short_sleep_ns) {
    budget_ns_ = std::min(k_most_budget_ns, budget_ns_ + budget_ns_ / 4);
  } else {
    budget_ns_ = std::max(k_least_budget_ns, budget_ns_ - budget_ns_ / 4);
  }
}

bool Waiter::sleep_on_bell(std::uint64_t timeout_ns) noexcept {
  const timespec timeout{static_cast<time_t>(timeout_ns / 1'000'000'000),
                         static_cast<long>(timeout_ns % 1'000'000'000)};
  epoll_event event{};
  // An interrupted sleep counts as a ring: the caller looks, and sleeps again.
  const int events = ::epoll_pwait2(epoll_, &event, 1, &timeout, nullptr);
  return events > 0 || (events < 0 && errno == EINTR);
}

bool Waiter::really_rescued() noexcept {
  // The message may have come in the very moment that our patience ended, its sender not yet at the bell.
  for (unsigned i = 0; i < 50; ++i) {
    if (line_.signalled() || sleep_on_bell(1'000'000)) return false;
  }
  return true;
}

}  // namespace beltway
