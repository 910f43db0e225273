// See watched_queue.hpp.
#include "watch/watched_queue.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include "client/inspect.hpp"
#include "ring/stamps.hpp"
#include "watch/addressed.hpp"
#include "watch/age_counts.hpp"
#include "watch/causes.hpp"
#include "watch/strip.hpp"
#include "wire/validate.hpp"

namespace beltway::watch {

namespace {

/// Points of a view's history: a minute. A detail has all that are kept.
constexpr std::size_t k_view_points = 60;
/// Rates that differ by less are equal: a rate is a difference of counts that were not read at one moment.
constexpr double k_growth = 0.02;

/// Between two full looks at a queue that shows something, or might: a second, and somewhat less, so that one who samples once a
/// second looks each time.
constexpr Nanoseconds k_between_looks = std::chrono::milliseconds(900);
/// Between two judgements of what samples show.
constexpr Nanoseconds k_between_judgements = std::chrono::milliseconds(250);

Nanoseconds clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

/// `count` at `per_second`; nothing if that takes more than a clock holds.
std::optional<Nanoseconds> time_for(std::uint64_t count, double per_second) {
  constexpr double k_longest_s = 1e9;
  if (per_second <= 0) return std::nullopt;
  const double seconds = static_cast<double>(count) / per_second;
  if (seconds > k_longest_s) return std::nullopt;
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
}

std::vector<HistoryPoint> last_points(const std::vector<HistoryPoint>& points) {
  const std::size_t count = std::min(points.size(), k_view_points);
  return {points.end() - static_cast<std::ptrdiff_t>(count), points.end()};
}

}  // namespace

SampleTime SampleTime::now() {
  return {.monotonic = clock_ns(CLOCK_MONOTONIC),
          .wall_s = std::chrono::duration_cast<std::chrono::seconds>(clock_ns(CLOCK_REALTIME)).count()};
}

WatchedQueue::WatchedQueue(wire::Description description, const WatcherOptions& options)
    : description_(std::move(description)),
      socket_(options.connection.socket),
      past_(static_cast<std::size_t>(std::clamp<std::int64_t>(options.history.count(), k_view_points, 3600))),
      verdicts_(options.tells_at_once) {}

void WatchedQueue::describe(wire::Description description, QueueView& view) {
  if (description.group_indexes != description_.group_indexes) window_.forget_groups();
  described_at_ = SampleTime::now().monotonic;
  open_again_at_ = {};
  description_ = std::move(description);
  if (reader_) reader_->describe(description_);
  view.info = description_.info;
  view.producers = 0;
  view.consumers = 0;
  view.groups.resize(view.info.options.groups.size());
  for (std::size_t i = 0; i < view.groups.size(); ++i) {
    view.groups[i].name = view.info.options.groups[i].name;
    view.groups[i].paused = view.info.paused_for(view.groups[i].name).has_value();
    view.groups[i].consumers = 0;
  }
  for (const EndpointInfo& endpoint : view.info.endpoints) {
    if (endpoint.evicted) continue;
    ++(endpoint.producer ? view.producers : view.consumers);
    if (endpoint.producer || endpoint.leaving) continue;
    if (const auto group = wire::find_group(description_, endpoint.group)) ++view.groups[*group].consumers;
  }
}

void WatchedQueue::open(client::Inspection inspection) {
  inspection_ = std::move(inspection);
  reader_.emplace(inspection_->memory);
  reader_->describe(description_);
}

client::QueueName WatchedQueue::queue_name() const {
  return {name(), id(), wire::geometry_of(description_.info.options)};
}

void WatchedQueue::read(const SampleTime& time, QueueView& view) {
  const Reading& reading = reader_->read();
  window_.add(time.monotonic, reading);
  producers_sleep_ = reading.producers_sleep;
  if (reading.counts.messages_out != last_out_) {
    last_out_ = reading.counts.messages_out;
    moved_at_ = time.monotonic;
  }
  view.readable = true;
  view.why_unreadable.clear();
  view.removed = reading.removed;
  view.position = reading.position;
  view.used = reading.used;
  view.counts = reading.counts;
  view.rates = window_.rates();
  fill_groups(reading, view);
  fill_slowest(reading, view);
  past_.add(time.monotonic, time.wall_s, view);
  if (past_.is_fresh()) view.history = last_points(past_.points());
}

void WatchedQueue::fill_groups(const Reading& reading, QueueView& view) const {
  for (std::size_t i = 0; i < view.groups.size() && i < reading.groups.size(); ++i) {
    GroupView& group = view.groups[i];
    group.lag = reading.groups[i].lag;
    group.oldest_age = reading.groups[i].oldest_age;
    group.in_per_s = view.rates.in;
    group.out_per_s = window_.group_out_per_s(i);
    group.delay = time_for(group.lag, group.out_per_s);
    group.time_to_full.reset();
    const std::uint64_t slots = view.info.options.slots;
    const double growth = group.in_per_s - group.out_per_s;
    if (growth > k_growth * group.in_per_s && group.lag < slots) {
      group.time_to_full = time_for(slots - group.lag, growth);
    }
  }
}

void WatchedQueue::fill_slowest(const Reading& reading, QueueView& view) const {
  view.lag = 0;
  view.delay.reset();
  view.oldest_age.reset();
  for (const GroupView& group : view.groups) {
    view.oldest_age = std::max(view.oldest_age, group.oldest_age);
    if (group.lag < view.lag || group.lag == 0) continue;
    view.lag = group.lag;
    view.delay = group.delay;
  }
  for (const Reading::PrivateConsumer& consumer : reading.private_consumers) {
    view.oldest_age = std::max(view.oldest_age, consumer.oldest_age);
    if (consumer.lag <= view.lag) continue;
    view.lag = consumer.lag;
    view.delay = time_for(consumer.lag, view.rates.out);
  }
}

bool WatchedQueue::is_suspicious(const SampleTime& time, const QueueView& view) const {
  if (time.monotonic - looked_at_ < k_between_looks) return false;
  if (verdicts_.wants_full_look()) return true;
  const bool nearly_full = view.used * 4 >= std::uint64_t{view.info.options.slots} * 3;
  const bool stands_still = view.lag != 0 && time.monotonic - moved_at_ >= k_standstill_ms;
  return producers_sleep_ || nearly_full || stands_still || view.removed;
}

void WatchedQueue::judge(const SampleTime& time, QueueView& view) {
  if (time.monotonic - judged_at_ < k_between_judgements) return;
  judged_at_ = time.monotonic;
  verdicts_.add(view, nullptr, static_cast<std::uint64_t>(time.monotonic.count()));
  tell(view);
}

void WatchedQueue::tell(QueueView& view) const {
  view.verdicts = verdicts_.told();
  address_remedies(view.verdicts, socket_);
}

QueueSnapshot WatchedQueue::look(const SampleTime& time, QueueView& view, const std::vector<QueueView>* queues) {
  ++looks_;
  looked_at_ = judged_at_ = time.monotonic;
  FullLook look{.snapshot = client::take_snapshot(inspection_->memory, description_at(time)),
                .around = {.queues = queues}};
  if (std::ranges::any_of(description_.info.endpoints, is_orphan)) {
    look.around.keepers = keepers_.look(inspection_->memory.control, description_.info, time.monotonic);
  }
  for (const unsigned group : description_.group_indexes) {
    look.most_tried.push_back(client::most_tried(inspection_->memory, group));
  }
  view.parked = look.snapshot.parked;
  verdicts_.add(view, &look, static_cast<std::uint64_t>(time.monotonic.count()));
  tell(view);
  return std::move(look.snapshot);
}

wire::Description WatchedQueue::description_at(const SampleTime& time) const {
  wire::Description description = description_;
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(time.monotonic - described_at_);
  if (passed.count() <= 0) return description;
  for (PausedGroup& group : description.info.paused) group.paused_for += passed;
  if (description.info.expires_in) {
    description.info.expires_in = std::max(*description.info.expires_in - passed, std::chrono::milliseconds(0));
  }
  return description;
}

template <class State>
EndpointView WatchedQueue::endpoint_view(const State& state, const SampleTime& time,
                                         std::map<unsigned, Before>& seen) const {
  EndpointView view{.info = state.endpoint};
  const auto now_ns = static_cast<std::uint64_t>(time.monotonic.count());
  const std::uint64_t since_ns = state.waits_since_ns;
  const std::uint64_t present_ns = since_ns != 0 && since_ns < now_ns ? now_ns - since_ns : 0;
  const unsigned owner = state.endpoint.index + (state.endpoint.producer ? 0 : ring::k_first_consumer);
  const Before now{state.counters.messages, state.counters.sleeps, state.counters.blocked_ns + present_ns};
  seen.emplace(owner, now);
  const auto earlier = before_.find(owner);
  const std::chrono::duration<double> elapsed = time.monotonic - before_at_;
  // An endpoint whose counters went back is another one.
  if (earlier == before_.end() || earlier->second.messages > now.messages || elapsed.count() <= 0) return view;
  const Before& before = earlier->second;
  const auto messages = static_cast<double>(now.messages - before.messages);
  view.messages_per_s = messages / elapsed.count();
  if (messages > 0 && now.sleeps > before.sleeps)
    view.wakes_per_message = static_cast<double>(now.sleeps - before.sleeps) / messages;
  const double waited_s =
      now.blocked_ns > before.blocked_ns ? static_cast<double>(now.blocked_ns - before.blocked_ns) * 1e-9 : 0;
  view.busy = std::clamp(1 - waited_s / elapsed.count(), 0.0, 1.0);
  return view;
}

void WatchedQueue::count_ages(QueueView& view) {
  if (ring::stamps_of(ring::load_stamping(inspection_->memory)) == Stamps::off) return;
  ages_.add(inspection_->memory);
  view.age_counts = ages_.counts();
}

QueueDetail WatchedQueue::detail(const SampleTime& time, const QueueView& view, std::size_t cells) {
  QueueDetail detail;
  detail.view = view;
  detail.snapshot = client::take_snapshot(inspection_->memory, description_at(time));
  detail.view.history = past_.points();
  std::map<unsigned, Before> seen;
  for (const ProducerState& producer : detail.snapshot.producers)
    detail.endpoints.push_back(endpoint_view(producer, time, seen));
  for (const ConsumerState& consumer : detail.snapshot.consumers) {
    detail.endpoints.push_back(endpoint_view(consumer, time, seen));
    detail.endpoints.back().held = consumer.held;
  }
  before_ = std::move(seen);
  before_at_ = time.monotonic;
  detail.strip = strip_of(inspection_->memory, description_, cells);
  detail.ages = age_counts_of(inspection_->memory, description_);
  return detail;
}

}  // namespace beltway::watch
