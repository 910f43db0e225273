// See queue_verdicts.hpp.
#include "watch/queue_verdicts.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace beltway::watch {

namespace {

/// Findings that take longer than this to tell are not waited for by a command that looks once.
constexpr std::chrono::milliseconds k_soon_ms{4000};
constexpr auto k_longest_gap_ns =
    static_cast<std::uint64_t>(std::chrono::nanoseconds(QueueVerdicts::k_longest_gap).count());

bool is_same(const Finding& a, const Finding& b) {
  const Verdict& x = a.verdict;
  const Verdict& y = b.verdict;
  return x.kind == y.kind && a.mark == b.mark && a.told_after == b.told_after && x.group == y.group &&
         x.producer == y.producer && x.consumer == y.consumer;
}

/// True if `other` says about the same consumer, producer or group what the fallback says, and more.
bool explains(const Verdict& other, const Verdict& fallback) {
  if (other.kind == fallback.kind && other.group == fallback.group && other.consumer == fallback.consumer) return true;
  if (other.severity == Severity::note) return false;
  if (fallback.consumer) return other.consumer == fallback.consumer;
  if (fallback.producer) return other.producer == fallback.producer;
  return !fallback.group.empty() && other.group == fallback.group;
}

}  // namespace

void QueueVerdicts::add(const QueueView& view, const FullLook* look, std::uint64_t now_ns) {
  std::erase_if(seen_, [&](const Seen& each) { return each.last_ns + k_longest_gap_ns < now_ns; });
  trends_.add(view, now_ns);
  if (look != nullptr) {
    trends_.add(*look, now_ns);
    std::vector<Finding> findings =
        findings_of(look->snapshot, find_causes(look->snapshot, now_ns, look->around), now_ns);
    std::ranges::move(poison_messages(*look), std::back_inserter(findings));
    std::ranges::move(stuck_dead_letters(look->snapshot), std::back_inserter(findings));
    see(std::move(findings), true, now_ns);
  }
  see(trends_.findings(), false, now_ns);
  tell(now_ns);
}

void QueueVerdicts::see(std::vector<Finding> findings, bool by_full_look, std::uint64_t now_ns) {
  std::vector<Seen> now;
  // A look that did not show it, shortly before, says when it began. Samples show a trend only after it has begun.
  const bool says_begin = by_full_look && full_look_ns_ != 0 && full_look_ns_ + k_longest_gap_ns >= now_ns;
  for (Finding& finding : findings) {
    const auto before = std::ranges::find_if(seen_, [&](const Seen& each) { return is_same(each.finding, finding); });
    const bool is_new = before == seen_.end();
    const std::uint64_t first_ns = is_new ? now_ns : before->first_ns;
    const bool began_before = is_new ? !says_begin : before->began_before;
    now.push_back({std::move(finding), first_ns, now_ns, by_full_look, began_before});
  }
  if (by_full_look) full_look_ns_ = now_ns;
  // Those of the other way of looking stay.
  std::ranges::copy_if(seen_, std::back_inserter(now),
                       [&](const Seen& each) { return each.by_full_look != by_full_look; });
  seen_ = std::move(now);
}

void QueueVerdicts::tell(std::uint64_t now_ns) {
  told_.clear();
  undecided_ = false;
  std::vector<Verdict> fallbacks;
  for (const Seen& each : seen_) {
    const Finding& finding = each.finding;
    const Nanoseconds seen(each.last_ns - each.first_ns);  // by looks: what comes after the last one is not known
    // What a second look has not shown again may be a moment of work, whatever the words of the memory say of its past.
    const bool is_again = seen.count() > 0 || finding.told_after.count() == 0;
    const Nanoseconds lasted = std::max(seen, finding.verdict.since.value_or(seen));
    const bool needs_time = finding.mark == 0 || finding.told_after >= k_long_job_ms;
    const bool is_enough = tells_at_once_ && finding.told_after < k_long_job_ms;
    const bool is_told = is_again && (is_enough || (needs_time ? lasted : seen) >= finding.told_after);
    const Nanoseconds until_now(now_ns - each.last_ns);
    const bool is_note = finding.verdict.severity == Severity::note;
    if (!is_told) {
      undecided_ = undecided_ || (!is_note && finding.told_after <= k_soon_ms);
      continue;
    }
    Verdict verdict = finding.verdict;
    if (lasted.count() > 0) {
      verdict.since_is_least = each.began_before && finding.verdict.since.value_or(Nanoseconds(0)) < lasted;
      verdict.since = lasted + until_now;
    }
    (finding.is_fallback ? fallbacks : told_).push_back(std::move(verdict));
  }
  for (Verdict& fallback : fallbacks) {
    const bool is_explained =
        std::ranges::any_of(told_, [&](const Verdict& other) { return explains(other, fallback); });
    if (!is_explained) told_.push_back(std::move(fallback));
  }
  std::ranges::stable_sort(told_, [](const Verdict& a, const Verdict& b) {
    return std::pair(b.severity, b.since.value_or(Nanoseconds(0))) <
           std::pair(a.severity, a.since.value_or(Nanoseconds(0)));
  });
}

}  // namespace beltway::watch
