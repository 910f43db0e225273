// See watcher.hpp.
#include "watch/watcher.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "beltway/error.hpp"
#include "client/queries.hpp"
#include "client/session.hpp"
#include "watch/format.hpp"
#include "watch/machine.hpp"
#include "watch/process_info.hpp"
#include "watch/verdicts.hpp"
#include "watch/watched_queue.hpp"
#include "wire/validate.hpp"

namespace beltway::watch {

namespace {

/// All that the daemon may take of one sample.
constexpr std::chrono::milliseconds k_patience_ms{500};
/// How often a daemon that does not answer is asked again, and how often one that answers is asked for all that it is.
constexpr Nanoseconds k_between_questions = std::chrono::seconds(1);
constexpr Nanoseconds k_between_introductions = std::chrono::seconds(5);

ConnectionOptions without_start(ConnectionOptions options) {
  options.start_daemon = false;
  return options;
}

}  // namespace

class Watcher::State {
 public:
  explicit State(WatcherOptions options) : options_(std::move(options)), session_(without_start(options_.connection)) {
    fleet_.daemon = client::ask_daemon(session_, Until(), &fleet_.quota);
    fleet_.daemon_answers = true;
    introduced_at_ = SampleTime::now().monotonic;
  }

  void sample();
  [[nodiscard]] const Fleet& fleet() const noexcept { return fleet_; }
  [[nodiscard]] std::optional<QueueDetail> detail(std::string_view name);

 private:
  void ask_daemon(const SampleTime& time);
  void take_list(std::vector<wire::Description> list);
  void open_queues(const Until& until);
  void read_queues(const SampleTime& time);
  void judge_daemon(const SampleTime& time);

  const WatcherOptions options_;
  client::Session session_;
  Fleet fleet_;
  std::map<std::uint64_t, WatchedQueue> queues_;  ///< by id
  Nanoseconds asked_at_{0};
  Nanoseconds answered_at_{0};
  Nanoseconds introduced_at_{0};
};

void Watcher::State::sample() {
  const SampleTime time = SampleTime::now();
  ask_daemon(time);
  read_queues(time);
  judge_daemon(time);
  std::ranges::stable_sort(fleet_.queues, is_graver);
}

void Watcher::State::ask_daemon(const SampleTime& time) {
  if (!fleet_.daemon_answers && time.monotonic - asked_at_ < k_between_questions) return;
  asked_at_ = time.monotonic;
  const Until until(k_patience_ms);
  try {
    const bool was_gone = !std::exchange(fleet_.daemon_answers, false);
    if (was_gone || time.monotonic - introduced_at_ >= k_between_introductions) {
      fleet_.daemon = client::ask_daemon(session_, until, &fleet_.quota);
      introduced_at_ = time.monotonic;
    }
    take_list(client::list_queues(session_, until));
    fleet_.daemon_answers = true;
    answered_at_ = time.monotonic;
    open_queues(until);
  } catch (const Error&) {
    // The queues that are open go on; judge_daemon() says what is missing.
  }
}

void Watcher::State::take_list(std::vector<wire::Description> list) {
  std::map<std::uint64_t, wire::Description*> by_id;
  for (wire::Description& each : list) by_id.emplace(each.info.id, &each);
  // A queue that is gone must not keep its memory for us.
  std::erase_if(queues_, [&](const auto& entry) { return !by_id.contains(entry.first); });
  for (const QueueView& view : fleet_.queues) {
    if (!by_id.contains(view.info.id)) fleet_.removed_counts += view.counts;
  }
  std::erase_if(fleet_.queues, [&](const QueueView& view) { return !by_id.contains(view.info.id); });
  for (QueueView& view : fleet_.queues) {
    queues_.at(view.info.id).describe(std::move(*by_id.at(view.info.id)), view);
    by_id.erase(view.info.id);
  }
  for (const auto& [id, description] : by_id) {
    const auto [place, fresh] = queues_.try_emplace(id, *description, options_);
    place->second.describe(std::move(*description), fleet_.queues.emplace_back());
  }
}

void Watcher::State::open_queues(const Until& until) {
  for (auto& [id, queue] : queues_) {
    if (queue.is_open()) continue;
    if (until.is_over()) return;
    try {
      const auto view = std::ranges::find(fleet_.queues, id, [](const QueueView& each) { return each.info.id; });
      queue.open(client::attach_inspector(session_, {queue.name(), id, wire::geometry_of(view->info.options)}, &until));
    } catch (const Error& error) {
      if (error.reason() == Errc::no_daemon) return;
      // No right to read, or no room: the view has what the daemon tells.
    }
  }
}

void Watcher::State::read_queues(const SampleTime& time) {
  fleet_.rates = {};
  fleet_.undecided = false;
  fleet_.shared_bytes = 0;
  for (QueueView& view : fleet_.queues) {
    fleet_.shared_bytes += view.info.shared_bytes;
    WatchedQueue& queue = queues_.at(view.info.id);
    if (!queue.is_open()) continue;
    queue.read(time, view);
    queue.look(time, view);
    fleet_.undecided = fleet_.undecided || queue.undecided();
    for (auto rate : {&Rates::in, &Rates::out, &Rates::bytes_in, &Rates::bytes_out, &Rates::redelivered,
                      &Rates::dead_lettered, &Rates::lost}) {
      fleet_.rates.*rate += view.rates.*rate;
    }
  }
}

void Watcher::State::judge_daemon(const SampleTime& time) {
  fleet_.verdicts = daemon_verdicts(fleet_);
  fleet_.daemon_gone_for.reset();
  if (fleet_.daemon_answers) return;
  const Nanoseconds gone = time.monotonic - answered_at_;
  fleet_.daemon_gone_for = gone;
  const int pid = fleet_.daemon.pid;
  const std::optional<ProcessInfo> process = process_info(pid);
  const bool stopped = process && process->name.starts_with("beltwayd") && process->state != RunState::ended;
  Verdict verdict{.kind = stopped && process->stopped() ? "daemon_stopped" : "daemon_gone",
                  .severity = Severity::trouble,
                  .subject = "the daemon at " + fleet_.daemon.asked + " does not answer",
                  .cause = process_text(pid),
                  .since = gone,
                  .pid = pid};
  verdict.evidence = "attached programs go on; no program can attach, and no death is repaired";
  if (stopped) {
    verdict.remedies = remedies_for_process(pid);
  } else {
    verdict.remedies = {{"beltwayd", "starts a daemon, which takes over the queues if a supervisor has kept them"}};
  }
  fleet_.verdicts.insert(fleet_.verdicts.begin(), std::move(verdict));
}

std::optional<QueueDetail> Watcher::State::detail(std::string_view name) {
  const auto view =
      std::ranges::find(fleet_.queues, name, [](const QueueView& each) -> std::string_view { return each.info.name; });
  if (view == fleet_.queues.end()) return std::nullopt;
  WatchedQueue& queue = queues_.at(view->info.id);
  if (!queue.is_open()) return std::nullopt;
  return queue.detail(SampleTime::now(), *view, options_.strip_cells);
}

Watcher::Watcher(WatcherOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Watcher::~Watcher() = default;
void Watcher::sample() { state_->sample(); }
const Fleet& Watcher::fleet() const noexcept { return state_->fleet(); }
std::optional<QueueDetail> Watcher::detail(std::string_view queue) { return state_->detail(queue); }

}  // namespace beltway::watch
