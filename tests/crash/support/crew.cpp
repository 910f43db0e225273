// See crew.hpp.
#include "crew.hpp"

#include <array>
#include <span>
#include <utility>

#include "beltway/detail/atomics.hpp"
#include "checker.hpp"
#include "dead_letters.hpp"
#include "endpoint/attachment.hpp"
#include "recovery/eviction.hpp"
#include "ring/groups.hpp"

namespace beltway::crash {

using namespace beltway::detail;
using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

/// The bytes of each message, made before anything is stepped.
Bytes bytes_of(std::uint64_t id, std::uint32_t size) {
  static constexpr std::array k_sizes{k_inline_size, k_lane_size, k_extended_inline_size, k_extended_lane_size};
  static auto* const made = [] {
    auto* all = new std::array<std::array<std::array<std::byte, k_lane_size>, k_messages>, k_sizes.size()>;
    for (std::size_t kind = 0; kind < k_sizes.size(); ++kind) {
      for (std::uint64_t i = 0; i < k_messages; ++i) fill_message((*all)[kind][i].data(), i, k_sizes[kind]);
    }
    return all;
  }();
  std::size_t kind = 0;
  while (k_sizes[kind] != size) ++kind;
  return Bytes((*made)[kind][id].data(), size);
}

}  // namespace

void attach(World& world, unsigned owner, unsigned group) {
  const QueueMemory& memory = world.memory();
  memory.endpoint(owner).identity.store_release(
      Identity{1, static_cast<std::uint16_t>(group), k_endpoint_attached}.word());
  if (owner >= k_first_consumer) return;
  memory.shared_status().producers_ever.fetch_add(1);
  memory.shared_status().live_producers.fetch_or(1ULL << owner);
}

bool is_evicted(const World& world, unsigned owner) noexcept {
  return (Identity::of(world.memory().endpoint(owner).identity.load_acquire()).flags & k_endpoint_evicted) != 0;
}

void evict(World& world, unsigned owner) {
  const Use use(world);
  const Identity identity = Identity::of(world.memory().endpoint(owner).identity.load_acquire());
  recovery::revoke(world.memory(), owner, identity.incarnation, identity.group);
  world.journal().thrown_out = owner;
}

void found(World& world) {
  const Shape& shape = world.shape();
  const QueueMemory& memory = world.memory();
  for (unsigned owner = 0; owner < shape.producers && owner < k_producer_new; ++owner) attach(world, owner);
  if (shape.with_named) {
    join(memory, k_group, GroupKind::named, Start::latest);
    attach(world, k_named_a, k_group);
    attach(world, k_named_b, k_group);
  }
  if (shape.with_private) {
    world.journal().private_read = join(memory, private_group(k_private), GroupKind::private_reliable, Start::latest);
    attach(world, k_private, private_group(k_private));
  }
}

Producer& Crew::producer(unsigned owner) {
  const auto found = producers_.find(owner);
  if (found != producers_.end()) return found->second;
  Attachment attachment;
  attachment.memory = world_.memory();
  attachment.owner = owner;
  attachment.sequence_record = owner;
  ProducerOptions options;
  options.wait = WaitStrategy::sleep;
  return producers_.emplace(owner, make_producer(std::move(attachment), options)).first->second;
}

Consumer& Crew::consumer(unsigned owner, bool lossy, std::uint32_t prefetch) {
  const auto found = consumers_.find(owner);
  if (found != consumers_.end()) return found->second;
  const QueueMemory& memory = world_.memory();
  Attachment attachment;
  attachment.memory = memory;
  attachment.owner = owner;
  ConsumerOptions options;
  options.wait = WaitStrategy::sleep;
  options.end_of_stream = EndOfStream::drained;
  options.prefetch = prefetch;
  options.conflate = lossy && conflates_;
  const unsigned own = private_group(owner);
  attachment.group = own;
  attachment.evictable = world_.shape().evictable && !lossy;
  if (lossy) {
    attachment.kind = GroupKind::lossy;
    attachment.start = wrap(memory.group(own).floor.load_acquire());
  } else if (owner == k_private) {
    attachment.start = world_.journal().private_read;
  } else if (GroupStateWord::of(memory.group(own).state.load_acquire()).phase == GroupPhase::active) {
    attachment.start = wrap(memory.group(own).floor.load_acquire());
  } else {
    attachment.kind = GroupKind::named;
    attachment.dead_letters = make_dead_letters(world_);
    attachment.group = Identity::of(memory.endpoint(owner).identity.load_acquire()).group;
  }
  attachment.group_incarnation = GroupStateWord::of(memory.group(attachment.group).state.load_acquire()).incarnation;
  return consumers_.emplace(owner, make_consumer(std::move(attachment), options)).first->second;
}

Status Crew::publish(unsigned owner, std::uint64_t id, std::uint32_t size) {
  Producer& from = producer(owner);
  const Bytes bytes = bytes_of(id, size);
  Entry& entry = world_.journal().messages[id];
  entry.begun = 1;
  compiler_fence();
  const Status status = is_extended(size) ? from.try_publish(bytes, {.key = key_of(id)}) : from.try_publish(bytes);
  compiler_fence();
  (status == Status::ok ? entry.committed : entry.refused) = 1;
  return status;
}

Status Crew::publish_sequenced(unsigned owner, std::uint64_t id, std::uint32_t size) {
  Producer& from = producer(owner);
  const Bytes bytes = bytes_of(id, size);
  Entry& entry = world_.journal().messages[id];
  entry.sequenced = 1;
  entry.begun = 1;
  compiler_fence();
  const Status status = from.try_publish(bytes, {.sequence = id});
  compiler_fence();
  (status == Status::ok ? entry.committed : entry.refused) = 1;
  return status;
}

Status Crew::publish_until(unsigned owner, std::uint64_t id, const Until& until) {
  Entry& entry = world_.journal().messages[id];
  entry.begun = 1;
  compiler_fence();
  const Status status = producer(owner).publish_until(bytes_of(id, k_inline_size), until);
  compiler_fence();
  (status == Status::ok ? entry.committed : entry.refused) = 1;
  return status;
}

Result<std::size_t> Crew::publish_batch(unsigned owner, std::uint64_t id, std::size_t count, std::uint32_t size) {
  Producer& from = producer(owner);
  std::array<Bytes, 4> batch{bytes_of(id, size), bytes_of(id + 1, size), bytes_of(id + 2, size),
                             bytes_of(id + 3, size)};
  for (std::size_t i = 0; i < count; ++i) world_.journal().messages[id + i].begun = 1;
  compiler_fence();
  const Result<std::size_t> result = from.try_publish_batch({batch.data(), count});
  compiler_fence();
  for (std::size_t i = 0; i < count; ++i) {
    Entry& entry = world_.journal().messages[id + i];
    (i < result.value_or(0) ? entry.committed : entry.refused) = 1;
  }
  return result;
}

Status Crew::publish_loan(unsigned owner, std::uint64_t id, std::uint32_t size) {
  Entry& entry = world_.journal().messages[id];
  Result<Loan> lent = is_extended(size) ? producer(owner).try_loan(k_lane_size, {.key = key_of(id)})
                                        : producer(owner).try_loan(k_lane_size);
  if (!lent) return lent.status();
  fill_message(lent->bytes().data(), id, size);
  entry.begun = 1;
  compiler_fence();
  const Status status = lent->try_commit(size);
  compiler_fence();
  (status == Status::ok ? entry.committed : entry.refused) = 1;
  return status;
}

void Crew::wake_up(unsigned owner) { SleepWord(world_.memory(), owner).disarm(); }

void Crew::note_wakes(unsigned owner) {
  Journal& journal = world_.journal();
  const std::size_t bell = world_.memory().endpoint_index(owner);
  journal.wakes_before[bell] = journal.wakes[bell];
}

void Crew::sleep(unsigned owner, Position past, bool busy) {
  note_wakes(owner);
  SleepWord(world_.memory(), owner).arm(world_.shape().symmetric, past, busy);
}

}  // namespace beltway::crash
