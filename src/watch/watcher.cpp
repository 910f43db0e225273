// See watcher.hpp.
#include "watch/watcher.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "beltway/error.hpp"
#include "client/queries.hpp"
#include "client/session.hpp"
#include "client/start_command.hpp"
#include "watch/addressed.hpp"
#include "watch/bridges.hpp"
#include "watch/look_budget.hpp"
#include "watch/machine.hpp"
#include "watch/machine_looks.hpp"
#include "watch/process_info.hpp"
#include "watch/verdicts.hpp"
#include "watch/waiting_dead_letters.hpp"
#include "watch/watched_queue.hpp"

namespace beltway::watch {

namespace {

/// All that the daemon may take of one sample.
constexpr std::chrono::milliseconds k_patience_ms{500};
/// How often a daemon that does not answer is asked again, and how often one that answers is asked for all that it is.
constexpr Nanoseconds k_between_questions = std::chrono::seconds(1);
constexpr Nanoseconds k_between_full_lists = std::chrono::seconds(5);
constexpr Nanoseconds k_between_bridge_looks = std::chrono::seconds(1);
constexpr Nanoseconds k_between_introductions = std::chrono::seconds(5);

/// The part of a processor that full looks may take: at queues that look suspicious, and at the others in turn.
constexpr double k_share_of_suspicious = 0.008;
constexpr Nanoseconds k_most_of_suspicious = std::chrono::milliseconds(20);
constexpr double k_share_of_others = 0.003;
constexpr Nanoseconds k_most_of_others = std::chrono::milliseconds(5);
constexpr Nanoseconds k_between_others = std::chrono::seconds(1);

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
    fleet_.named_socket = options_.connection.socket;
    introduced_at_ = SampleTime::now().monotonic;
  }

  void sample();
  [[nodiscard]] const Fleet& fleet() const noexcept { return fleet_; }
  void count_ages();
  [[nodiscard]] std::optional<QueueDetail> detail(std::string_view name);

 private:
  /// Null: there is no view of that name whose memory is mapped.
  [[nodiscard]] QueueView* find_open(std::string_view name);
  void meet(std::string_view name, const SampleTime& time);
  [[nodiscard]] bool is_to_be_asked(const SampleTime& time) const;
  void ask_daemon(const SampleTime& time);
  void take_changes(client::QueueChanges changes);
  void open_queues(const SampleTime& time, const Until& until);
  void read_queues(const SampleTime& time);
  void look_at_queues(const SampleTime& time);
  void look_within(LookBudget& budget, const SampleTime& time, QueueView& view);
  void judge_daemon(const SampleTime& time);
  [[nodiscard]] Verdict silence_verdict(Nanoseconds gone) const;

  const WatcherOptions options_;
  client::Session session_;
  Fleet fleet_;
  std::map<std::uint64_t, WatchedQueue> queues_;  ///< by id
  LookBudget suspicious_{k_share_of_suspicious, k_most_of_suspicious};
  LookBudget others_{k_share_of_others, k_most_of_others};
  MachineLooks looks_;
  std::uint64_t revision_ = 0;  ///< of the last list; 0: none, or an older daemon
  Nanoseconds sampled_at_{0};
  Nanoseconds asked_at_{0};
  Nanoseconds answered_at_{0};
  Nanoseconds bridges_due_at_{0};
  Nanoseconds introduced_at_{0};
};

void Watcher::State::sample() {
  const ProcessMemory processes;
  const SampleTime time = SampleTime::now();
  ask_daemon(time);
  read_queues(time);
  look_at_queues(time);
  tell_waiting_dead_letters(fleet_);
  judge_daemon(time);
  sampled_at_ = time.monotonic;
  if (!std::ranges::is_sorted(fleet_.queues, is_graver)) std::ranges::stable_sort(fleet_.queues, is_graver);
}

bool Watcher::State::is_to_be_asked(const SampleTime& time) const {
  const Nanoseconds passed = time.monotonic - asked_at_;
  if (asked_at_.count() == 0) return true;
  // An older daemon sends all that it has each time.
  if (fleet_.daemon_answers) return revision_ != 0 || passed >= k_between_full_lists;
  if (passed < k_between_questions) return false;
  // A stopped process does not answer.
  const std::optional<ProcessInfo> process = process_info(fleet_.daemon.pid);
  return !process || !process->stopped() || process->state == RunState::ended;
}

void Watcher::State::ask_daemon(const SampleTime& time) {
  if (!is_to_be_asked(time)) return;
  asked_at_ = time.monotonic;
  const Until until(k_patience_ms);
  try {
    const bool was_gone = !std::exchange(fleet_.daemon_answers, false);
    if (was_gone || time.monotonic - introduced_at_ >= k_between_introductions) {
      fleet_.daemon = client::ask_daemon(session_, until, &fleet_.quota);
      introduced_at_ = time.monotonic;
    }
    client::QueueChanges changes = client::list_changes(session_, revision_, until);
    // All instead of changes: another daemon may have taken over meanwhile.
    if (changes.complete && revision_ != 0) fleet_.daemon = client::ask_daemon(session_, until, &fleet_.quota);
    take_changes(std::move(changes));
    fleet_.daemon_answers = true;
    answered_at_ = time.monotonic;
    open_queues(time, until);
  } catch (const Error&) {
    // The queues that are open go on; judge_daemon() says what is missing.
  }
}

void Watcher::State::take_changes(client::QueueChanges changes) {
  revision_ = changes.revision;
  std::map<std::uint64_t, wire::Description*> by_id;
  for (wire::Description& each : changes.queues) by_id.emplace(each.info.id, &each);
  const std::set<std::uint64_t> removed(changes.removed.begin(), changes.removed.end());
  // A queue that is gone must not keep its memory for us.
  std::erase_if(fleet_.queues, [&](const QueueView& view) {
    const bool is_gone = removed.contains(view.info.id) || (changes.complete && !by_id.contains(view.info.id));
    if (!is_gone) return false;
    fleet_.removed_counts += view.counts;
    queues_.erase(view.info.id);
    return true;
  });
  for (QueueView& view : fleet_.queues) {
    const auto change = by_id.find(view.info.id);
    if (change == by_id.end()) continue;
    queues_.at(view.info.id).describe(std::move(*change->second), view);
    by_id.erase(change);
  }
  for (const auto& [id, description] : by_id) {
    const auto [place, fresh] = queues_.try_emplace(id, *description, options_);
    place->second.describe(std::move(*description), fleet_.queues.emplace_back());
  }
}

void Watcher::State::open_queues(const SampleTime& time, const Until& until) {
  std::size_t open = static_cast<std::size_t>(
      std::ranges::count_if(queues_, [](const auto& entry) { return entry.second.is_open(); }));
  if (open == queues_.size()) return;
  for (QueueView& view : fleet_.queues) {
    WatchedQueue& queue = queues_.at(view.info.id);
    if (queue.is_open() || !queue.may_open(time)) continue;
    if (until.is_over()) return;
    if (open >= options_.max_mapped) {
      view.why_unreadable = "more than " + std::to_string(options_.max_mapped) + " queues are watched";
      continue;
    }
    try {
      queue.open(client::attach_inspector(session_, queue.queue_name(), &until));
      ++open;
    } catch (const Error& error) {
      if (error.reason() == Errc::no_daemon) return;
      view.why_unreadable = error.what();
      queue.refuse(time);
    }
  }
}

void Watcher::State::read_queues(const SampleTime& time) {
  fleet_.rates = {};
  fleet_.shared_bytes = 0;
  for (QueueView& view : fleet_.queues) {
    fleet_.shared_bytes += view.info.shared_bytes;
    WatchedQueue& queue = queues_.at(view.info.id);
    if (!queue.is_open()) continue;
    queue.read(time, view);
    for (auto rate : {&Rates::in, &Rates::out, &Rates::bytes_in, &Rates::bytes_out, &Rates::redelivered,
                      &Rates::dead_lettered, &Rates::lost}) {
      fleet_.rates.*rate += view.rates.*rate;
    }
  }
}

void Watcher::State::look_at_queues(const SampleTime& time) {
  const Nanoseconds passed = time.monotonic - sampled_at_;
  for (LookBudget* budget : {&suspicious_, &others_}) budget->refill(passed);
  QueueView* longest_ago = nullptr;
  fleet_.undecided = false;
  for (QueueView& view : fleet_.queues) {
    WatchedQueue& queue = queues_.at(view.info.id);
    if (!queue.is_open()) continue;
    if (queue.is_unknown() || options_.tells_at_once) {
      queue.look(time, view, &fleet_.queues);
    } else if (queue.is_overdue(time) || (suspicious_.has_left() && queue.is_suspicious(time, view))) {
      look_within(suspicious_, time, view);
    } else {
      queue.judge(time, view);
    }
    fleet_.undecided = fleet_.undecided || queue.undecided();
    const Nanoseconds at = queue.looked_at();
    const bool is_older = longest_ago == nullptr || at < queues_.at(longest_ago->info.id).looked_at();
    if (is_older && time.monotonic - at >= k_between_others) longest_ago = &view;
  }
  if (longest_ago != nullptr && others_.has_left()) look_within(others_, time, *longest_ago);
}

void Watcher::State::look_within(LookBudget& budget, const SampleTime& time, QueueView& view) {
  const Nanoseconds before = LookBudget::used();
  queues_.at(view.info.id).look(time, view, &fleet_.queues);
  budget.spend(LookBudget::used() - before);
}

void Watcher::State::judge_daemon(const SampleTime& time) {
  fleet_.verdicts = daemon_verdicts(fleet_);
  std::ranges::move(looks_.verdicts(fleet_, time.monotonic), std::back_inserter(fleet_.verdicts));
  fleet_.daemon_gone_for.reset();
  if (!fleet_.daemon_answers) {
    fleet_.daemon_gone_for = time.monotonic - answered_at_;
    fleet_.verdicts.insert(fleet_.verdicts.begin(), silence_verdict(*fleet_.daemon_gone_for));
  }
  if (time.monotonic >= bridges_due_at_) {
    bridges_due_at_ = time.monotonic + k_between_bridge_looks;
    fleet_.bridges = bridges_of(fleet_.daemon.socket);
  }
  tell_bridges(fleet_);
  address_remedies(fleet_.verdicts, fleet_.named_socket);
  std::ranges::stable_sort(fleet_.verdicts, std::greater(), &Verdict::severity);
}

Verdict Watcher::State::silence_verdict(Nanoseconds gone) const {
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
    const std::string& socket = fleet_.daemon.socket.empty() ? fleet_.daemon.asked : fleet_.daemon.socket;
    verdict.remedies = {
        {client::start_command(socket), "starts a daemon, which takes over the queues if a supervisor has kept them"}};
  }
  return verdict;
}

void Watcher::State::count_ages() {
  for (QueueView& view : fleet_.queues) {
    WatchedQueue& queue = queues_.at(view.info.id);
    if (queue.is_open()) queue.count_ages(view);
  }
}

QueueView* Watcher::State::find_open(std::string_view name) {
  const auto view =
      std::ranges::find(fleet_.queues, name, [](const QueueView& each) -> std::string_view { return each.info.name; });
  const bool is_open = view != fleet_.queues.end() && queues_.at(view->info.id).is_open();
  return is_open ? &*view : nullptr;
}

/// A queue that was declared after the last sample: asks the daemon for it, and looks at it as a sample does.
void Watcher::State::meet(std::string_view name, const SampleTime& time) {
  ask_daemon(time);
  QueueView* const view = find_open(name);
  if (view == nullptr) return;
  WatchedQueue& queue = queues_.at(view->info.id);
  queue.read(time, *view);
  queue.look(time, *view, &fleet_.queues);
}

std::optional<QueueDetail> Watcher::State::detail(std::string_view name) {
  const SampleTime time = SampleTime::now();
  if (find_open(name) == nullptr) meet(name, time);
  const QueueView* const view = find_open(name);
  if (view == nullptr) return std::nullopt;
  return queues_.at(view->info.id).detail(time, *view, options_.strip_cells);
}

Watcher::Watcher(WatcherOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Watcher::~Watcher() = default;
void Watcher::sample() { state_->sample(); }
const Fleet& Watcher::fleet() const noexcept { return state_->fleet(); }
void Watcher::count_ages() { state_->count_ages(); }
std::optional<QueueDetail> Watcher::detail(std::string_view queue) { return state_->detail(queue); }

}  // namespace beltway::watch
