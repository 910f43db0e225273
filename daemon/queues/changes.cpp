// See changes.hpp.
#include "queues/changes.hpp"

#include <atomic>

#include "os/kernel.hpp"

namespace beltway::daemon {

namespace {

std::atomic<std::uint64_t>& revisions() noexcept {
  static std::atomic<std::uint64_t> last{os::now_ns()};
  return last;
}

}  // namespace

std::uint64_t next_revision() noexcept { return revisions().fetch_add(1, std::memory_order_relaxed) + 1; }
std::uint64_t last_revision() noexcept { return revisions().load(std::memory_order_relaxed); }

void Removals::add(std::uint64_t queue) {
  removed_.emplace_back(next_revision(), queue);
  if (removed_.size() <= k_remembered) return;
  known_since_ = removed_.front().first;
  removed_.pop_front();
}

std::optional<std::vector<std::uint64_t>> Removals::since(std::uint64_t revision) const {
  if (revision < known_since_ || revision > last_revision()) return std::nullopt;
  std::vector<std::uint64_t> queues;
  for (const auto& [at, queue] : removed_) {
    if (at > revision) queues.push_back(queue);
  }
  return queues;
}

}  // namespace beltway::daemon
