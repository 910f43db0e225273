// Findings about messages that fail: poison messages, dead letters that cannot be moved. See findings.hpp.
#include <algorithm>
#include <iterator>

#include "beltway/limits.hpp"
#include "watch/findings.hpp"

namespace beltway::watch {

namespace {

/// The queue that takes what the group cannot process.
std::string failed_queue_of(const QueueSnapshot& snapshot, const GroupState& group) {
  return group.dead_letter.empty() ? snapshot.info.name + ".failed" : group.dead_letter;
}

std::vector<Remedy> remedies_for_poison(const QueueSnapshot& snapshot, const GroupState& group) {
  const std::string& queue = snapshot.info.name;
  const std::string limit =
      "beltway declare " + queue + " --group " + group.name + ",max-deliveries=" + std::to_string(k_poison_deliveries);
  if (!group.dead_letter.empty()) return {{limit, "moves it to queue " + group.dead_letter + " at its next delivery"}};
  const std::string target = failed_queue_of(snapshot, group);
  return {{declare_dead_letter_queue(snapshot.info, target) + " && " + limit + ",dead-letter=" + target,
           "moves messages that fail so often to queue " + target},
          {limit + ",discard=true", "drops messages that fail so often"}};
}

/// Those for the message alone. While a consumer holds it, it can only be looked at.
std::vector<Remedy> remedies_for_message(const QueueSnapshot& snapshot, const GroupState& group,
                                         const client::MostTried& message) {
  const std::string& queue = snapshot.info.name;
  const std::string position = std::to_string(message.position);
  const std::string of_group = " --group " + group.name;
  const Remedy show{"beltway peek " + queue + of_group + " --from " + position + " --count 1", "shows the message"};
  if (message.is_held) return {show};
  const std::string target = failed_queue_of(snapshot, group);
  const std::string declare =
      group.dead_letter.empty() ? declare_dead_letter_queue(snapshot.info, target) + " && " : std::string();
  return {{declare + "beltway move " + queue + " " + position + " --to " + target + of_group,
           "moves this message alone to queue " + target},
          {"beltway ack " + queue + " " + position + of_group, "drops this message for the group"},
          show};
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
    verdict.remedies = remedies_for_poison(snapshot, group);
    std::ranges::move(remedies_for_message(snapshot, group, most), std::back_inserter(verdict.remedies));
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
    verdict.remedies = {{"beltway requeue " + group.dead_letter, "moves its dead letters back to where they come from"},
                        {"beltway show " + group.dead_letter, "shows what it holds and who may write there"}};
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace beltway::watch
