// Dead letter queues that were removed by force. See causes.hpp.
#include <algorithm>

#include "watch/causes.hpp"

namespace beltway::watch {

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
                      .remedies = {{"beltway declare " + target + " --group all", "makes that queue"},
                                   {"beltway declare " + snapshot.info.name + " --dead-letter QUEUE",
                                    "names another one, if the group has none of its own"}}});
  }
}

}  // namespace beltway::watch
