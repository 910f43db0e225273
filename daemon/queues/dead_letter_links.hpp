// Which queue sends its dead letters to which (option dead_letter of queues and groups), and what must hold for that: a target
// exists and lasts, takes the largest message of its source, has a group that keeps the messages, and closes no circle.
//
// Links outlive a target that is removed by force: the source then waits for a new queue of that name, which is checked when it
// is declared.
// Ownership: copies of what the checks need, so they work while a worker has a queue. Thread safety: the daemon's one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "survival/records.hpp"

namespace beltway::daemon {

/// Bytes of all names that the groups of a queue have as their own dead letter queues: a page. With more, a queue's record and
/// description would not fit their places.
inline constexpr std::size_t k_max_target_names_bytes = 4096;

/// Throws Error(limit_reached) for more. `groups`: all of the queue.
void check_target_names(const std::string& context, std::span<const NamedGroup> groups);

class DeadLetterLinks {
 public:
  /// What the queue's record says now. Call it after each change of options and groups.
  void note(const QueueRecord& queue);
  void forget(const std::string& queue) noexcept { nodes_.erase(queue); }

  /// Of a queue that exists: `group` (empty: the queue) shall send its dead letters to `target` (empty: to none).
  /// Throws Error(not_found, invalid_option), which names both queues and the remedy. `context`: operation and source.
  void check(const std::string& context, const std::string& source, const std::string& group,
             const std::string& target) const;
  /// Of a queue that is about to be made: all targets of its own, and all queues that wait for it. `groups`: its own ones.
  void check_new(const std::string& context, const std::string& queue, const QueueOptions& options,
                 std::span<const NamedGroup> groups) const;

  [[nodiscard]] std::vector<std::string> sources_of(const std::string& target) const;
  /// The targets of `source` that do not exist.
  [[nodiscard]] std::vector<std::string> missing_targets_of(const std::string& source) const;
  /// Named groups that are not removed.
  [[nodiscard]] std::size_t groups_of(const std::string& queue) const;

 private:
  struct Node {
    std::uint64_t largest_message = 0;  ///< bytes, with its properties
    bool is_typed = false;
    bool is_exclusive = false;
    bool expires = false;
    std::size_t groups = 0;
    std::set<std::string> targets = {};
  };
  [[nodiscard]] static Node node_of(const QueueOptions& options, std::span<const NamedGroup> groups);
  void check_target(const std::string& context, const std::string& source, const Node& from,
                    const std::string& target) const;
  /// The queues from `from` to `to`, both included, as links go; empty: there is no way.
  [[nodiscard]] std::vector<std::string> find_way(const std::string& from, const std::string& to) const;
  /// Why the target cannot take dead letters of the source, and the remedy. Empty: it can.
  [[nodiscard]] static std::string why_not(const std::string& source, const Node& from, const std::string& target,
                                           const Node& to);

  std::map<std::string, Node> nodes_;
};

}  // namespace beltway::daemon
