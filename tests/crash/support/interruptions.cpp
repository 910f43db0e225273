// See interruptions.hpp.
#include "interruptions.hpp"

#include "ring/floors.hpp"
#include "ring/groups.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

bool several_producers(const Operation& /*operation*/, const Beginning& beginning) {
  return beginning.shape.producers > 1;
}
bool always(const Operation& /*operation*/, const Beginning& /*beginning*/) { return true; }
bool with_named(const Operation& /*operation*/, const Beginning& beginning) { return beginning.shape.with_named; }
bool producer_works(const Operation& operation, const Beginning& beginning) {
  return operation.role == Role::producer && beginning.shape.with_named;
}
bool producer_makes_room(const Operation& operation, const Beginning& /*beginning*/) {
  return operation.role == Role::producer;
}

/// One turn of everybody who is not frozen.
void turn(Crew& crew, unsigned number, bool nack) {
  const Shape& shape = crew.world().shape();
  crew.publish(k_producer_b, first_id(k_producer_b) + number, number % 2 == 0 ? k_lane_size : k_inline_size);
  if (shape.with_private && crew.actor() != k_private) crew.read();
  if (shape.with_named) crew.lease(k_named_b, !nack || number % 3 != 0);
  crew.read_newcomer();
}

template <bool nack>
void laps(Crew& crew) {
  for (unsigned number = 0; number < 12; ++number) turn(crew, number, nack);
}

/// Another process dies, and its repair goes over the one who stands still.
void a_death(Crew& crew) {
  World& world = crew.world();
  turn(crew, 0, false);
  bury(world, k_producer_first);
  for (unsigned number = 1; number < 5; ++number) turn(crew, number, false);
  if (world.shape().with_named) bury(world, k_named_b);
}

template <GroupKind kind, Start start>
void join_now(Crew& crew) {
  crew.join_newcomer(kind, start);
}
template <GroupKind kind, Start start>
void join_and_go_on(Crew& crew) {
  crew.join_newcomer(kind, start);
  for (unsigned number = 0; number < 6; ++number) turn(crew, number, false);
}

/// The frozen one, too, goes on with more of the same; the newcomer reads last.
void more_laps(Crew& crew) {
  const Shape& shape = crew.world().shape();
  const unsigned producer = shape.producers > 1 ? k_producer_b : k_producer_a;
  for (unsigned number = 6; number < 16; ++number) {
    const bool by_a = crew.actor() == k_producer_a && number % 2 == 0;
    const unsigned owner = by_a ? k_producer_a : producer;
    crew.publish(owner, first_id(owner) + number, number % 3 == 0 ? k_inline_size : k_lane_size);
    if (shape.with_private) crew.read();
    if (shape.with_named) crew.lease(k_named_a, true);
    // Late, so that what would overrun it does.
    if (number >= 12) crew.read_newcomer();
  }
  crew.newcomer_leaves();
}

/// A group is made at the oldest message, and its consumer takes one and keeps it.
void join_and_hold(Crew& crew) {
  crew.join_newcomer(GroupKind::named, Start::oldest);
  crew.world().journal().newcomer = 0;
  crew.hold(k_joiner);
}
void overrun_held(Crew& crew) {
  const Shape& shape = crew.world().shape();
  for (unsigned number = 6; number < 12; ++number) {
    crew.publish(k_producer_a, first_id(k_producer_a) + number, number % 3 == 2 ? k_inline_size : k_lane_size);
    if (shape.with_private) crew.read();
    if (shape.with_named) crew.lease(k_named_a, true);
    help_floors(crew.world().memory());
  }
  crew.release();
  crew.newcomer_leaves();
}

/// The named group is removed and made again, at the oldest, and its new consumer takes a message and keeps it.
void make_group_again(Crew& crew) {
  World& world = crew.world();
  if (!leave(world.memory(), k_group)) fail(world, "a group without leases does not drain");
  free_group(world.memory(), k_group);
  join(world.memory(), k_group, GroupKind::named, Start::oldest);
  world.journal().forgiven = 1;
  for (Entry& entry : world.journal().messages) entry.acked = entry.acking = entry.leased = 0;
  crew.forget(k_named_a);
  crew.hold(k_named_b);
}

/// The named group is removed while one of its consumers stands still. What it holds is waited for; else its place and all
/// that it kept are used again.
void remove_group(Crew& crew) {
  World& world = crew.world();
  if (!leave(world.memory(), k_group)) return;
  free_group(world.memory(), k_group);
  const unsigned producer = world.shape().producers > 1 ? k_producer_b : k_producer_a;
  if (crew.actor() == producer) return;
  for (unsigned number = 1; number < 7; ++number) {
    crew.publish(producer, first_id(producer) + number, number % 2 == 0 ? k_inline_size : k_lane_size);
    if (world.shape().with_private && crew.actor() != k_private) crew.read();
  }
}
void is_drained(Crew& crew) {
  const World& world = crew.world();
  const QueueMemory& memory = world.memory();
  const GroupPhase phase = GroupStateWord::of(memory.group(k_group).state.load_acquire()).phase;
  if (phase == GroupPhase::free) return;
  if (phase != GroupPhase::drained) fail(world, "the removed group never drains");
  free_group(memory, k_group);
}

void purge_group(Crew& crew) {
  crew.world().journal().forgiven = 1;
  purge(crew.world().memory(), k_group);
}

/// Who slept wakes, looks, takes what is there and sleeps again, while a waker stands between two steps of waking it.
void sleepers_turn(Crew& crew) {
  World& world = crew.world();
  const QueueMemory& memory = world.memory();
  const auto asleep = [&](unsigned owner) {
    return Wait::of(memory.endpoint(owner).wait.load_acquire()).phase != WaitPhase::awake;
  };
  if (asleep(k_named_b)) {
    crew.wake_up(k_named_b);
    while (crew.lease(k_named_b, true) == Status::ok) {
    }
    crew.sleep(k_named_b);
    while (crew.lease(k_named_b, true) == Status::ok) {  // the look after arming
    }
  }
  if (asleep(k_private)) {
    crew.wake_up(k_private);
    while (crew.read() == Status::ok) {
    }
    crew.sleep(k_private);
    while (crew.read() == Status::ok) {
    }
  }
}

bool consumes(const Operation& operation, const Beginning& /*beginning*/) { return can_be_evicted(operation); }
bool consumes_beside_others(const Operation& operation, const Beginning& beginning) {
  return can_be_evicted(operation) && beginning.shape.producers > 1;
}

void evict_it(Crew& crew) { evict(crew.world(), crew.actor()); }
void evict_it_and_go_on(Crew& crew) {
  evict_it(crew);
  laps<true>(crew);
}
/// It is told, at its next call at latest.
void is_told(Crew& crew) {
  if (crew.consumer(crew.actor()).try_receive().status() != Status::evicted) fail(crew.world(), "nobody told it");
}

constexpr Interruption k_interruptions[] = {
    {"others make laps", several_producers, laps<false>, nullptr},
    {"others make laps and give back", several_producers, laps<true>, nullptr},
    {"others die and are repaired", several_producers, a_death, nullptr},
    {"sleepers wake and sleep again", always, sleepers_turn, nullptr},
    {"a private group joins at the latest", always, join_now<GroupKind::private_reliable, Start::latest>, more_laps},
    {"a private group joins at the oldest", always, join_now<GroupKind::private_reliable, Start::oldest>, more_laps},
    {"a named group joins at the latest", always, join_now<GroupKind::named, Start::latest>, more_laps},
    {"a named group joins at the oldest", always, join_now<GroupKind::named, Start::oldest>, more_laps},
    {"a private group joins, laps", several_producers, join_and_go_on<GroupKind::private_reliable, Start::latest>,
     more_laps},
    {"a private group joins at the oldest, laps", several_producers,
     join_and_go_on<GroupKind::private_reliable, Start::oldest>, more_laps},
    {"a named group joins at the oldest, laps", several_producers, join_and_go_on<GroupKind::named, Start::oldest>,
     more_laps},
    {"a named group joins and holds", producer_makes_room, join_and_hold, overrun_held},
    {"the group is made again", producer_works, make_group_again, overrun_held},
    {"the group is removed", with_named, remove_group, is_drained},
    {"the group is purged", with_named, purge_group, nullptr},
    {"it is thrown out", consumes, evict_it, is_told, true},
    {"it is thrown out, and others make laps", consumes_beside_others, evict_it_and_go_on, is_told, true},
};

}  // namespace

std::span<const Interruption> interruptions() noexcept { return k_interruptions; }

}  // namespace beltway::crash
