// See parking.hpp.
#include "parking.hpp"

#include <chrono>

#include "os/kernel.hpp"
#include "ring/lease_timeout.hpp"
#include "ring/parking.hpp"
#include "ring/tuning.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

constexpr std::uint64_t k_held_id = first_id(k_producer_first) + 14;

unsigned first_producer(Crew& crew) { return crew.world().shape().producers > 1 ? k_producer_first : k_producer_a; }

void read_all(Crew& crew) {
  while (crew.world().shape().with_private && crew.read() == Status::ok) {
  }
}

/// The group has nothing but one message, which `holder` holds. In a lane if `by_lane`.
void hold_one(Crew& crew, unsigned holder, unsigned other, bool by_lane) {
  read_all(crew);
  while (crew.lease(other, true) == Status::ok) {
  }
  crew.publish(first_producer(crew), k_held_id, by_lane ? k_lane_size : k_inline_size);
  crew.take(holder);
  read_all(crew);
}
/// Publishes and acknowledges `count` messages beside it.
void go_round(Crew& crew, unsigned other, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    crew.publish(first_producer(crew), first_id(k_producer_new) + i, k_inline_size);
    crew.lease(other, true);
    read_all(crew);
  }
}

/// The ring is full of one held message and acknowledged ones.
void full_beside_held(Crew& crew, unsigned owner) {
  hold_one(crew, k_named_b, k_named_a, true);
  go_round(crew, k_named_a, crew.world().shape().slots - 1);
  if (owner < k_first_consumer) crew.producer(owner);
}
void full_beside_held_and_asleep(Crew& crew, unsigned owner) {
  hold_one(crew, k_named_b, k_named_a, false);
  go_round(crew, k_named_a, crew.world().shape().slots - 2);
  crew.publish(first_producer(crew), first_id(k_producer_new) + 8, k_inline_size);
  read_all(crew);
  if (crew.world().shape().producers > 1)
    crew.sleep(k_producer_b, load_tail(crew.world().memory()) - crew.world().shape().slots);
  crew.consumer(owner);
}
/// The ring is nearly full, and the floor is held. One ack more, and the consumer parks.
void nearly_full_beside_held(Crew& crew, unsigned owner) {
  hold_one(crew, k_named_b, owner, false);
  go_round(crew, owner, k_park_window - 1);
  for (unsigned i = 0; i < 14; ++i) {
    crew.publish(first_producer(crew), first_id(k_producer_b) + i, k_inline_size);
    read_all(crew);
  }
}
void parked(Crew& crew, unsigned owner) {
  hold_one(crew, owner, k_named_b, true);
  go_round(crew, k_named_b, 2 * crew.world().shape().slots);
}
/// Leases end by time. A message is held by who has stopped before it stored the time of its lease, and before it planned a look.
void stopped_holder(Crew& crew, unsigned owner, bool parks) {
  for (const unsigned each : {k_named_a, k_named_b}) crew.forget(each);  // so that they read the option
  const QueueMemory& memory = crew.world().memory();
  memory.group(k_group).times.store_relaxed(GroupTimes{5, 0}.word());
  hold_one(crew, k_named_b, owner, true);
  if (parks) go_round(crew, owner, 2 * memory.geometry.slots);
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) memory.lease_time(k_group, i).store_relaxed(0);
  memory.group(k_group).lease_check.store_relaxed(0);
}
void beside_stopped(Crew& crew, unsigned owner) { stopped_holder(crew, owner, false); }
void beside_stopped_and_parked(Crew& crew, unsigned owner) { stopped_holder(crew, owner, true); }

void publish(Crew& crew, unsigned owner) {
  for (std::uint64_t id = first_id(owner) + 1; id < first_id(owner) + 3; ++id) crew.publish(owner, id, k_inline_size);
}
void publish_lane(Crew& crew, unsigned owner) {
  for (std::uint64_t id = first_id(owner) + 1; id < first_id(owner) + 3; ++id) crew.publish(owner, id, k_lane_size);
}
void ack_behind(Crew& crew, unsigned owner) { crew.lease(owner, true); }
void ack(Crew& crew, unsigned owner) { crew.end_taken(owner, true); }
void nack_and_take_again(Crew& crew, unsigned owner) {
  crew.end_taken(owner, false);
  crew.lease(owner, true);
}

/// It plans a look, gives the lease a time, and takes the message when that is over.
void look(Crew& crew, unsigned owner) {
  for (int i = 0; i < 4; ++i) {
    crew.lease(owner, true);
    for (int ms = 0; ms < 20; ++ms) os::give_way();
  }
}

constexpr Operation k_operations[] = {
    {"park_publish", Role::producer, full_beside_held, publish, Steps::any, k_named_b},
    {"park_publish_lane", Role::producer, full_beside_held, publish_lane, Steps::accesses, k_named_b},
    {"park_for_a_sleeper", Role::named, full_beside_held_and_asleep, ack_behind, Steps::any, k_named_b},
    {"parked_ack", Role::named, parked, ack},
    {"parked_nack", Role::named, parked, nack_and_take_again},
    {"look_beside_stopped", Role::named, beside_stopped, look, Steps::any, k_named_b},
    {"look_beside_stopped_and_parked", Role::named, beside_stopped_and_parked, look, Steps::any, k_named_b},
};

}  // namespace

std::span<const Operation> parking_operations() noexcept { return k_operations; }

const Operation& early_parking_operation() noexcept {
  static constexpr Operation k_operation{"park_before_full", Role::named, nearly_full_beside_held,
                                         ack_behind,         Steps::any,  k_named_b};
  return k_operation;
}

std::vector<Beginning> with_early_parking(std::vector<Beginning> beginnings) {
  for (Beginning& each : beginnings) each.shape.slots = 2 * k_park_window;
  return with_parking(std::move(beginnings));
}

std::vector<Beginning> with_parking(std::vector<Beginning> beginnings) {
  std::erase_if(beginnings, [](const Beginning& each) { return !each.shape.with_named; });
  for (Beginning& each : beginnings) {
    each.shape.max_parked = each.shape.slots / 2;
    each.sleepers = false;
  }
  return beginnings;
}

}  // namespace beltway::crash
