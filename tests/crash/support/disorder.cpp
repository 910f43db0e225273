// See disorder.hpp.
#include "disorder.hpp"

#include <optional>

#include "../../support/living.hpp"
#include "recovery/heal.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"

namespace beltway::crash {

using namespace beltway::detail;
using namespace beltway::ring;

namespace {

/// A READY message that nobody in the named group has had yet.
std::optional<Position> free_message(const QueueMemory& memory) {
  Position p = wrap(memory.group(k_group).floor.load_relaxed());
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i, p = wrap(p + 1)) {
    const SlotState slot = SlotState::of(memory.slot(p).state.load_relaxed());
    const Lease lease = Lease::of(memory.lease(k_group, p).load_relaxed());
    const bool ready = slot.position == p && slot.phase == SlotPhase::ready;
    if (ready && distance<Lease::bits>(lease.position, p) < 0) return p;
  }
  return std::nullopt;
}

void write_lease(World& world, Position ahead, std::uint8_t owner) {
  const QueueMemory& memory = world.memory();
  if (const auto p = free_message(memory)) {
    memory.lease(k_group, *p).store_release(Lease{wrap(*p + ahead), owner, 0, LeasePhase::leased}.word());
  }
}

void write_floor(World& world, Position ahead) {
  Word& word = world.memory().group(k_group).floor;
  const Floor floor = Floor::of(word.load_relaxed());
  word.store_release(Floor{floor.incarnation, wrap(floor.position + ahead)}.word());
}

void write_tail(World& world, Position ahead) {
  world.memory().ring_head().claim_limit.store_release(wrap(load_tail(world.memory()) + ahead));
  Word& word = world.memory().tail();
  const Tail tail = Tail::of(word.load_relaxed());
  word.store_release(Tail{tail.position + ahead, tail.generation, tail.owner}.word());
}

}  // namespace

void write_tail_ahead(World& world) { write_tail(world, 5); }
void write_tail_far_away(World& world) { write_tail(world, 1ULL << 42); }
void write_free_slot(World& world) {
  const QueueMemory& memory = world.memory();
  const Position tail = load_tail(memory);
  const Position p = wrap(tail - memory.geometry.slots);
  if (distance(p, lowest_floor(memory, tail)) >= 0) return;
  memory.slot(p).state.store_release(SlotState{wrap(p + 1), 200, SlotPhase::ready}.word());
}
void write_floor_beyond(World& world) { write_floor(world, 100); }
void write_floor_far_behind(World& world) { write_floor(world, ~0ULL - 999); }
void write_next_beyond(World& world) {
  Word& word = world.memory().group(k_group).next;
  const Next next = Next::of(word.load_relaxed());
  word.store_release(Next{next.position + 100, next.version}.word());
}
void write_lease_of_nobody(World& world) { write_lease(world, 0, k_lossy); }
void write_lease_of_a_later_lap(World& world) { write_lease(world, world.memory().geometry.slots, k_named_a); }
void write_sleepers_of_nobody(World& world) { world.memory().shared_status().consumer_sleepers.fetch_or(1ULL << 60); }

void heal(World& world) {
  const QueueMemory& memory = world.memory();
  recovery::heal(memory, test::living_of(memory));
  wake_all_sleepers(memory);
}

}  // namespace beltway::crash
