// Dead letter queues that were removed by force, and how to make one. See causes.hpp.
#include <algorithm>

#include "watch/causes.hpp"
#include "watch/dead_letter_place.hpp"

namespace beltway::watch {

void add_missing_dead_letter_queues(const QueueSnapshot& snapshot, const LookContext& around,
                                    std::vector<Cause>& causes) {
  const std::vector<std::string>& missing = snapshot.info.missing_dead_letter_queues;
  for (const GroupState& group : snapshot.groups) {
    const std::string& target = group.dead_letter;
    if (std::ranges::find(missing, target) == missing.end()) continue;
    const DeadLetterPlace place = dead_letter_queue(snapshot.info, target, around);
    causes.push_back({.kind = "dead_letter_queue_missing",
                      .blocks = false,
                      .group = group.name,
                      .text = "group \"" + group.name + "\" sends its dead letters to queue \"" + target +
                              "\", which does not exist: messages that fail for good stay here and are tried again"});
    if (!place.declare.empty()) causes.back().remedies = {{place.declare, "makes that queue"}};
  }
}

}  // namespace beltway::watch
