// See dropping.hpp.
#include "dropping.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

unsigned first_producer(Crew& crew) { return crew.world().shape().producers > 1 ? k_producer_first : k_producer_a; }

void read_all(Crew& crew) {
  while (crew.world().shape().with_private && crew.read() == Status::ok) {
  }
}

/// From now on the group keeps one message, and messages that it drops are forgiven: the checker counts them.
void keep_one(Crew& crew) {
  crew.world().memory().group(k_group).keeps.store_relaxed(1);
  crew.world().journal().forgiven = 1;
}

/// The ring is full of messages that the group has not read.
void fill(Crew& crew, std::uint32_t size) {
  read_all(crew);
  for (unsigned i = 0; i < crew.world().shape().slots; ++i) {
    crew.publish(first_producer(crew), first_id(k_producer_new) + i, size);
    read_all(crew);
  }
}

void full(Crew& crew, unsigned owner) {
  fill(crew, k_inline_size);
  keep_one(crew);
  if (owner < k_first_consumer) {
    crew.producer(owner);
  } else {
    crew.consumer(owner);
  }
}
void full_lane(Crew& crew, unsigned owner) {
  fill(crew, k_lane_size);
  keep_one(crew);
  crew.producer(owner);
}
void full_beside_held(Crew& crew, unsigned owner) {
  read_all(crew);
  while (crew.lease(k_named_a, true) == Status::ok) {
  }
  crew.publish(first_producer(crew), first_id(k_producer_first) + 14, k_lane_size);
  crew.take(k_named_b);
  full(crew, owner);
}

void publish(Crew& crew, unsigned owner) {
  for (std::uint64_t id = first_id(owner) + 1; id < first_id(owner) + 3; ++id) crew.publish(owner, id, k_inline_size);
}
void publish_lane(Crew& crew, unsigned owner) {
  for (std::uint64_t id = first_id(owner) + 1; id < first_id(owner) + 3; ++id) crew.publish(owner, id, k_lane_size);
}
void lease(Crew& crew, unsigned owner) {
  crew.lease(owner, true);
  crew.lease(owner, true);
}

constexpr Operation k_operations[] = {
    {"drop_publish", Role::producer, full, publish},
    {"drop_publish_lane", Role::producer, full_lane, publish_lane, Steps::accesses},
    {"drop_around_held", Role::producer, full_beside_held, publish, Steps::any, k_named_b},
    {"drop_lease", Role::named, full, lease},
};

}  // namespace

std::span<const Operation> dropping_operations() noexcept { return k_operations; }

}  // namespace beltway::crash
