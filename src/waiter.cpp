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

// Waking a sleeper takes about 30 us here (bench/README.md): spinning for much longer than that costs more than it can save.
constexpr std::uint64_t k_least_budget_ns = 1'000;  // below it: none
constexpr std::uint64_t k_first_budget_ns = 20'000;
constexpr std::uint64_t k_most_budget_ns = 50'000;
/// A wait that was slept through and took no longer would have ended spinning: it has a wake in it.
constexpr std::uint64_t k_short_wait_ns = 80'000;
/// A producer that looks at the floors takes their lines from the consumers, who are then slower to make room.
constexpr unsigned k_producers_pauses = 64;

/// On one processor, whoever spins keeps the one away for whom it waits. But who is pinned to one may be alone there.
bool has_several_processors() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return ::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) > 1;
}

}  // namespace

Waiter::Waiter(const QueueMap& map, unsigned owner, WaitStrategy strategy)
    : map_(map),
      owner_(owner),
      symmetric_((Notice::of(map.board().notice.load_acquire()).flags & k_notice_symmetric) != 0),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      line_(map, owner),
      most_pauses_(owner < k_first_consumer ? k_producers_pauses : 1),
      adaptive_(strategy == WaitStrategy::adaptive),
      budget_ns_(first_budget_of(strategy)) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (epoll_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, map.bell(owner), &event) == 0) return;
  const std::string reason = std::strerror(errno);
  if (epoll_ >= 0) ::close(epoll_);
  throw Error(Errc::system,
              "attach: epoll for the endpoint's bell: " + reason + "; raise the limit of open files (ulimit -n)");
}

void Waiter::give_way() noexcept { ::sched_yield(); }

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

std::uint64_t Waiter::first_budget_of(WaitStrategy strategy) noexcept {
  switch (strategy) {
    case WaitStrategy::spin: return k_never;
    case WaitStrategy::sleep: return 0;
    case WaitStrategy::adaptive: break;
  }
  return has_several_processors() ? k_first_budget_ns : k_least_budget_ns;
}

std::uint64_t Waiter::deadline_of(const Until& until) noexcept {
  if (!until.deadline()) return k_never;
  const auto since_boot = until.deadline()->time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count();
  return ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
}

void Waiter::learn(Ended ended, bool slept, std::uint64_t waited_ns) noexcept {
  if (!adaptive_) return;
  if (waited_ns >= k_short_wait_ns) {
    // Spinning did not pay: less of it, and in the end none, since who is woken now and then should not spin each time.
    budget_ns_ = budget_ns_ < 2 * k_least_budget_ns ? 0 : budget_ns_ / 2;
  } else if (ended == Ended::found && slept && budget_ns_ == k_most_budget_ns) {
    // In vain, and then it came at once: the other one may have waited for our processor.
    budget_ns_ = 0;
  } else if (ended == Ended::found) {
    // It paid, or would have paid had it gone on for longer.
    budget_ns_ = std::min(k_most_budget_ns, std::max(2 * budget_ns_, k_least_budget_ns));
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
