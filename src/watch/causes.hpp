// Why a queue stands still, or soon may: each cause with its root, how long it has lasted, and the commands that end it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/info.hpp"
#include "watch/look_context.hpp"
#include "watch/process_info.hpp"

namespace beltway::watch {

/// One cause. README.md lists the kinds.
struct Cause {
  std::string kind = {};
  bool blocks = true;  ///< a process waits for it now. False: it may block a process later, or costs time
  std::string group = {};
  std::optional<unsigned> producer = {};       ///< the producer at the root of it, or the one with the full lane
  std::optional<unsigned> consumer = {};       ///< the consumer at the root of it
  std::optional<int> pid = {};                 ///< of the root
  std::optional<std::uint64_t> position = {};  ///< the oldest position that is waited for
  std::optional<std::uint64_t> for_ns = {};    ///< how long an endpoint has slept because of it; nothing: none sleeps
  std::string subject = {};                    ///< what it is the cause of: the first part of `text`; may be empty
  std::string text = {};                       ///< a sentence
  std::vector<Remedy> remedies = {};
};

/// What `snapshot` shows. `now_ns`: CLOCK_MONOTONIC. Reads the state of processes in /proc.
[[nodiscard]] std::vector<Cause> find_causes(const QueueSnapshot& snapshot, std::uint64_t now_ns,
                                             const LookContext& around = {});

/// The part of it that concerns no single endpoint: words that make no sense, lost wakeups, slower fences.
void add_memory_causes(const QueueSnapshot& snapshot, std::vector<Cause>& causes);

/// The groups that are paused, but for those that a cause that blocks names already.
void add_paused_groups(const QueueSnapshot& snapshot, std::vector<Cause>& causes);
/// Groups that fill half of the ring, and have no consumer.
void add_idle_groups(const QueueSnapshot& snapshot, std::vector<Cause>& causes);
/// What frees the messages that a consumer holds.
[[nodiscard]] std::vector<Remedy> remedies_for_consumer(const QueueSnapshot& snapshot, const EndpointInfo& endpoint);
/// Its process is stopped, frozen or held by a debugger.
[[nodiscard]] bool is_stopped(const EndpointInfo& endpoint);
/// What no command can do for a group that nothing reads, and that is better than all of them.
inline constexpr std::string_view k_start_consumer = "start a consumer of the application";
inline constexpr std::string_view k_start_more_consumers = "start more consumers of the application";
/// Else: what helps a group that nothing reads.
[[nodiscard]] std::vector<Remedy> remedies_for_group(const std::string& queue, const std::string& group);
/// Groups whose dead letter queue does not exist.
void add_missing_dead_letter_queues(const QueueSnapshot& snapshot, const LookContext& around,
                                    std::vector<Cause>& causes);
/// True if the daemon awaits the end of the endpoint, and its process is no more, or lives in other threads than its first one.
[[nodiscard]] bool is_orphan(const EndpointInfo& endpoint);
/// Orphans, and what ends them; also what ends other causes with them at the root, if nothing else does.
void add_orphans(const QueueSnapshot& snapshot, const LookContext& around, std::vector<Cause>& causes);
/// Messages that are held or delayed beside the ring.
void add_parked_messages(const QueueSnapshot& snapshot, std::vector<Cause>& causes);
/// "has been paused for TIME". Requires that the group is paused.
[[nodiscard]] std::string paused_text(const GroupState& group);
/// Ends the pause.
[[nodiscard]] Remedy resume_remedy(const QueueSnapshot& snapshot, const GroupState& group);

}  // namespace beltway::watch
