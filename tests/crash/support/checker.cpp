// See checker.hpp.
#include "checker.hpp"

#include <optional>

#include "../../support/living.hpp"
#include "laps.hpp"
#include "os/kernel.hpp"
#include "recovery/lane_recovery.hpp"
#include "recovery/repair.hpp"
#include "ring/drop_oldest.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/readers/private_reader.hpp"
#include "ring/sequence_record.hpp"
#include "ring/tuning.hpp"

namespace beltway::crash {

using namespace beltway::detail;
using namespace beltway::ring;

namespace {

bool has_private(const World& world) {
  return GroupStateWord::of(world.memory().group(private_group(k_private)).state.load_acquire()).phase ==
         GroupPhase::active;
}
bool has_named(const World& world) {
  return GroupStateWord::of(world.memory().group(k_group).state.load_acquire()).phase == GroupPhase::active;
}

bool is_ready(const QueueMemory& memory, Position position) {
  const SlotState slot = SlotState::of(memory.slot(position).state.load_acquire());
  return slot.position == position && slot.phase == SlotPhase::ready;
}

/// True if a consumer of the named group would get a message now.
bool leasable(const QueueMemory& memory, unsigned group) {
  Position position = wrap(memory.group(group).floor.load_acquire());
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i, position = wrap(position + 1)) {
    const SlotState slot = SlotState::of(memory.slot(position).state.load_acquire());
    if (slot.position != position || slot.phase == SlotPhase::claimed) return false;
    if (slot.phase != SlotPhase::ready) continue;
    const Lease lease = Lease::of(memory.lease(group, position).load_acquire());
    if (distance<Lease::bits>(lease.position, position) < 0 || lease.phase == LeasePhase::retry) return true;
  }
  return false;
}

bool asleep(const World& world, unsigned owner) {
  return Wait::of(world.memory().endpoint(owner).wait.load_acquire()).phase != WaitPhase::awake;
}
bool rung(const World& world, unsigned owner) {
  const std::size_t bell = world.memory().endpoint_index(owner);
  return world.journal().wakes[bell] != world.journal().wakes_before[bell];
}

void check_consumers_sleep(const World& world) {
  const QueueMemory& memory = world.memory();
  bool one_asleep = false;
  bool one_up = false;
  for (unsigned owner = k_first_consumer; owner < k_first_consumer + k_consumers; ++owner) {
    const Identity identity = Identity::of(memory.endpoint(owner).identity.load_acquire());
    if ((identity.flags & k_endpoint_attached) == 0 || !asleep(world, owner)) continue;
    if (identity.group == k_group) {
      one_asleep = true;
      one_up = one_up || rung(world, owner);
    } else if (owner == k_private && is_ready(memory, world.journal().private_read) && !rung(world, owner)) {
      fail(world, "the private consumer sleeps, and a message is there");
    }
  }
  if (one_asleep && !one_up && has_named(world) && leasable(memory, k_group)) {
    fail(world, "all consumers of the group sleep, and a message is there");
  }
}

void check_producers_sleep(const World& world) {
  const QueueMemory& memory = world.memory();
  help_floors(memory);
  const Position tail = load_tail(memory);
  const Position lowest = lowest_floor(memory, tail);
  const bool room = distance(tail, wrap(lowest + memory.geometry.slots)) < 0;
  const bool busy = SlotState::of(memory.slot(tail).state.load_acquire()).phase == SlotPhase::claimed;
  for (unsigned owner = 0; owner < memory.geometry.max_producers; ++owner) {
    if (!asleep(world, owner) || rung(world, owner)) continue;
    const Endpoint& endpoint = memory.endpoint(owner);
    if (endpoint.wake_busy.load_relaxed() != 0 && room && !busy) fail(world, "producer %u sleeps: not busy", owner);
    if (distance(lowest, wrap(endpoint.wake_past.load_relaxed())) > 0) {
      fail(world, "producer %u sleeps, and there is room", owner);
    }
  }
}

/// The journal's view of one message that was delivered now.
Entry& delivered(World& world, const SlotView& view, const char* to) {
  const std::uint64_t id = read_message(view);
  if (id == 0 || id >= k_messages) fail(world, "%s: torn at %llu", to, static_cast<unsigned long long>(view.position));
  Entry& entry = world.journal().messages[id];
  if (entry.begun == 0 || entry.refused != 0)
    fail(world, "%s: message %d was never published", to, static_cast<int>(id));
  if ((entry.read != 0 || entry.leased != 0) && entry.position != view.position) {
    fail(world, "%s: message %d is at two positions", to, static_cast<int>(id));
  }
  entry.position = view.position;
  return entry;
}

void drain_private(World& world) {
  PrivateReader reader(world.memory(), private_group(k_private), world.journal().private_read);
  for (;;) {
    SlotView view;
    const ReadResult result = reader.next(view);
    if (result == ReadResult::corrupt) fail(world, "private: a corrupt message");
    if (result == ReadResult::again) continue;
    if (result == ReadResult::empty) break;
    ++delivered(world, view, "private").read;
    reader.release(view.position);
  }
  world.journal().private_read = reader.read();
  if (wrap(world.memory().group(private_group(k_private)).floor.load_acquire()) != load_tail(world.memory())) {
    fail(world, "private: stuck");
  }
}

/// What a consumer of the group moves to the dead letter queue.
void drain_put_aside(World& world, NamedReader& reader) {
  for (const PutAside& each : reader.put_aside()) {
    Entry& entry = delivered(world, each.view, "dead letters");
    if (entry.acked != 0) fail(world, "dead letters: a message came after its ack");
    entry.leased = 1;
    ++entry.moved;
    if (!reader.ack(each.view.position, each.view.tries)) fail(world, "dead letters: lease lost");
    reader.after_ack(each.view.position);
  }
  reader.forget_put_aside();
}

void drain_named(World& world) {
  const QueueMemory& memory = world.memory();
  const std::uint32_t incarnation = GroupStateWord::of(memory.group(k_group).state.load_acquire()).incarnation;
  NamedReader reader(memory, k_group, incarnation, k_named_new, false);
  if (Redelivery::of(memory.group(k_group).redelivery.load_relaxed()).dead_letters) {
    for (std::uint64_t us = 0; us <= k_dead_letter_retry_max_us; us += 1'000) os::give_way();
  }
  for (unsigned turn = 0;; ++turn) {
    if (turn == 50) fail(world, "named: no end");
    SlotView views[2];
    std::size_t leased = 0;
    std::uint64_t corrupt = 0;
    os::give_way();  // time passes: what is delayed becomes due
    const ReadResult result = reader.lease(views, 1 + turn % 2, leased, corrupt);
    if (corrupt != 0) fail(world, "named: a corrupt message");
    const bool moved = !reader.put_aside().empty();
    drain_put_aside(world, reader);
    if (result == ReadResult::again || (moved && result == ReadResult::empty)) continue;
    if (result == ReadResult::empty) break;
    for (std::size_t i = 0; i < leased; ++i) {
      Entry& entry = delivered(world, views[i], "named");
      const bool again = world.journal().was_reset != 0;
      if (entry.acked != 0 && !again) fail(world, "named: a message came again after its ack");
      if (entry.leased != 0 && views[i].tries == 0 && !again) fail(world, "named: a message came again without a mark");
      if (entry.given_up != 0 && entry.moving == 0) fail(world, "named: a message came again that was given up");
      entry.leased = 1;
      if (!reader.ack(views[i].position, views[i].tries)) fail(world, "named: lease lost");
      entry.acked = 1;
      reader.after_ack(views[i].position);
    }
  }
  if (reader.floor() != load_tail(memory)) fail(world, "named: stuck");
}

/// Who joined while others were at work got all that was published afterwards.
void check_newcomer(const World& world) {
  if (world.journal().newcomer == 0) return;
  for (std::size_t id = 0; id < k_messages; ++id) {
    const Entry& entry = world.journal().messages[id];
    if (entry.due != 0 && entry.committed != 0 && entry.joined != 1) {
      fail(world, "the newcomer had message %d %d times", static_cast<int>(id), entry.joined);
    }
  }
}

/// The sequence number of a message, its id, is committed if and only if the message is there.
void check_sequence(const World& world, std::size_t id, bool read, bool leased) {
  const Entry& entry = world.journal().messages[id];
  const SequenceRecord& record = world.memory().sequence_record(static_cast<unsigned>(id / 16));
  const bool said = record.committed.load_relaxed() >= id;
  // A refused message is not there, and the number of a later one may be committed.
  const bool there = entry.committed != 0 || entry.read != 0 || entry.leased != 0 || entry.refused != 0;
  if (there && entry.refused == 0 && !said)
    fail(world, "message %d is there, and its sequence number is not", static_cast<int>(id));
  if ((read || leased) && said && !there)
    fail(world, "message %d is not there, and its number is", static_cast<int>(id));
  if (record.pending_sequence.load_relaxed() != 0)
    fail(world, "sequence number of message %d hangs", static_cast<int>(id));
}

void check_messages(World& world, bool read, bool leased) {
  std::optional<Position> last[4];
  for (std::size_t id = 0; id < k_messages; ++id) {
    const Entry& entry = world.journal().messages[id];
    const int number = static_cast<int>(id);
    if (read && entry.committed != 0 && entry.read == 0) fail(world, "private: message %d is lost", number);
    if (read && entry.read > 1) fail(world, "private: message %d came %d times", number, entry.read);
    const bool through = entry.acked != 0 || entry.acking != 0 || entry.moved != 0;
    if (leased && entry.committed != 0 && !through) fail(world, "named: message %d is lost", number);
    if (read && leased && (entry.read != 0) != (entry.leased != 0)) {
      fail(world, "message %d: read %d times by the private, %d by the named group", number, entry.read, entry.leased);
    }
    if (entry.sequenced != 0) check_sequence(world, id, read, leased);
    if (entry.read == 0 && entry.leased == 0) continue;
    std::optional<Position>& before = last[id / 16];
    if (before && distance(entry.position, *before) <= 0) fail(world, "message %d is out of order", number);
    before = entry.position;
  }
}

/// In a group that keeps only its newest messages: each message was delivered or counted as dropped. A dead process may have
/// dropped one that it has not counted.
void check_dropped(const World& world) {
  std::uint64_t committed = 0;
  std::uint64_t begun = 0;
  std::uint64_t acked = 0;
  for (std::size_t id = 0; id < k_messages; ++id) {
    const Entry& entry = world.journal().messages[id];
    if (entry.refused != 0) continue;
    const bool through = entry.acked != 0 || entry.acking != 0;
    if (entry.committed != 0 && !through) ++committed;
    if (entry.begun != 0) ++begun;
    if (entry.acked != 0) ++acked;
  }
  const std::uint64_t dropped = world.memory().group(k_group).dropped.load_relaxed();
  if (committed > dropped + 1) fail(world, "named: messages are neither delivered nor counted as dropped");
  if (dropped + acked > begun) fail(world, "named: more messages are delivered and dropped than were published");
}

void check_at_rest(const World& world, const Dead& dead) {
  const QueueMemory& memory = world.memory();
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const SlotState slot = SlotState::of(memory.slot(i).state.load_acquire());
    if (slot.phase == SlotPhase::claimed) fail(world, "slot %u is claimed for ever", i);
  }
  for (std::uint32_t i = 0; has_named(world) && i < memory.geometry.slots; ++i) {
    const LeasePhase phase = Lease::of(memory.lease(k_group, i).load_acquire()).phase;
    if (phase == LeasePhase::leased) fail(world, "lease %u leaks", i);
    if (is_parked(phase)) fail(world, "slot %u is parked for ever", i);
  }
  for (const unsigned owner : dead.owners) {
    if (owner == k_nobody) continue;
    const SharedStatus& shared_status = memory.shared_status();
    const Word& sleepers = owner < k_first_consumer ? shared_status.producer_sleepers : shared_status.consumer_sleepers;
    if ((sleepers.load_relaxed() >> (owner & 63U) & 1U) != 0 || asleep(world, owner)) {
      fail(world, "dead endpoint %u is still said to sleep", owner);
    }
    if (owner < k_first_consumer && ((shared_status.room_line.load_relaxed() >> owner & 1U) != 0 ||
                                     memory.endpoint(owner).ticket.load_relaxed() != 0)) {
      fail(world, "dead producer %u still stands in the line for room", owner);
    }
    if (owner >= k_first_consumer &&
        GroupStateWord::of(memory.group(private_group(owner)).state.load_acquire()).blocks_producers()) {
      fail(world, "the private group of dead consumer %u still holds", owner);
    }
  }
}

/// The memory that no message needs becomes zeros.
void give_back_lane(const QueueMemory& memory, unsigned producer) {
  if (memory.geometry.lane_bytes == 0) return;
  for (const recovery::LanePart& part : recovery::find_unneeded_parts(memory, producer, k_cache_line_bytes).parts) {
    std::memset(memory.heap + part.offset, 0, part.size);
  }
}

}  // namespace

void bury(World& world, unsigned owner) {
  if (owner == k_nobody) return;
  const QueueMemory& memory = world.memory();
  if (owner < k_first_consumer) settle_sequence(memory, owner);
  recovery::repair(memory, owner, test::living_without(memory, owner));
  if (owner < k_first_consumer) {
    give_back_lane(memory, owner);
    memory.shared_status().live_producers.fetch_and(~(1ULL << owner));
    wake_all_sleepers(memory);
  }
  memory.endpoint(owner).identity.store_release(0);
}

void check_nobody_sleeps_in_vain(const World& world) {
  check_consumers_sleep(world);
  check_producers_sleep(world);
}

/// Without a death, no message is moved twice, nor moved and delivered to its end.
void check_moves(const World& world) {
  for (std::size_t id = 0; id < k_messages; ++id) {
    const Entry& entry = world.journal().messages[id];
    if (entry.moved + entry.acked > 1) fail(world, "message %d has two ends", static_cast<int>(id));
  }
}

void check_rest(World& world, const Dead& dead, Depth depth) {
  ++images();
  const Use use(world);
  check_nobody_sleeps_in_vain(world);
  const bool read = has_private(world);
  const bool leased = has_named(world);
  if (read) drain_private(world);
  if (leased) drain_named(world);
  check_newcomer(world);
  check_messages(world, read, leased && world.journal().forgiven == 0);
  if (leased && kept_by(world.memory().group(k_group)) != 0) check_dropped(world);
  check_at_rest(world, dead);
  if (!dead.contains(k_named_a) && !world.shape().evictable) check_moves(world);
  if (depth == Depth::usable) check_laps(world, dead);
}

void check_dead(World& world, const Dead& dead, Depth depth) {
  const Use use(world);
  for (const unsigned owner : dead.owners) bury(world, owner);
  check_rest(world, dead, depth);
}

std::uint64_t& images() noexcept {
  static std::uint64_t count = 0;
  return count;
}

}  // namespace beltway::crash
