// See causes.hpp.
#include "watch/causes.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "beltway/limits.hpp"
#include "watch/format.hpp"

namespace beltway::watch {

namespace {

/// Finds the causes of one snapshot.
class Finder {
 public:
  Finder(const QueueSnapshot& snapshot, std::uint64_t now_ns, const LookContext& around)
      : s_(snapshot), now_ns_(now_ns), around_(around) {}

  std::vector<Cause> find() {
    if (s_.removed) {
      add({.kind = "removed",
           .text = "the queue was removed: all attached processes are told so, and nothing need be done"});
    }
    add_claims();
    add_full_ring();
    for (const ProducerState& producer : s_.producers) add_full_lane(producer);
    for (const LeavingGroup& group : s_.leaving) add_leaving(group);
    for (const ConsumerState& consumer : s_.consumers) add_consumer(consumer);
    for (const ProducerState& producer : s_.producers) add_producer(producer);
    add_idle_groups(s_, causes_);
    add_paused_groups(s_, causes_);
    add_parked_messages(s_, causes_);
    add_missing_dead_letter_queues(s_, around_, causes_);
    add_memory_causes(s_, causes_);
    add_orphans(s_, around_, causes_);
    return std::move(causes_);
  }

 private:
  void add(Cause cause) {
    if (!cause.subject.empty()) cause.text = cause.subject + ": " + cause.text;
    causes_.push_back(std::move(cause));
  }

  [[nodiscard]] static std::string with_process(std::string_view role, const EndpointInfo& endpoint,
                                                const std::string& more = "") {
    return std::string(role) + " " + std::to_string(endpoint.index) + " (" + process_text(endpoint.pid) + more + ")";
  }
  [[nodiscard]] std::string age(std::uint64_t then_ns) const {
    return format_nanoseconds(now_ns_ > then_ns ? static_cast<double>(now_ns_ - then_ns) : 0.0);
  }
  /// The last sign of life that its counters have; it may have done something since.
  [[nodiscard]] std::string last_active(std::uint64_t then_ns) const {
    return then_ns == 0 ? "" : ", last known active " + age(then_ns) + " ago";
  }
  [[nodiscard]] std::uint64_t waited_ns(const ProducerState& producer) const {
    const std::uint64_t since = producer.waits_since_ns;
    return since == 0 || now_ns_ < since ? 0 : now_ns_ - since;
  }
  [[nodiscard]] const ConsumerState* consumer(unsigned index) const {
    const auto found = std::find_if(s_.consumers.begin(), s_.consumers.end(),
                                    [&](const ConsumerState& each) { return each.endpoint.index == index; });
    return found == s_.consumers.end() ? nullptr : &*found;
  }
  /// Producers that sleep for `what`, the longest first.
  [[nodiscard]] std::vector<const ProducerState*> sleepers(WaitsFor what) const {
    std::vector<const ProducerState*> found;
    for (const ProducerState& producer : s_.producers) {
      if (producer.waits_for == what) found.push_back(&producer);
    }
    // Of those that have waited equally long, in the order of their places.
    std::sort(found.begin(), found.end(), [this](const ProducerState* a, const ProducerState* b) {
      return std::pair(waited_ns(*b), a) < std::pair(waited_ns(*a), b);
    });
    return found;
  }

  void add_claims();
  void add_full_ring();
  void add_full_lane(const ProducerState& producer);
  /// A cause for each group and private consumer that has not passed `past`. True if there was one.
  bool add_holders(const Cause& subject, std::uint64_t past);
  [[nodiscard]] Cause held_by_group(Cause cause, const GroupState& group);
  /// Why a message that a consumer holds keeps the ring.
  [[nodiscard]] std::string why_not_parked() const {
    if (s_.max_parked == 0 || s_.parked < s_.max_parked) return "";
    return "; it is not parked, since " + std::to_string(s_.parked) + " slots are parked (max_parked " +
           std::to_string(s_.max_parked) + ")";
  }
  [[nodiscard]] Cause held_by_consumer(Cause cause, const ConsumerState& consumer);
  [[nodiscard]] std::string why_not_taken(const ConsumerState& consumer, const GroupState& group) const;
  void add_consumer(const ConsumerState& consumer);
  void add_consumer_that_does_not_take(const ConsumerState& consumer);
  void add_producer(const ProducerState& producer);
  void add_leaving(const LeavingGroup& group);

  const QueueSnapshot& s_;
  std::uint64_t now_ns_;
  const LookContext& around_;
  std::vector<Cause> causes_;
  std::set<unsigned> named_;  // consumers that a cause names already
};

void Finder::add_claims() {
  for (const ProducerState& producer : s_.producers) {
    if (producer.claimed == 0) continue;
    const std::vector<const ProducerState*> waiting = sleepers(WaitsFor::claim);
    Cause cause{.kind = "claim_not_finished",
                .producer = producer.endpoint.index,
                .pid = producer.endpoint.pid,
                .position = producer.oldest_claim};
    cause.text = with_process("producer", producer.endpoint, last_active(producer.counters.last_progress_ns)) +
                 " has claimed position " + std::to_string(producer.oldest_claim) +
                 (producer.claimed > 1 ? " and " + std::to_string(producer.claimed - 1) + " more" : "") +
                 " and not finished: no reader gets past it";
    if (!waiting.empty()) cause.for_ns = waited_ns(*waiting.front());
    cause.remedies = remedies_for_process(producer.endpoint.pid);
    add(std::move(cause));
  }
}

void Finder::add_full_ring() {
  const std::uint64_t slots = s_.info.options.slots;
  const std::vector<const ProducerState*> waiting = sleepers(WaitsFor::ring);
  if (waiting.empty() && (s_.used == 0 || s_.used < slots)) return;
  Cause subject{.kind = "ring_full"};
  subject.subject = s_.used >= slots ? "the ring is full" : "producers wait for room in the ring";
  if (!waiting.empty()) {
    subject.for_ns = waited_ns(*waiting.front());
    subject.subject += ", and " + with_process("producer", waiting.front()->endpoint) + " has waited for " +
                       format_nanoseconds(static_cast<double>(*subject.for_ns)) +
                       (waiting.size() > 1 ? ", " + std::to_string(waiting.size() - 1) + " more with it" : "");
  }
  // All that has not passed the lowest quarter keeps the sleepers asleep.
  const std::uint64_t past = waiting.empty() ? s_.position - slots : waiting.front()->waits_past;
  add_holders(subject, past);
}

void Finder::add_full_lane(const ProducerState& producer) {
  if (producer.waits_for != WaitsFor::lane && producer.waits_for != WaitsFor::own_loans) return;
  Cause subject{.kind = "lane_full", .producer = producer.endpoint.index};
  subject.for_ns = waited_ns(producer);
  const std::string size = format_size(static_cast<double>(s_.info.options.lane_bytes));
  subject.subject = "the lane of " + with_process("producer", producer.endpoint) + " is full, and it has waited for " +
                    format_nanoseconds(static_cast<double>(*subject.for_ns));
  if (producer.waits_for == WaitsFor::lane) {
    Cause held = subject;
    held.subject += "; " + std::to_string(producer.lane_messages) + " messages (" +
                    format_size(static_cast<double>(producer.lane_used)) + " of " + size + ") are still needed";
    if (add_holders(held, producer.waits_past)) return;
  }
  subject.text = "its own open loans hold the rest of " + size + "; it must commit or drop them";
  subject.kind = "own_loans";
  subject.pid = producer.endpoint.pid;
  subject.remedies = remedies_for_process(producer.endpoint.pid);
  add(std::move(subject));
}

bool Finder::add_holders(const Cause& subject, std::uint64_t past) {
  bool found = false;
  // Positions have fewer bits than the number that they lie in.
  const auto has_not_passed = [&](std::uint64_t floor) {
    return static_cast<std::int64_t>((floor - past) << (64 - k_position_bits)) <= 0;
  };
  for (const GroupState& group : s_.groups) {
    if (group.depth == 0 || !has_not_passed(group.floor)) continue;
    add(held_by_group(subject, group));
    found = true;
  }
  for (const ConsumerState& consumer : s_.consumers) {
    const EndpointInfo& endpoint = consumer.endpoint;
    const bool is_private = endpoint.group.empty() && !endpoint.lossy && !endpoint.evicted;
    if (!is_private || consumer.lag == 0 || !has_not_passed(consumer.floor)) continue;
    add(held_by_consumer(subject, consumer));
    found = true;
  }
  for (const LeavingGroup& group : s_.leaving) found = found || (group.holds && has_not_passed(group.floor));
  return found;
}

Cause Finder::held_by_group(Cause cause, const GroupState& group) {
  cause.group = group.name;
  cause.position = group.floor;
  const std::string it = "group \"" + group.name + "\"";
  const std::string position = std::to_string(group.floor);
  if (group.consumers.empty()) {
    cause.kind += "_by_group_without_consumer";
    cause.text += it + " has no consumer, and keeps " + std::to_string(group.depth) + " messages from position " +
                  position + " on; " + std::string(k_start_consumer);
    cause.remedies = remedies_for_group(s_.info.name, group.name);
    return cause;
  }
  const ConsumerState* const holder = group.holder ? consumer(*group.holder) : nullptr;
  if (holder != nullptr) {
    named_.insert(holder->endpoint.index);
    cause.kind += "_by_consumer";
    cause.consumer = holder->endpoint.index;
    cause.pid = holder->endpoint.pid;
    cause.text += it + " waits for " +
                  with_process("consumer", holder->endpoint, last_active(holder->counters.last_progress_ns)) +
                  ", which holds position " + position +
                  (group.tries > 0 ? ", delivered " + std::to_string(group.tries) + " times before" : "") + ", " +
                  std::to_string(holder->held) + " in all" + why_not_parked();
    cause.remedies = remedies_for_consumer(s_, holder->endpoint);
    return cause;
  }
  if (group.paused_for) {
    cause.kind += "_by_paused_group";
    cause.text += it + " " + paused_text(group) + ", and keeps " + std::to_string(group.depth) +
                  " messages from position " + position + " on";
    cause.remedies = {resume_remedy(s_, group)};
    return cause;
  }
  cause.kind += "_by_group";
  cause.text += it + " has not taken position " + position;
  if (group.delayed != 0) {
    cause.text += " (" + std::to_string(group.delayed) + " of its messages failed and wait" +
                  (group.due_in ? ", the next for " + format_duration(*group.due_in) : "") + ")";
  }
  std::string consumers;
  for (const unsigned index : group.consumers) {
    const ConsumerState* const each = consumer(index);
    if (each == nullptr) continue;
    named_.insert(index);
    if (!cause.consumer) cause.consumer = index, cause.pid = each->endpoint.pid;
    if (is_stopped(each->endpoint)) {
      for (Remedy& remedy : remedies_for_process(each->endpoint.pid)) cause.remedies.push_back(std::move(remedy));
    }
    consumers += (consumers.empty() ? ": " : "; ") +
                 with_process("consumer", each->endpoint, last_active(each->counters.last_progress_ns)) +
                 why_not_taken(*each, group);
  }
  cause.text += consumers;
  if (!cause.remedies.empty()) return cause;
  cause.text += "; " + std::string(k_start_more_consumers);
  cause.remedies = remedies_for_group(s_.info.name, group.name);
  return cause;
}

Cause Finder::held_by_consumer(Cause cause, const ConsumerState& consumer) {
  named_.insert(consumer.endpoint.index);
  cause.kind += "_by_private_consumer";
  cause.consumer = consumer.endpoint.index;
  cause.pid = consumer.endpoint.pid;
  cause.position = consumer.floor;
  cause.text =
      "private " + with_process("consumer", consumer.endpoint, last_active(consumer.counters.last_progress_ns)) +
      " stands at position " + std::to_string(consumer.floor) + ", " + std::to_string(consumer.lag) + " behind";
  cause.remedies = remedies_for_consumer(s_, consumer.endpoint);
  return cause;
}

std::string Finder::why_not_taken(const ConsumerState& consumer, const GroupState& group) const {
  const EndpointInfo& endpoint = consumer.endpoint;
  if (endpoint.evicted) return " was thrown out";
  if (is_stopped(endpoint)) return "";  // its process text says so
  if (endpoint.prefetch != 0 && consumer.held >= endpoint.prefetch) {
    return " holds " + std::to_string(consumer.held) + " messages, its prefetch limit";
  }
  if (group.available == 0) return " has taken nothing of that yet";
  switch (consumer.sleep) {
    case SleepState::asleep: return " sleeps";
    case SleepState::signalled: return " was woken and does not come: its program is busy elsewhere";
    case SleepState::awake: return " is awake, and slower than the producers or busy elsewhere";
  }
  return "";
}

void Finder::add_consumer(const ConsumerState& consumer) {
  const EndpointInfo& endpoint = consumer.endpoint;
  const auto at_root = [&](std::string kind, bool blocks, std::string text) {
    add({.kind = std::move(kind),
         .blocks = blocks,
         .group = endpoint.group,
         .consumer = endpoint.index,
         .pid = endpoint.pid,
         .text = with_process("consumer", endpoint, last_active(consumer.counters.last_progress_ns)) + std::move(text),
         .remedies = remedies_for_process(endpoint.pid)});
  };
  if (endpoint.evicted) {
    return at_root("evicted_endpoint", false,
                   " was thrown out; it keeps one of " + std::to_string(s_.info.options.max_consumers) +
                       " places until it detaches or ends");
  }
  if (named_.contains(endpoint.index)) return;
  if (is_stopped(endpoint)) {
    const std::string holds =
        endpoint.group.empty()
            ? (endpoint.lossy ? "loses what it is overtaken by"
                              : "is " + std::to_string(consumer.lag) + " positions behind")
            : "holds " + std::to_string(consumer.held) + " messages of group \"" + endpoint.group + "\"";
    return at_root("consumer_stopped", false, " " + holds + (endpoint.lossy ? "" : ": producers will wait for it"));
  }
  add_consumer_that_does_not_take(consumer);
}

void Finder::add_consumer_that_does_not_take(const ConsumerState& consumer) {
  const EndpointInfo& endpoint = consumer.endpoint;
  std::uint64_t available = consumer.lag;
  if (!endpoint.group.empty()) {
    const auto group = std::find_if(s_.groups.begin(), s_.groups.end(),
                                    [&](const GroupState& each) { return each.name == endpoint.group; });
    available = group == s_.groups.end() || group->paused_for ? 0 : group->available;
  }
  const bool claims = std::any_of(s_.producers.begin(), s_.producers.end(),
                                  [](const ProducerState& each) { return each.claimed != 0; });
  if (available == 0 || claims) return;
  Cause cause{.blocks = false,
              .group = endpoint.group,
              .consumer = endpoint.index,
              .pid = endpoint.pid,
              .text = with_process("consumer", endpoint, last_active(consumer.counters.last_progress_ns)),
              .remedies = remedies_for_process(endpoint.pid)};
  const std::string messages = std::to_string(available) + " messages";
  if (endpoint.prefetch != 0 && consumer.held >= endpoint.prefetch) {
    cause.kind = "prefetch_limit";
    cause.text += " holds " + std::to_string(consumer.held) + " messages, its prefetch limit, and takes none of " +
                  messages + " that wait until it acknowledges some";
  } else if (consumer.sleep == SleepState::asleep) {
    cause.kind = "asleep_with_work";
    cause.text += " sleeps although " + messages + " wait; it looks by itself within a second";
  } else if (consumer.sleep == SleepState::signalled) {
    cause.kind = "woken_and_absent";
    cause.text += " was woken for " + messages + " and does not come: its program is busy elsewhere";
  } else {
    return;
  }
  add(std::move(cause));
}

void Finder::add_producer(const ProducerState& producer) {
  const EndpointInfo& endpoint = producer.endpoint;
  if (producer.claimed != 0 || !is_stopped(endpoint)) return;
  add({.kind = "producer_stopped",
       .blocks = false,
       .producer = endpoint.index,
       .pid = endpoint.pid,
       .text = with_process("producer", endpoint, last_active(producer.counters.last_progress_ns)) +
               " publishes nothing, and readers wait for the end of its stream",
       .remedies = remedies_for_process(endpoint.pid)});
}

void Finder::add_leaving(const LeavingGroup& group) {
  Cause cause{.kind = "leaving_group", .blocks = group.holds, .group = group.name, .position = group.floor};
  cause.text = "group \"" + group.name + "\" was removed, but " +
               (group.leased != 0 ? std::to_string(group.leased) +
                                        " of its messages are still held: it keeps the ring from position " +
                                        std::to_string(group.floor) + " on"
                                  : "its place is taken until its consumers detach");
  for (const ConsumerState& each : s_.consumers) {
    if (!each.endpoint.leaving || each.endpoint.group != group.name) continue;
    if (!cause.consumer) cause.consumer = each.endpoint.index, cause.pid = each.endpoint.pid;
    named_.insert(each.endpoint.index);
    cause.text += "; " + with_process("consumer", each.endpoint, last_active(each.counters.last_progress_ns));
    for (Remedy& remedy : remedies_for_process(each.endpoint.pid)) cause.remedies.push_back(std::move(remedy));
  }
  add(std::move(cause));
}

}  // namespace

std::vector<Cause> find_causes(const QueueSnapshot& snapshot, std::uint64_t now_ns, const LookContext& around) {
  return Finder(snapshot, now_ns, around).find();
}

}  // namespace beltway::watch
