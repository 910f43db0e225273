// See findings.hpp. The kinds of causes and how they are told.
#include "watch/findings.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "watch/format.hpp"
#include "watch/verdicts.hpp"

namespace beltway::watch {

namespace {

/// How a cause that stands in the table is told.
struct Rule {
  std::string_view kind;
  Severity if_blocks;
  Severity otherwise;
  std::chrono::milliseconds told_after;
};

constexpr Severity k_trouble = Severity::trouble;
constexpr Severity k_warning = Severity::warning;
constexpr Severity k_note = Severity::note;
constexpr std::chrono::milliseconds k_at_once{0};

constexpr Rule k_rules[] = {
    {"removed", k_note, k_note, k_restart_ms},
    {"own_loans", k_trouble, k_trouble, k_standstill_ms},
    {"claim_not_finished", k_trouble, k_trouble, k_standstill_ms},
    {"consumer_stopped", k_warning, k_warning, k_standstill_ms},
    {"producer_stopped", k_warning, k_warning, k_standstill_ms},
    {"group_without_consumer", k_warning, k_warning, k_restart_ms},
    {"group_paused", k_warning, k_note, k_standstill_ms},
    {"dead_letter_queue_missing", k_warning, k_warning, k_at_once},
    {"parked", k_note, k_note, k_long_job_ms},
    {"prefetch_limit", k_warning, k_warning, k_long_job_ms},
    {"woken_and_absent", k_warning, k_warning, k_long_job_ms},
    {"asleep_with_work", k_warning, k_warning, k_restart_ms},
    {"evicted_endpoint", k_warning, k_warning, k_standstill_ms},
    {"leaving_group", k_trouble, k_note, k_restart_ms},
    {"orphan", k_warning, k_warning, k_restart_ms},
    {"broken_words", k_trouble, k_trouble, k_standstill_ms},
    {"rescued", k_note, k_note, k_at_once},
    {"corrupt_messages", k_note, k_note, k_at_once},
    {"symmetric_fences", k_note, k_note, k_at_once},
};

bool is_full(const Cause& cause) { return cause.kind.starts_with("ring_full") || cause.kind.starts_with("lane_full"); }

Rule rule_of(const Cause& cause) {
  if (is_full(cause)) return {cause.kind, k_trouble, k_trouble, k_standstill_ms};
  const auto found = std::ranges::find(k_rules, std::string_view(cause.kind), &Rule::kind);
  // A kind that somebody adds is told, and a test asks for its rule.
  return found == std::end(k_rules) ? Rule{cause.kind, k_warning, k_warning, k_standstill_ms} : *found;
}

const ConsumerState* consumer_of(const QueueSnapshot& snapshot, const Cause& cause) {
  if (!cause.consumer) return nullptr;
  const auto found = std::ranges::find_if(
      snapshot.consumers, [&cause](const ConsumerState& each) { return each.endpoint.index == *cause.consumer; });
  return found == snapshot.consumers.end() ? nullptr : &*found;
}

const GroupState* group_of(const QueueSnapshot& snapshot, const Cause& cause) {
  const auto found = std::ranges::find(snapshot.groups, cause.group, &GroupState::name);
  return found == snapshot.groups.end() ? nullptr : &*found;
}

std::string subject_of(const QueueSnapshot& snapshot, const Cause& cause) {
  const std::string& queue = snapshot.info.name;
  if (cause.kind.starts_with("ring_full")) return queue + " is full";
  if (cause.kind.starts_with("lane_full") || cause.kind == "own_loans") {
    return "a lane of " + queue + " is full";
  }
  return queue;
}

/// What is known besides: how full the ring is, and who waits.
std::string evidence_of(const QueueSnapshot& snapshot, const Cause& cause) {
  if (!is_full(cause)) return "";
  const std::string used =
      std::to_string(snapshot.used) + " of " + std::to_string(snapshot.info.options.slots) + " slots are in use";
  if (cause.kind.starts_with("lane_full")) return cause.subject;
  // "the ring is full" is the subject already.
  const std::size_t waits = cause.subject.find(" has waited for ");
  if (waits == std::string::npos) return used;
  const std::size_t start = std::min(cause.subject.find("producer"), waits);
  return used + "; " + cause.subject.substr(start);
}

bool is_stopped(const std::optional<int>& pid) {
  const std::optional<ProcessInfo> process = pid ? process_info(*pid) : std::nullopt;
  return process && process->stopped();
}

/// How long the consumer has done nothing, for those causes that a working consumer also shows.
std::optional<Nanoseconds> idle_time(const ConsumerState* consumer, std::uint64_t now_ns) {
  const std::uint64_t last = consumer == nullptr ? 0 : consumer->counters.last_progress_ns;
  if (last == 0 || last >= now_ns) return std::nullopt;
  return Nanoseconds(now_ns - last);
}

/// True for what each worker shows that has a long job, or is busy elsewhere.
bool is_of_busy_consumer(const Cause& cause) {
  return cause.kind == "parked" || cause.kind == "prefetch_limit" || cause.kind == "woken_and_absent" ||
         cause.kind == "asleep_with_work";
}

void adapt_to_kind(const QueueSnapshot& snapshot, const Cause& cause, std::uint64_t now_ns, Finding& finding) {
  const ConsumerState* const consumer = consumer_of(snapshot, cause);
  if (is_full(cause) || cause.kind == "claim_not_finished") {
    finding.mark = cause.position.value_or(0);
  }
  if (is_of_busy_consumer(cause) && consumer != nullptr) {
    finding.mark = consumer->counters.messages + consumer->counters.acks;
    finding.verdict.since = idle_time(consumer, now_ns);
  }
  // Each message that waits for its next delivery has a time of its own.
  if (cause.kind == "parked" && consumer == nullptr) finding.mark = cause.position.value_or(0);
  if (cause.kind == "parked" && is_stopped(cause.pid)) {
    finding.verdict.severity = Severity::warning;
    finding.told_after = k_standstill_ms;
  }
  if (cause.kind == "group_paused") {
    const GroupState* const group = group_of(snapshot, cause);
    if (group != nullptr && group->paused_for) finding.verdict.since = *group->paused_for;
    if (group != nullptr && group->depth >= snapshot.info.options.slots / 2)
      finding.verdict.severity = Severity::warning;
  }
  // Corrupt messages that still come are told by Trends.
  finding.is_fallback =
      cause.kind == "consumer_stopped" || cause.kind == "producer_stopped" || cause.kind == "corrupt_messages";
}

Finding finding_of(const QueueSnapshot& snapshot, const Cause& cause, std::uint64_t now_ns) {
  const Rule rule = rule_of(cause);
  Finding finding{.verdict = {.kind = cause.kind}, .told_after = rule.told_after};
  Verdict& verdict = finding.verdict;
  verdict.severity = cause.blocks ? rule.if_blocks : rule.otherwise;
  if (is_full(cause) && !cause.for_ns) verdict.severity = Severity::warning;  // nobody waits yet
  verdict.queue = snapshot.info.name;
  verdict.subject = subject_of(snapshot, cause);
  verdict.cause = cause.text;
  // The sentence of `show` begins with the subject.
  if (is_full(cause) && !cause.subject.empty()) verdict.cause = cause.text.substr(cause.subject.size() + 2);
  verdict.evidence = evidence_of(snapshot, cause);
  verdict.since = lasted(cause);
  verdict.remedies = cause.remedies;
  verdict.group = cause.group;
  verdict.producer = cause.producer;
  verdict.consumer = cause.consumer;
  verdict.pid = cause.pid;
  verdict.position = cause.position;
  verdict.blocks = cause.blocks;
  verdict.waited = lasted(cause);
  adapt_to_kind(snapshot, cause, now_ns, finding);
  return finding;
}

/// The finding of a ring that is full although its consumers go on.
Finding while_it_moves(Finding stuck) {
  stuck.mark = 0;
  stuck.told_after = k_steadily_full_ms;
  stuck.verdict.severity = Severity::warning;
  stuck.verdict.since.reset();
  stuck.verdict.position.reset();
  stuck.verdict.forecast = "it moves, and producers go on at the pace of the consumers";
  stuck.is_fallback = true;
  return stuck;
}

}  // namespace

std::vector<Finding> findings_of(const QueueSnapshot& snapshot, const std::vector<Cause>& causes,
                                 std::uint64_t now_ns) {
  std::vector<Finding> findings;
  for (const Cause& cause : causes) {
    findings.push_back(finding_of(snapshot, cause, now_ns));
    if (is_full(cause)) findings.push_back(while_it_moves(findings.back()));
  }
  return findings;
}

}  // namespace beltway::watch
