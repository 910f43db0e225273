// Queues that others send their dead letters to are not removed by mistake. See registry.hpp and dead_letter_links.hpp.
#include <string>

#include "base/tool_command.hpp"
#include "queues/registry.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

std::string Registry::sources_text(const Peer& peer, const std::string& target) const {
  std::string names;
  std::size_t hidden = 0;
  for (const std::string& source : links_.sources_of(target)) {
    const auto found = queues_.find(source);
    if (found == queues_.end()) continue;
    if (allowed(peer, found->second->record(), Right::see)) {
      names += (names.empty() ? "\"" : ", \"") + source + "\"";
    } else {
      ++hidden;
    }
  }
  if (hidden == 0) return names;
  return names + (names.empty() ? "" : " and ") + std::to_string(hidden) +
         (hidden == 1 ? " queue of another user" : " queues of other users");
}

void Registry::require_no_sources(const Peer& peer, const Queue& queue) const {
  const std::string& name = queue.record().name;
  const std::string sources = sources_text(peer, name);
  if (sources.empty()) return;
  throw Error(Errc::misuse, wire::error_subject("remove", name) + ": it gets the dead letters of " + sources +
                                "; change their option dead_letter first, or remove it all the same with \"" +
                                tool_command("remove", {name}, "--force") +
                                "\": then messages that fail stay in those queues");
}

void Registry::remove_group(const Peer& peer, Queue& queue, const std::string& group, bool force) {
  const std::string& name = queue.record().name;
  if (!force && queue.find_group(group) && links_.groups_of(name) == 1) {
    if (const std::string sources = sources_text(peer, name); !sources.empty()) {
      throw Error(Errc::misuse, wire::error_subject("remove a group of", name) + ": group \"" + group +
                                    "\" is its last one and keeps the dead letters of " + sources +
                                    "; make another group first, or remove it all the same with \"" +
                                    tool_command("group remove", {name, group}, "--force") +
                                    "\": then dead letters are overwritten");
    }
  }
  queue.remove_group(group);
  note_watched(queue);
}

void Registry::note_change_of_sources(const std::string& queue) noexcept {
  for (const std::string& source : links_.sources_of(queue)) {
    if (const auto found = queues_.find(source); found != queues_.end()) found->second->note_change();
  }
}

wire::Description Registry::description_of(const Queue& queue) const {
  wire::Description description = queue.description(true);
  description.info.missing_dead_letter_queues = links_.missing_targets_of(queue.record().name);
  return description;
}

}  // namespace beltway::daemon
