// See trends.hpp.
#include "watch/trends.hpp"

#include <algorithm>

#include "base/tool_command.hpp"
#include "watch/format.hpp"
#include "watch/process_info.hpp"

namespace beltway::watch {

namespace {

constexpr std::uint64_t k_second_ns = 1'000'000'000;
/// Failures are counted within this time.
constexpr std::uint64_t k_window_ns = 2 * k_second_ns;
/// A lag that grows is told once it has done so for this time without falling: longer than most bursts.
constexpr std::chrono::milliseconds k_growth_ms{2000};
/// A lag that has not grown for so long has stopped to grow.
constexpr std::uint64_t k_rest_ns = k_second_ns;
/// A ring that takes longer than this to fill is no trouble yet.
constexpr double k_far_full_s = 600;
/// Part of the ring by which a lag must have grown: less is the noise of a stream.
constexpr std::uint32_t k_growth_part = 32;
constexpr std::uint64_t k_least_growth = 4;
/// Part of the deliveries that are repeated, and their number within the window, from which on failing is no exception.
constexpr double k_failing_part = 0.2;
constexpr std::uint64_t k_failing_deliveries = 10;
/// Corrupt messages are a trouble for so long after the last one; afterwards the count is a note.
constexpr std::uint64_t k_corrupt_trouble_ns = 60 * k_second_ns;

std::string consumer_text(const EndpointInfo& consumer) {
  return "consumer " + std::to_string(consumer.index) + " (" + process_text(consumer.pid) + ")";
}

std::string per_second(std::uint64_t number, Nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds > 0 ? format_rate(static_cast<double>(number) / seconds) : "";
}

}  // namespace

void Trends::Counted::add(const QueueSnapshot& snapshot, std::uint64_t ConsumerCounters::* counter) {
  std::uint64_t most_more = 0;
  std::map<unsigned, std::uint64_t> now;
  for (const ConsumerState& consumer : snapshot.consumers) {
    const std::uint64_t count = consumer.counters.*counter;
    const auto before = by_consumer.find(consumer.endpoint.index);
    // A place that another consumer has taken begins at 0.
    const bool goes_on = before != by_consumer.end() && before->second <= count;
    const std::uint64_t more = goes_on ? count - before->second : count;
    now[consumer.endpoint.index] = count;
    if (more <= most_more) continue;
    most_more = more;
    most = consumer.endpoint;
  }
  by_consumer = std::move(now);
}

void Trends::add(const QueueView& view, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  queue_ = view.info.name;
  slots_ = view.info.options.slots;
  used_ = view.used;
  std::erase_if(growth_, [&view](const auto& each) {
    return std::ranges::find(view.groups, each.first, &GroupView::name) == view.groups.end();
  });
  for (const GroupView& group : view.groups) {
    const auto [place, is_new] = growth_.try_emplace(group.name);
    Growth& growth = place->second;
    if (is_new || group.lag < growth.lag) growth = {.since_ns = now_ns, .from = group.lag, .lag = group.lag};
    if (group.lag > growth.lag) growth.grew_at_ns = now_ns;
    growth.lag = group.lag;
    growth.consumers = group.consumers;
    growth.paused = group.paused;
  }
  const Counts& counts = view.counts;
  if (!moments_.empty() && counts.messages_out < moments_.back().messages_out) moments_.clear();
  moments_.push_back({now_ns, counts.messages_out, counts.redelivered, counts.dead_lettered});
  while (moments_.size() > 2 && moments_[1].at_ns + k_window_ns <= now_ns) moments_.pop_front();
}

void Trends::add(const FullLook& look, std::uint64_t now_ns) {
  const QueueSnapshot& snapshot = look.snapshot;
  nacks_.add(snapshot, &ConsumerCounters::nacks);
  dead_letters_.add(snapshot, &ConsumerCounters::dead_lettered);
  single_message_fails_ = false;
  for (std::size_t i = 0; i < snapshot.groups.size(); ++i) {
    single_message_fails_ = single_message_fails_ || look.has_poison(i);
  }
  producers_.clear();
  for (const ProducerState& producer : snapshot.producers) producers_.push_back(producer.endpoint);
  std::uint64_t corrupt = 0;
  for (const ConsumerState& consumer : snapshot.consumers) corrupt += consumer.counters.corrupt;
  if (corrupt_ && corrupt > *corrupt_) {
    corrupt_more_ += corrupt - *corrupt_;
    corrupt_at_ns_ = now_ns;
  }
  corrupt_ = corrupt;
}

std::vector<Finding> Trends::findings() const {
  std::vector<Finding> findings;
  for (const auto& [group, growth] : growth_) add_growth(group, growth, findings);
  add_retries(findings);
  add_dead_letters(findings);
  add_corrupt(findings);
  return findings;
}

Verdict Trends::verdict(const char* kind, Severity severity) const {
  return {.kind = kind, .severity = severity, .queue = queue_, .subject = queue_};
}

Nanoseconds Trends::window() const {
  return moments_.empty() ? Nanoseconds(0) : Nanoseconds(now_ns_ - moments_.front().at_ns);
}

std::uint64_t Trends::grown(std::uint64_t Moment::* sum) const {
  if (moments_.empty()) return 0;
  const std::uint64_t before = moments_.front().*sum;
  const std::uint64_t now = moments_.back().*sum;
  return now > before ? now - before : 0;
}

void Trends::add_growth(const std::string& group, const Growth& growth, std::vector<Finding>& findings) const {
  const std::uint64_t more = growth.lag - growth.from;
  const Nanoseconds time(now_ns_ - growth.since_ns);
  if (more < std::max<std::uint64_t>(k_least_growth, slots_ / k_growth_part) || time.count() == 0) return;
  // A ring that is full is told by other verdicts, and a lag that rests does not grow.
  if (used_ >= slots_ || growth.grew_at_ns + k_rest_ns < now_ns_) return;
  const double per_s = static_cast<double>(more) / std::chrono::duration<double>(time).count();
  const double full_in_s = static_cast<double>(slots_ - used_) / per_s;
  if (full_in_s > k_far_full_s) return;
  Finding finding{.verdict = verdict("lag_grows", Severity::warning)};
  Verdict& verdict = finding.verdict;
  verdict.group = group;
  verdict.subject = queue_ + " fills up";
  const std::string name = "group \"" + group + "\"";
  verdict.cause = growth.paused ? name + " is paused"
                  : growth.consumers == 0
                      ? name + " has no consumer; " + std::string(k_start_consumer)
                      : name + " is slower than the producers; " + std::string(k_start_more_consumers);
  verdict.evidence = "its lag grew from " + std::to_string(growth.from) + " to " + std::to_string(growth.lag) +
                     " messages, " + format_rate(per_s);
  verdict.forecast =
      "full in " + format_duration(std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(full_in_s)));
  verdict.remedies = remedies_for_group(queue_, group);
  if (growth.paused) {
    verdict.remedies = {{tool_command("group resume", {queue_, group}), "lets its consumers go on"}};
  }
  // Two samples may stand at both ends of one burst.
  finding.told_after = k_growth_ms;
  finding.is_fallback = true;
  findings.push_back(std::move(finding));
}

void Trends::add_retries(std::vector<Finding>& findings) const {
  const std::uint64_t redelivered = grown(&Moment::redelivered);
  const std::uint64_t received = grown(&Moment::messages_out);
  const bool fails = redelivered >= k_failing_deliveries &&
                     static_cast<double>(redelivered) >= k_failing_part * static_cast<double>(received);
  if (!fails || single_message_fails_) return;
  Finding finding{.verdict = verdict("retries_grow", Severity::warning), .told_after = k_standstill_ms};
  Verdict& verdict = finding.verdict;
  verdict.cause = "many messages fail and are delivered again";
  verdict.evidence =
      per_second(redelivered, window()) + " of " + per_second(received, window()) + " deliveries are repeated";
  if (nacks_.most) {
    verdict.cause +=
        "; most are given back by " + consumer_text(*nacks_.most) + " of group \"" + nacks_.most->group + "\"";
    verdict.group = nacks_.most->group;
    verdict.consumer = nacks_.most->index;
    verdict.pid = nacks_.most->pid;
    verdict.remedies = {{tool_command("group pause", {queue_, nacks_.most->group}),
                         "ends deliveries of the group until it is resumed: time to find the reason"},
                        {"kill " + std::to_string(nacks_.most->pid), "ends that consumer: others get its messages"}};
  }
  findings.push_back(std::move(finding));
}

void Trends::add_dead_letters(std::vector<Finding>& findings) const {
  const std::uint64_t moved = grown(&Moment::dead_lettered);
  if (moved < 2) return;  // one message that fails for good is what dead letters are for
  Finding finding{.verdict = verdict("dead_letters_grow", Severity::warning), .told_after = k_standstill_ms};
  Verdict& verdict = finding.verdict;
  verdict.cause = "messages fail for good, one after the other";
  verdict.evidence = per_second(moved, window()) + " go to the dead letter queue";
  if (dead_letters_.most) {
    const EndpointInfo& consumer = *dead_letters_.most;
    verdict.cause += "; most are moved by " + consumer_text(consumer) + " of group \"" + consumer.group + "\"";
    verdict.group = consumer.group;
    verdict.consumer = consumer.index;
    verdict.pid = consumer.pid;
    verdict.remedies = {{tool_command("group pause", {queue_, consumer.group}),
                         "ends deliveries of the group until it is resumed: time to find the reason"}};
  }
  findings.push_back(std::move(finding));
}

void Trends::add_corrupt(std::vector<Finding>& findings) const {
  if (corrupt_at_ns_ == 0 || now_ns_ > corrupt_at_ns_ + k_corrupt_trouble_ns) return;
  Finding finding{.verdict = verdict("corrupt_messages", Severity::trouble)};
  Verdict& verdict = finding.verdict;
  verdict.cause = "messages make no sense and are skipped: a program writes over the memory of a producer";
  verdict.evidence = format_count(corrupt_more_) + " more while this was watched";
  for (const EndpointInfo& producer : producers_) {
    verdict.evidence += "; producer " + std::to_string(producer.index) + " is " + process_text(producer.pid);
    if (producer.pid <= 0) continue;
    verdict.remedies.push_back(
        {"kill " + std::to_string(producer.pid), "ends producer " + std::to_string(producer.index)});
    if (producers_.size() > 1) continue;
    verdict.producer = producer.index;
    verdict.pid = producer.pid;
  }
  findings.push_back(std::move(finding));
}

}  // namespace beltway::watch
