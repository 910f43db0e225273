// What single looks at a queue find, before it is known whether it lasts. QueueVerdicts tells those that do.
// Thread safety: values, and functions of their arguments and of /proc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/inspect_failures.hpp"
#include "watch/causes.hpp"
#include "watch/look_context.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// It becomes a verdict once it was found in all looks of a time. A healthy queue may show it for less.
struct Finding {
  Verdict verdict;  ///< its `since` is what this one look knows; nothing: nothing
  Nanoseconds told_after{0};
  /// What stays the same while nothing moves: a position, a count of messages. A finding with another mark is a new one.
  std::uint64_t mark = 0;
  /// Yields to a finding that names the same consumer, producer or group: that one says more.
  bool is_fallback = false;
};

/// How long a process, a ring or a claim must stand still. Healthy programs stop for less than a second: a debugger that
/// attaches, a garbage collection, a busy machine.
inline constexpr std::chrono::milliseconds k_standstill_ms{1500};
/// A worker that is started again is back within this time.
inline constexpr std::chrono::milliseconds k_restart_ms{3000};
/// A ring that is full and moves: producers outrun consumers, and not by a burst.
inline constexpr std::chrono::milliseconds k_steadily_full_ms{10'000};
/// A job that is held for longer is told: most jobs take seconds.
inline constexpr std::chrono::milliseconds k_long_job_ms{60'000};
/// Deliveries of one message that prove that it will fail again.
inline constexpr unsigned k_poison_deliveries = 5;
/// Messages of a group that fail at the same time: more is no matter of single messages.
inline constexpr std::uint64_t k_many_failing = 8;

/// The causes of a full look as findings: subject, evidence, severity, and how long they must last.
[[nodiscard]] std::vector<Finding> findings_of(const QueueSnapshot& snapshot, const std::vector<Cause>& causes,
                                               std::uint64_t now_ns);

/// All that a full look at a queue has.
struct FullLook {
  QueueSnapshot snapshot;
  /// Of each group of the snapshot: the message that was delivered most often.
  std::vector<std::optional<client::MostTried>> most_tried = {};
  LookContext around = {};

  /// True if one message fails, and not many do.
  [[nodiscard]] bool has_poison(std::size_t group) const;
};

/// Messages that fail again and again, in a group that does not give them up.
[[nodiscard]] std::vector<Finding> poison_messages(const FullLook& look);
/// Messages that could not be moved to the dead letter queue.
[[nodiscard]] std::vector<Finding> stuck_dead_letters(const QueueSnapshot& snapshot);

}  // namespace beltway::watch
