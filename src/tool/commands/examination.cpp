// See examination.hpp.
#include "tool/commands/examination.hpp"

#include <algorithm>
#include <iterator>

#include "tool/process/interrupt.hpp"
#include "tool/text/units.hpp"
#include "watch/watcher.hpp"

namespace beltway::tool {

namespace {

using Clock = std::chrono::steady_clock;

/// Between two samples: a process that stands still for less is at work.
constexpr std::chrono::milliseconds k_pause_ms{200};
/// How much longer a suspicion is watched: by then each verdict is told or dropped.
constexpr std::chrono::seconds k_longest_doubt{4};

void append(std::vector<watch::Verdict>& all, std::vector<watch::Verdict> more) {
  std::ranges::move(more, std::back_inserter(all));
}

/// "doctor looks at 12 queues for 2 s".
std::string looking_text(const ExaminationPlan& plan, std::size_t queues, bool longer) {
  return plan.command + (longer ? " looks longer at " : " looks at ") + std::to_string(queues) +
         (queues == 1 ? " queue" : " queues") +
         (longer ? std::string(", as something is uncertain") : " for " + format_duration(plan.time));
}

}  // namespace

std::vector<watch::Verdict> Examination::verdicts_of(std::string_view queue) const {
  std::vector<watch::Verdict> found;
  std::ranges::copy_if(verdicts, std::back_inserter(found),
                       [queue](const watch::Verdict& each) { return each.queue == queue; });
  return found;
}

Examination examine(const ConnectionOptions& connection, const ExaminationPlan& plan, const std::stop_token& stop) {
  Progress progress(plan.progress, plan.command + " asks the daemon");
  const std::chrono::nanoseconds time = plan.time;
  watch::Watcher watcher({.connection = connection});
  const Clock::time_point start = Clock::now();
  Clock::time_point next = start;
  for (;;) {
    watcher.sample();
    const Clock::duration looked = Clock::now() - start;
    const bool is_over = looked >= time && (!watcher.fleet().undecided || looked >= time + k_longest_doubt);
    if (is_over || stop.stop_requested()) break;
    progress.say(looking_text(plan, watcher.fleet().queues.size(), looked >= time));
    next = std::max(next + k_pause_ms, Clock::now());
    if (looked < time) next = std::min(next, start + std::chrono::ceil<Clock::duration>(time));
    if (!sleep_until(next, stop)) break;
  }
  watcher.count_ages();
  Examination examination{.fleet = watcher.fleet(), .looked_for = Clock::now() - start};
  append(examination.verdicts, examination.fleet.verdicts);
  for (const watch::QueueView& queue : examination.fleet.queues) append(examination.verdicts, queue.verdicts);
  std::ranges::stable_sort(examination.verdicts, std::greater(), &watch::Verdict::severity);
  return examination;
}

}  // namespace beltway::tool
