// See operations.hpp.
#include "operations.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <tuple>

#include "os/kernel.hpp"
#include "ring/groups.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

void make(Crew& crew, unsigned owner) {
  if (owner < k_first_consumer) {
    crew.producer(owner);
  } else {
    crew.consumer(owner);
  }
}

void publish(Crew& crew, unsigned owner) {
  for (std::uint64_t id = first_id(owner) + 1; id < first_id(owner) + 3; ++id) crew.publish(owner, id, k_inline_size);
}
void publish_lane(Crew& crew, unsigned owner) {
  for (std::uint64_t id = first_id(owner) + 1; id < first_id(owner) + 4; ++id) crew.publish(owner, id, k_lane_size);
}
void publish_sequenced(Crew& crew, unsigned owner) {
  crew.publish_sequenced(owner, first_id(owner) + 1, k_inline_size);
  crew.publish_sequenced(owner, first_id(owner) + 2, k_lane_size);
  crew.publish_sequenced(owner, first_id(owner) + 3, k_inline_size);
}
void publish_batch(Crew& crew, unsigned owner) {
  std::ignore = crew.publish_batch(owner, first_id(owner) + 1, 3, k_inline_size);
  std::ignore = crew.publish_batch(owner, first_id(owner) + 4, 2, k_lane_size);
}
void publish_loans(Crew& crew, unsigned owner) {
  crew.publish_loan(owner, first_id(owner) + 1, k_lane_size);
  {
    const Result<Loan> dropped = crew.producer(owner).try_loan(k_lane_size);
  }
  crew.publish_loan(owner, first_id(owner) + 2, k_inline_size);
}

void publish_properties(Crew& crew, unsigned owner) {
  crew.publish(owner, first_id(owner) + 1, k_extended_inline_size);
  crew.publish(owner, first_id(owner) + 2, k_extended_lane_size);
  crew.publish_loan(owner, first_id(owner) + 3, k_extended_lane_size);
}

void read(Crew& crew, unsigned /*owner*/) {
  for (int i = 0; i < 2; ++i) crew.read();
}
void read_batch(Crew& crew, unsigned /*owner*/) { crew.read_batch(); }

void ack(Crew& crew, unsigned owner) {
  for (int i = 0; i < 2; ++i) crew.lease(owner, true);
}
void nack(Crew& crew, unsigned owner) {
  crew.lease(owner, false);
  crew.lease(owner, true);
}
void nack_later(Crew& crew, unsigned owner) {
  crew.lease_and_delay(owner);
  crew.lease(owner, true);
}
/// The second receive finds the delayed message, which is due by then.
void nack_and_wait(Crew& crew, unsigned owner) {
  crew.lease_and_delay(owner);
  os::give_way();
  os::give_way();
  crew.lease(owner, true);
}
/// Leases end by time in its group.
void make_timed(Crew& crew, unsigned owner) {
  crew.world().memory().group(k_group).times.store_relaxed(GroupTimes{5, 0}.word());
  crew.forget(owner);  // so that it reads the option
  make(crew, owner);
}
void hang(Crew& crew, unsigned owner) {
  crew.lease_and_hang(owner);
  crew.lease(owner, true);
}
void lease_batch(Crew& crew, unsigned owner) { crew.lease_batch(owner, 0b101); }

void ack_batch(Crew& crew, unsigned owner) { crew.lease_and_ack_batch(owner); }

void read_lossy(Crew& crew, unsigned /*owner*/) {
  for (int i = 0; i < 2; ++i) crew.read_lossy();
}
void read_newest(Crew& crew, unsigned /*owner*/) {
  for (int i = 0; i < 3; ++i) crew.read_newest();
}
void make_lossy(Crew& crew, unsigned owner) {
  // At the oldest, so that there is something to read, and to lose.
  join(crew.world().memory(), private_group(owner), GroupKind::lossy, Start::oldest);
  attach(crew.world(), owner, private_group(owner));
  crew.consumer(owner, true);
}
void make_newest(Crew& crew, unsigned owner) {
  crew.ask_for_newest();
  make_lossy(crew, owner);
}

/// A deadline that has passed: the wait arms, looks, disarms and passes on, but never sleeps.
const Until k_at_once{Until::Clock::time_point{}};

void wait_for_message(Crew& crew, unsigned owner) {
  Result<Message> received = crew.consumer(owner).receive(k_at_once);
  if (received) crew.note_and_end(*received, owner);
}
void wait_for_room(Crew& crew, unsigned owner) { crew.publish_until(owner, first_id(owner) + 1, k_at_once); }

void make_events(Crew& crew, unsigned owner) {
  static_cast<void>(owner < k_first_consumer ? crew.producer(owner).poll_fd() : crew.consumer(owner).poll_fd());
  crew.note_wakes(owner);
}
/// In an event loop: a try that finds nothing arms, the next one disarms if something is there.
void try_in_event_mode(Crew& crew, unsigned owner) {
  for (int i = 0; i < 2; ++i) {
    if (owner == k_private) {
      crew.read();
    } else if (owner >= k_first_consumer) {
      crew.lease(owner, true);
    } else {
      crew.publish(owner, first_id(owner) + 1U + static_cast<unsigned>(i), k_inline_size);
    }
  }
}

/// A producer's own part of attaching and detaching: it takes its dead predecessor's lane over, publishes, and is gone.
void take_over(Crew& crew, unsigned owner) {
  crew.publish(owner, first_id(owner) + 1, k_lane_size);
  crew.forget(owner);
  crew.publish(owner, first_id(owner) + 2, k_lane_size);
  crew.forget(owner);
}
void come_and_go(Crew& crew, unsigned owner) {
  for (int i = 0; i < 2; ++i) {
    if (owner == k_private) {
      crew.read();
    } else {
      crew.lease(owner, true);
    }
    crew.forget(owner);
  }
}

constexpr Operation k_operations[] = {
    {"publish", Role::producer, make, publish},
    {"publish_lane", Role::producer, make, publish_lane},
    {"publish_sequenced", Role::producer, make, publish_sequenced},
    {"publish_batch", Role::producer, make, publish_batch},
    {"publish_loans", Role::producer, make, publish_loans},
    {"publish_properties", Role::producer, make, publish_properties},
    {"read", Role::private_reader, make, read},
    {"read_batch", Role::private_reader, make, read_batch},
    {"ack", Role::named, make, ack},
    {"nack", Role::named, make, nack},
    {"nack_later", Role::named, make, nack_later},
    {"nack_and_wait", Role::named, make, nack_and_wait},
    {"hang", Role::named, make_timed, hang},
    {"lease_batch", Role::named, make, lease_batch},
    {"ack_batch", Role::named, make, ack_batch},
    {"read_lossy", Role::lossy, make_lossy, read_lossy},
    {"read_newest", Role::lossy, make_newest, read_newest},
    {"wait_read", Role::private_reader, make, wait_for_message},
    {"wait_lease", Role::named, make, wait_for_message},
    {"wait_room", Role::producer, make, wait_for_room},
    {"events_read", Role::private_reader, make_events, try_in_event_mode},
    {"events_lease", Role::named, make_events, try_in_event_mode},
    {"events_publish", Role::producer, make_events, try_in_event_mode},
    {"take_over", Role::producer, nullptr, take_over, Steps::accesses},
    {"come_and_read", Role::private_reader, nullptr, come_and_go, Steps::accesses},
    {"come_and_lease", Role::named, nullptr, come_and_go, Steps::accesses},
};

void consume_all(World& world, Crew& crew) {
  while (world.shape().with_private && crew.read() == Status::ok) {
  }
  while (world.shape().with_named && crew.lease(k_named_a, true) == Status::ok) {
  }
}

}  // namespace

std::span<const Operation> operations() noexcept { return k_operations; }

const Operation& operation(const char* name) {
  for (const Operation& each : k_operations) {
    if (std::strcmp(each.name, name) == 0) return each;
  }
  throw std::invalid_argument(name);
}

unsigned owner_of(const Operation& operation, bool second) noexcept {
  switch (operation.role) {
    case Role::producer: return second ? k_producer_b : k_producer_a;
    case Role::private_reader: return k_private;
    case Role::named: return second ? k_named_b : k_named_a;
    case Role::lossy: return k_lossy;
  }
  return k_nobody;
}

bool applies(const Operation& operation, const Shape& shape, bool second) noexcept {
  switch (operation.role) {
    case Role::producer: return (!second || shape.producers > 1) && (operation.holder == k_nobody || shape.with_named);
    case Role::private_reader: return shape.with_private;
    case Role::named: return shape.with_named;
    case Role::lossy: return true;
  }
  return false;
}

void begin(World& world, Crew& crew, const Beginning& beginning, std::span<const unsigned> busy) {
  context().laps = beginning.laps;
  context().prefill = beginning.prefill;
  found(world);
  const unsigned first = world.shape().producers > 1 ? k_producer_first : k_producer_a;
  for (unsigned i = 0; i < beginning.laps; ++i) {
    const unsigned by = beginning.laps_by_a ? k_producer_a : first;
    // Ids of their own: who joins at the oldest message may still see them.
    crew.publish(by, first_id(k_producer_new) + i % 16, i % 2 == 0 ? k_lane_size : k_inline_size);
    consume_all(world, crew);
    std::ranges::fill(world.journal().messages, Entry{});
  }
  for (unsigned i = 0; i < beginning.prefill; ++i) {
    const bool by_lane = beginning.lane_prefill && i < 2;
    const bool extended = beginning.properties && i % 2 == 0;
    const std::uint32_t size = extended  ? (by_lane ? k_extended_lane_size : k_extended_inline_size)
                               : by_lane ? k_lane_size
                                         : k_inline_size;
    crew.publish(first, first_id(k_producer_first) + i, size);
  }
  if (beginning.late_floor && world.shape().with_named) crew.lease(k_named_a, true);
  if (!beginning.sleepers) return;
  const auto rests = [&](unsigned owner) { return std::ranges::find(busy, owner) == busy.end(); };
  if (beginning.prefill == 0) {
    if (world.shape().with_named && rests(k_named_b)) crew.sleep(k_named_b);
    if (world.shape().with_private && rests(k_private)) crew.sleep(k_private);
  }
  const bool full =
      beginning.prefill == world.shape().slots && (world.shape().with_named || world.shape().with_private);
  if (full && world.shape().producers > 1 && rests(k_producer_b) && !beginning.late_floor) {
    crew.sleep(k_producer_b, wrap(world.shape().first + beginning.laps + beginning.prefill - world.shape().slots));
  }
}

}  // namespace beltway::crash
