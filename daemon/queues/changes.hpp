// Revisions: which queues have changed since when, for clients that ask again and again (the request `list` with changed_since).
//
// A revision is a number that grows with each change. It begins at the clock, so that no daemon gives out one that an earlier
// daemon of this boot has given: to a client that knows only older ones, all is new.
// Thread safety: next_revision() from any thread; Removals: the daemon's one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace beltway::daemon {

/// Greater than all before.
[[nodiscard]] std::uint64_t next_revision() noexcept;
/// The last one that was given out.
[[nodiscard]] std::uint64_t last_revision() noexcept;

/// The queues that were removed last.
class Removals {
 public:
  void add(std::uint64_t queue);
  /// Nothing: more were removed since `revision` than are remembered, or it is none of this daemon's.
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> since(std::uint64_t revision) const;

 private:
  /// A client that asks once a second and misses more asks for the list of all queues.
  static constexpr std::size_t k_remembered = 1024;

  std::uint64_t known_since_ = next_revision();
  std::deque<std::pair<std::uint64_t, std::uint64_t>> removed_;  // revision and queue, oldest first
};

}  // namespace beltway::daemon
