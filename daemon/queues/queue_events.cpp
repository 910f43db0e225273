// Events of a queue: how they are filled, and what the daemon finds by a look about once a second, since no request tells it.
// See queue.hpp, event_journal.hpp.
#include "queues/queue.hpp"
#include "ring/counters.hpp"
#include "ring/floors.hpp"

namespace beltway::daemon {
namespace {

/// Not by the bits of sleepers: a producer that is woken and goes on waiting is no sleeper for a moment.
bool has_waiting_producer(const ring::QueueMemory& memory, const QueueRecord& record) noexcept {
  for (unsigned place = 0; place < memory.geometry.max_producers; ++place) {
    if (record.endpoints[place].attached && memory.endpoint(place).asleep_since_ns.load_relaxed() != 0) return true;
  }
  return false;
}

}  // namespace

StoredEvent Queue::event(std::string_view kind, std::string text) const {
  return event_of(record_, kind, std::move(text));
}

StoredEvent Queue::event_of_endpoint(unsigned place, std::string_view kind, std::string text) const {
  StoredEvent stored = event(kind, std::move(text));
  const EndpointRecord& endpoint = record_.endpoints[place];
  const bool producer = place < geometry_.max_producers;
  stored.event.role = producer ? "producer" : "consumer";
  stored.event.index = producer ? place : place - geometry_.max_producers;
  stored.event.pid = endpoint.pid;
  stored.event.uid = endpoint.uid;
  stored.event.command = endpoint.command;
  if (!producer && endpoint.kind == ring::GroupKind::named) stored.event.group = record_.groups[endpoint.group].name;
  return stored;
}

bool Queue::may_have_events() const noexcept {
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    if (!record_.endpoints[place].attached) continue;
    if (place < geometry_.max_producers || has_dead_letters(record_)) return true;
  }
  return last_look_.told_full;  // the last producer has gone, and the events have not said so
}

StoredEvent Queue::full_event(ring::Position floor) const {
  StoredEvent full = event("full", "producers wait for room");
  for (unsigned group = 0; group < geometry_.groups(); ++group) {
    const ring::GroupStateWord state = ring::GroupStateWord::of(memory_.group(group).state.load_acquire());
    if (!state.blocks_producers() || ring::wrap(memory_.group(group).floor.load_acquire()) != floor) continue;
    const std::optional<unsigned> place = find_consumer_at(group, floor);
    if (place) {
      full = event_of_endpoint(*place, "full");
      full.event.text =
          "producers wait for room: " + endpoint_text(*place) + " is at position " + std::to_string(floor);
    } else if (group < record_.groups.size()) {
      full.event.group = record_.groups[group].name;
      full.event.text = "producers wait for room: no consumer of group \"" + full.event.group + "\" holds position " +
                        std::to_string(floor) + ", which the group still needs";
    }
    break;
  }
  return full;
}

void Queue::look_for_room() {
  std::optional<ring::Position> floor;
  if (has_waiting_producer(memory_, record_)) {
    floor = ring::lowest_floor(memory_, ring::load_tail(memory_));
    if (!holds_producers_back(*floor)) floor.reset();
  }
  // Twice at the same floor: a queue that is full for a moment is no event.
  const bool stands = floor && last_look_.full_at == floor;
  if (stands && !last_look_.told_full) {
    tell(full_event(*floor));
    last_look_.told_full = true;
  } else if (last_look_.told_full && !stands) {
    tell(event("room", "producers go on"));
    last_look_.told_full = false;
  }
  last_look_.full_at = floor;
}

void Queue::look_for_dead_letters() {
  std::uint64_t sum = ring::load_counters<QueueTotals>(memory_.shared_status().totals).dead_lettered;
  for (unsigned place = geometry_.max_producers; place < record_.endpoints.size(); ++place) {
    if (!record_.endpoints[place].attached) continue;
    sum += ring::load_counters<ConsumerCounters>(memory_.endpoint(owner_of(place)).counters).dead_lettered;
  }
  const std::optional<std::uint64_t> before = std::exchange(last_look_.dead_letters, sum);
  if (!before || sum <= *before) return;  // a program may have written over a counter
  StoredEvent letters = event("dead_lettered");
  letters.event.messages = sum - *before;
  letters.event.text = std::to_string(sum - *before) + " messages failed and moved to their dead letter queue";
  tell(std::move(letters));
}

void Queue::look_for_events() noexcept {
  try {
    look_for_room();
    if (has_dead_letters(record_)) look_for_dead_letters();
  } catch (const std::exception&) {  // no memory: the next look finds it
  }
}

}  // namespace beltway::daemon
