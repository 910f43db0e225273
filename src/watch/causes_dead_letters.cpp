// Dead letter queues that were removed by force, and how to make one. See causes.hpp.
#include <algorithm>

#include "beltway/limits.hpp"
#include "watch/causes.hpp"

namespace beltway::watch {

std::string declare_dead_letter_queue(const QueueInfo& source, const std::string& name) {
  // The dead letter fields make a message longer; one page holds them.
  const std::uint64_t needed = source.options.lane_bytes + k_lane_granule_bytes;
  const std::uint64_t lane = std::max(needed, QueueOptions{}.lane_bytes);
  return "beltway declare " + name + " --lane-bytes " + std::to_string(lane) + " --group operators";
}

void add_missing_dead_letter_queues(const QueueSnapshot& snapshot, std::vector<Cause>& causes) {
  const std::vector<std::string>& missing = snapshot.info.missing_dead_letter_queues;
  for (const GroupState& group : snapshot.groups) {
    const std::string& target = group.dead_letter;
    if (std::ranges::find(missing, target) == missing.end()) continue;
    causes.push_back({.kind = "dead_letter_queue_missing",
                      .blocks = false,
                      .group = group.name,
                      .text = "group \"" + group.name + "\" sends its dead letters to queue \"" + target +
                              "\", which does not exist: messages that fail for good stay here and are tried again",
                      .remedies = {{declare_dead_letter_queue(snapshot.info, target), "makes that queue"}}});
  }
}

}  // namespace beltway::watch
