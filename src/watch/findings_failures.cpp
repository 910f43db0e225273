// Findings about messages that fail: poison messages, dead letters that cannot be moved. See findings.hpp.
#include <algorithm>
#include <iterator>

#include "base/tool_command.hpp"
#include "beltway/limits.hpp"
#include "watch/dead_letter_place.hpp"
#include "watch/findings.hpp"

namespace beltway::watch {

namespace {

/// What must be done before messages can be moved there.
std::string first(const DeadLetterPlace& place) {
  return place.declare.empty() ? std::string() : place.declare + " && ";
}

/// Those for all messages that fail as this one does.
std::vector<Remedy> remedies_for_poison(const QueueSnapshot& snapshot, const GroupState& group,
                                        const DeadLetterPlace& place) {
  const std::string& queue = snapshot.info.name;
  const std::string limit =
      "--group " + shell_word(group.name) + ",max-deliveries=" + std::to_string(k_poison_deliveries);
  if (!group.dead_letter.empty()) {
    return {{first(place) + tool_command("declare", {queue}, limit),
             "moves it to queue " + group.dead_letter + " at its next delivery"}};
  }
  std::vector<Remedy> remedies;
  if (place.can_be_had()) {
    remedies.push_back(
        {first(place) + tool_command("declare", {queue}, limit + ",dead-letter=" + shell_word(place.name)),
         "moves messages that fail so often to queue " + place.name});
  }
  remedies.push_back({tool_command("declare", {queue}, limit + ",discard=true"), "drops messages that fail so often"});
  return remedies;
}

/// Those for the message alone. While a consumer holds it, it can only be looked at.
std::vector<Remedy> remedies_for_message(const QueueSnapshot& snapshot, const GroupState& group,
                                         const client::MostTried& message, const DeadLetterPlace& place) {
  const std::string& queue = snapshot.info.name;
  const std::string position = std::to_string(message.position);
  const std::string of_group = "--group " + shell_word(group.name);
  const Remedy show{tool_command("peek", {queue}, of_group + " --from " + position + " --count 1"),
                    "shows the message"};
  if (message.is_held) return {show};
  std::vector<Remedy> remedies;
  if (place.can_be_had()) {
    remedies.push_back(
        {first(place) + tool_command("move", {queue, position}, "--to " + shell_word(place.name) + " " + of_group),
         "moves this message alone to queue " + place.name});
  }
  remedies.push_back({tool_command("ack", {queue, position}, of_group), "drops this message for the group"});
  remedies.push_back(show);
  return remedies;
}

}  // namespace

bool FullLook::has_poison(std::size_t group) const {
  if (group >= most_tried.size() || !most_tried[group]) return false;
  const GroupState& state = snapshot.groups[group];
  return most_tried[group]->deliveries >= k_poison_deliveries && state.retry + state.delayed < k_many_failing;
}

std::vector<Finding> poison_messages(const FullLook& look) {
  std::vector<Finding> findings;
  const QueueSnapshot& snapshot = look.snapshot;
  for (std::size_t i = 0; i < snapshot.groups.size(); ++i) {
    const GroupState& group = snapshot.groups[i];
    if (group.max_deliveries != 0 || !look.has_poison(i)) continue;
    const client::MostTried& most = *look.most_tried[i];
    Finding finding{.verdict = {.kind = "poison_message", .severity = Severity::warning},
                    .told_after = k_standstill_ms};
    Verdict& verdict = finding.verdict;
    verdict.queue = snapshot.info.name;
    verdict.subject = snapshot.info.name;
    verdict.group = group.name;
    verdict.position = most.position;
    verdict.cause = "group \"" + group.name + "\" gets message " + std::to_string(most.position) +
                    " again and again, and does not acknowledge it";
    verdict.evidence = "it was delivered " + std::to_string(most.deliveries) +
                       (most.deliveries >= ::beltway::k_max_tries ? " times or more" : " times");
    verdict.forecast = "it is delivered for ever: the group has no max_deliveries";
    const DeadLetterPlace place = place_for_failed(snapshot.info, group.dead_letter, look.around);
    verdict.remedies = remedies_for_poison(snapshot, group, place);
    std::ranges::move(remedies_for_message(snapshot, group, most, place), std::back_inserter(verdict.remedies));
    finding.mark = most.position;
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> stuck_dead_letters(const QueueSnapshot& snapshot) {
  std::vector<Finding> findings;
  const std::vector<std::string>& missing = snapshot.info.missing_dead_letter_queues;
  for (const GroupState& group : snapshot.groups) {
    if (group.to_move == 0 || group.dead_letter.empty() ||
        std::ranges::find(missing, group.dead_letter) != missing.end())
      continue;
    Finding finding{.verdict = {.kind = "dead_letters_stuck", .severity = Severity::trouble},
                    .told_after = k_restart_ms};
    Verdict& verdict = finding.verdict;
    verdict.queue = snapshot.info.name;
    verdict.subject = snapshot.info.name;
    verdict.group = group.name;
    verdict.cause = "messages of group \"" + group.name + "\" that failed for good cannot be moved to queue " +
                    group.dead_letter + ": it is full, or the consumers may not write there";
    verdict.evidence = std::to_string(group.to_move) + " messages wait";
    verdict.forecast = "they keep their slots here";
    verdict.remedies = {
        {tool_command("requeue", {group.dead_letter}), "moves its dead letters back to where they come from"},
        {tool_command("show", {group.dead_letter}), "shows what it holds and who may write there"}};
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace beltway::watch
