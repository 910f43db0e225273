// A queue for dead letters, and the command that makes it.
// Thread safety: functions of their arguments.
#pragma once

#include <string>

#include "beltway/info.hpp"
#include "watch/look_context.hpp"

namespace beltway::watch {

struct DeadLetterPlace {
  std::string name;
  std::string declare = {};  ///< a command that makes the queue; empty: it exists, or no queue is large enough
  bool exists = false;

  [[nodiscard]] bool can_be_had() const noexcept { return exists || !declare.empty(); }
};

/// Queue `name`, made such that it takes all dead letters of `source`, and those of the other queues that name it.
[[nodiscard]] DeadLetterPlace dead_letter_queue(const QueueInfo& source, const std::string& name,
                                                const LookContext& around);

/// A queue for messages that a group of `source` cannot process: the one that the group names (`of_group`). If that is empty: one
/// named after `source` that exists and takes them, or that can be made.
[[nodiscard]] DeadLetterPlace place_for_failed(const QueueInfo& source, const std::string& of_group,
                                               const LookContext& around);

}  // namespace beltway::watch
