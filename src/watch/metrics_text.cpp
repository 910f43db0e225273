// Families of the daemon and of all queues together, and the format itself. Families of single queues: metrics_queues.cpp.
#include "watch/metrics_text.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "watch/metric_writer.hpp"

namespace beltway::watch {

namespace {

/// A counter of the model with its name and its meaning.
struct CounterFamily {
  const char* name;
  const char* help;
  std::uint64_t Counts::* value;
};

constexpr CounterFamily k_counters[] = {
    {"messages_published_total", "Messages that producers published.", &Counts::messages_in},
    {"published_bytes_total", "Payload bytes that producers published.", &Counts::bytes_in},
    {"messages_received_total", "Messages that consumers received, of all groups and private consumers together.",
     &Counts::messages_out},
    {"received_bytes_total", "Payload bytes that consumers received.", &Counts::bytes_out},
    {"publishes_refused_total", "Tries to publish that ended since the queue was full.", &Counts::refused},
    {"messages_lost_total", "Messages that producers overwrote before a lossy consumer or a group that drops had them.",
     &Counts::lost},
    {"messages_redelivered_total", "Messages received that had been delivered before.", &Counts::redelivered},
    {"messages_discarded_total", "Messages dropped: rejected, or delivered max_deliveries times.", &Counts::discarded},
    {"messages_expired_total", "Messages not delivered since they were older than their ttl.", &Counts::expired},
    {"messages_dead_lettered_total", "Messages moved to a dead letter queue.", &Counts::dead_lettered},
    {"leases_timed_out_total", "Messages taken from a consumer that held them longer than lease_timeout.",
     &Counts::timed_out},
    {"messages_unread_total", "Messages published while the queue had neither a group nor a consumer.",
     &Counts::unread},
    {"wakes_total", "Endpoints woken from their sleep.", &Counts::wakes},
    {"sleeps_total", "Times that an endpoint slept in the kernel.", &Counts::sleeps},
    {"repairs_total", "Endpoints that detached or died and were cleaned up.", &Counts::repairs},
    {"repair_voided_claims_total", "Claims of dead producers that the repair ended.", &Counts::voided},
    {"repair_released_leases_total", "Messages of dead consumers that the repair gave back.", &Counts::released},
};

Counts sum(const Fleet& fleet) {
  Counts total = fleet.removed_counts;
  for (const QueueView& queue : fleet.queues) {
    if (queue.readable) total += queue.counts;
  }
  return total;
}

void add_up(MetricWriter& out, bool answers) {
  out.family("up", "gauge", "1 if the daemon answers, 0 if it does not.").value(answers ? 1 : 0);
}

void add_daemon(MetricWriter& out, const Fleet& fleet) {
  add_up(out, fleet.daemon_answers);
  out.family("daemon_gone_seconds", "gauge", "How long the daemon has not answered; 0 if it answers.")
      .value(fleet.daemon_gone_for.value_or(Nanoseconds(0)));
  out.family("daemon_info", "gauge", "1, with the version of the daemon that answered last.")
      .value(1, {{"version", fleet.daemon.version}, {"layout", fleet.daemon.layout}});
  out.family("daemon_log_lost_lines", "gauge", "Lines that the daemon's log has dropped since its start.")
      .value(fleet.daemon.log_lost);
  out.family("daemon_held_queues", "gauge", "Queues of another version, which the daemon keeps and does not serve.")
      .value(fleet.daemon.held.size());
}

/// Verdicts by kind and severity. The kinds are a fixed list, so the number of series is bounded.
void add_verdicts(MetricWriter& out, const Fleet& fleet) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> by_kind;
  const auto count = [&by_kind](const std::vector<Verdict>& verdicts) {
    for (const Verdict& verdict : verdicts) ++by_kind[{verdict.kind, name_of(verdict.severity)}];
  };
  count(fleet.verdicts);
  for (const QueueView& queue : fleet.queues) count(queue.verdicts);
  out.family("verdicts", "gauge", "What beltway doctor finds wrong, by kind and severity.");
  for (const auto& [kind, number] : by_kind) {
    out.value(number, {{"kind", kind.first}, {"severity", kind.second}});
  }
  for (const Severity severity : {Severity::trouble, Severity::warning, Severity::note}) {
    const auto is_severe = [severity](const QueueView& queue) { return queue.severity() == severity; };
    if (severity == Severity::trouble) {
      out.family("queues_by_severity", "gauge", "Queues by their gravest verdict; \"none\" is a healthy queue.");
    }
    out.value(static_cast<std::uint64_t>(std::ranges::count_if(fleet.queues, is_severe)),
              {{"severity", name_of(severity)}});
  }
  const auto is_healthy = [](const QueueView& queue) { return queue.verdicts.empty(); };
  out.value(static_cast<std::uint64_t>(std::ranges::count_if(fleet.queues, is_healthy)), {{"severity", "none"}});
}

void add_sums(MetricWriter& out, const Fleet& fleet) {
  std::uint64_t producers = 0;
  std::uint64_t consumers = 0;
  std::uint64_t readable = 0;
  std::uint64_t parked = 0;
  std::uint64_t lag = 0;
  std::uint64_t worst_lag = 0;
  double fullest = 0;
  Nanoseconds oldest{0};
  for (const QueueView& queue : fleet.queues) {
    producers += queue.producers;
    consumers += queue.consumers;
    if (!queue.readable) continue;
    ++readable;
    parked += queue.parked;
    lag += queue.lag;
    worst_lag = std::max(worst_lag, queue.lag);
    oldest = std::max(oldest, queue.oldest_age.value_or(Nanoseconds(0)));
    fullest = std::max(fullest, used_ratio(queue));
  }
  out.family("queues", "gauge", "Queues that the caller may see.").value(fleet.queues.size());
  out.family("readable_queues", "gauge", "Queues that the caller may read. Sums contain these queues only.")
      .value(readable);
  out.family("producers", "gauge", "Producers that are attached.").value(producers);
  out.family("consumers", "gauge", "Consumers that are attached.").value(consumers);
  out.family("shared_memory_bytes", "gauge", "Size of the memory segments of all queues.").value(fleet.shared_bytes);
  out.family("parked_slots", "gauge", "Slots whose messages are held for long and do not hold the ring.").value(parked);
  out.family("lag_messages", "gauge", "Messages that the slowest group of each queue still needs, summed.").value(lag);
  out.family("worst_lag_messages", "gauge", "The largest lag of all queues.").value(worst_lag);
  out.family("fullest_ring_ratio", "gauge", "The largest part of a ring that is in use, 0 to 1.").value(fullest);
  out.family("oldest_message_age_seconds", "gauge", "Age of the oldest message of all queues with stamps.")
      .value(oldest);
}

}  // namespace

Counts& Counts::operator+=(const Counts& more) noexcept {
  for (const CounterFamily& counter : k_counters) this->*counter.value += more.*counter.value;
  return *this;
}

double used_ratio(const QueueView& queue) noexcept {
  const std::uint32_t slots = queue.info.options.slots;
  return slots == 0 ? 0 : std::min(1.0, static_cast<double>(queue.used) / slots);
}

std::string metrics_text_without_daemon() {
  MetricWriter out;
  add_up(out, false);
  return std::move(out).text();
}

std::string metrics_text(const Fleet& fleet, const MetricsOptions& options) {
  MetricWriter out;
  add_daemon(out, fleet);
  add_verdicts(out, fleet);
  add_bridges(out, fleet.bridges);
  add_sums(out, fleet);
  const Counts total = sum(fleet);
  for (const CounterFamily& counter : k_counters) {
    out.family(counter.name, "counter", std::string(counter.help) + " Sum of all readable queues.")
        .value(total.*counter.value);
  }
  if (!options.per_queue) return std::move(out).text();
  const QueueSelection selection = select_queues(fleet, options.max_queues);
  for (const CounterFamily& counter : k_counters) {
    out.family("queue_" + std::string(counter.name), "counter", counter.help);
    std::uint64_t others = 0;
    for (const QueueView* const queue : selection.others) others += queue->counts.*counter.value;
    for (const QueueView* const queue : selection.chosen) {
      out.value(queue->counts.*counter.value, {{"queue", queue->info.name}});
    }
    if (!selection.others.empty()) out.value(others, {{"queue", k_other_queues}});
  }
  add_queue_gauges(out, selection);
  add_age_histograms(out, selection);
  return std::move(out).text();
}

}  // namespace beltway::watch
