// Dead letters that nobody looks at: only the queues together show which one takes those of others. See waiting_dead_letters.hpp.
#include "watch/waiting_dead_letters.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "base/tool_command.hpp"
#include "watch/addressed.hpp"

namespace beltway::watch {

namespace {

constexpr std::string_view k_waiting_kind = "dead_letters_waiting";

/// The dead letter queues, each with the queues that send theirs there.
std::map<std::string, std::set<std::string>> dead_letter_queues(const Fleet& fleet) {
  std::map<std::string, std::set<std::string>> sources;
  for (const QueueView& queue : fleet.queues) {
    const QueueOptions& options = queue.info.options;
    if (!options.dead_letter.empty()) sources[options.dead_letter].insert(queue.info.name);
    for (const NamedGroup& group : options.groups) {
      const std::string target = group.options.dead_letter.value_or("");
      if (!target.empty()) sources[target].insert(queue.info.name);
    }
  }
  return sources;
}

Verdict verdict_on(const QueueView& queue, const std::set<std::string>& sources) {
  const std::string& name = queue.info.name;
  Verdict verdict{.kind = std::string(k_waiting_kind), .severity = Severity::note, .queue = name, .subject = name};
  verdict.cause = "it keeps dead letters of queue " + *sources.begin() +
                  (sources.size() == 1 ? "" : " and " + std::to_string(sources.size() - 1) + " more") +
                  ", and has no consumer";
  verdict.evidence = std::to_string(queue.lag) + " messages wait";
  verdict.remedies = {
      {tool_command("requeue", {name}), "moves them back to where they come from: first mend why they failed"},
      {tool_command("peek", {name}), "shows them, and why they failed"}};
  return verdict;
}

}  // namespace

void tell_waiting_dead_letters(Fleet& fleet) {
  const auto by_target = dead_letter_queues(fleet);
  for (QueueView& queue : fleet.queues) {
    std::erase_if(queue.verdicts, [](const Verdict& each) { return each.kind == k_waiting_kind; });
    const auto sources = by_target.find(queue.info.name);
    const bool waits = queue.readable && !queue.removed && queue.lag != 0 && queue.consumers == 0;
    // What else is told of it says more.
    if (sources == by_target.end() || !waits || queue.severity().value_or(Severity::note) != Severity::note) continue;
    std::vector<Verdict> told{verdict_on(queue, sources->second)};
    address_remedies(told, fleet.named_socket);
    queue.verdicts.push_back(std::move(told.front()));
  }
}

}  // namespace beltway::watch
