// See crew.hpp.
#include "crew.hpp"

#include <array>
#include <span>
#include <utility>

#include "beltway/detail/atomics.hpp"
#include "checker.hpp"
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
  static auto* const made = [] {
    auto* all = new std::array<std::array<std::byte, k_lane_size>, 2 * k_messages>;
    for (std::uint64_t i = 0; i < k_messages; ++i) {
      fill_message((*all)[i].data(), i, k_inline_size);
      fill_message((*all)[k_messages + i].data(), i, k_lane_size);
    }
    return all;
  }();
  return Bytes((*made)[size == k_inline_size ? id : k_messages + id].data(), size);
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
  const Status status = from.try_publish(bytes);
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
  Result<Loan> lent = producer(owner).try_loan(k_lane_size);
  if (!lent) return lent.status();
  fill_message(lent->bytes().data(), id, size);
  entry.begun = 1;
  compiler_fence();
  const Status status = lent->try_commit(size);
  compiler_fence();
  (status == Status::ok ? entry.committed : entry.refused) = 1;
  return status;
}

bool Crew::note_read(const Message& message) {
  const std::uint64_t id = read_message(message.bytes().data(), message.size());
  if (is_evicted(world_, k_private)) return false;  // anything may lie there by now
  if (id == 0 || id >= k_messages) fail(world_, "the private reader got a torn message");
  Entry& entry = world_.journal().messages[id];
  entry.position = message.position();
  compiler_fence();
  ++entry.read;
  compiler_fence();
  world_.journal().private_read = wrap(message.position() + 1);
  compiler_fence();
  return true;
}

Status Crew::read() {
  Result<Message> received = consumer(k_private).try_receive();
  if (!received) return received.status();
  const bool whole = note_read(*received);
  const bool ours = received->ack();
  if (ours && !whole) fail(world_, "who was thrown out is told that its message was its own");
  if (!ours && !is_evicted(world_, k_private)) fail(world_, "the private reader is told that it was thrown out");
  return Status::ok;
}

std::size_t Crew::read_batch() {
  std::array<Message, 4> out;
  const Result<std::size_t> batch = consumer(k_private).try_receive_batch({out.data(), 3});
  for (std::size_t i = 0; i < batch.value_or(0); ++i) note_read(out[i]);
  // Out of order, as an application may let go of them.
  if (batch.value_or(0) > 1) out[1] = Message();
  return batch.value_or(0);
}

bool Crew::note_leased(const Message& message, unsigned owner) {
  const std::uint64_t id = read_message(message.bytes().data(), message.size());
  const bool over = world_.journal().thrown_out == owner;  // before the lease is looked at: it may happen in between
  compiler_fence();
  const Lease lease = Lease::of(world_.memory().lease(k_group, message.position()).load_acquire());
  if (over && lease.phase == LeasePhase::leased && lease.owner == owner) {
    fail(world_, "who was thrown out keeps a late lease");
  }
  const auto wrong = [&](const char* what) {
    // It may be another's by now, and its bytes a later message's.
    if (!is_evicted(world_, owner)) fail(world_, "a consumer of the named group: message %d %s", int(id), what);
    return false;
  };
  if (id == 0 || id >= k_messages) return wrong("is torn");
  Entry& entry = world_.journal().messages[id];
  if (entry.leased != 0 && message.deliveries() == 1) return wrong("came again without a mark");
  if (entry.acked != 0) return wrong("came again after its ack");
  if (is_evicted(world_, owner)) return false;
  entry.position = message.position();
  compiler_fence();
  entry.leased = 1;
  compiler_fence();
  return true;
}

void Crew::end_lease(Message& message, unsigned owner, bool ack) {
  const bool over = world_.journal().thrown_out == owner;
  const auto end = [&] {
    const bool ended = ack ? message.ack() : message.nack();
    if (ended && over) fail(world_, "who was thrown out has ended a lease");
    if (!ended && !is_evicted(world_, owner)) fail(world_, "a lease was lost");
    return ended;
  };
  const std::uint64_t id = read_message(message.bytes().data(), message.size());
  const bool whole = id != 0 && id < k_messages;
  if (!whole && !is_evicted(world_, owner)) fail(world_, "a leased message changed under its consumer's eyes");
  if (!ack || !whole) {
    end();
    return;
  }
  Entry& entry = world_.journal().messages[id];
  entry.acking = 1;
  compiler_fence();
  const Position position = message.position();
  const bool acked = end();
  compiler_fence();
  if (!acked) {
    entry.acking = 0;
    return;
  }
  // Journalled before, unless it was half thrown out then.
  entry.position = position;
  entry.leased = 1;
  entry.acked = 1;
}

Status Crew::lease(unsigned owner, bool ack) {
  Result<Message> received = consumer(owner).try_receive();
  if (!received) return received.status();
  note_leased(*received, owner);
  end_lease(*received, owner, ack);
  return Status::ok;
}

Status Crew::lease_and_delay(unsigned owner) {
  Result<Message> received = consumer(owner).try_receive();
  if (!received) return received.status();
  note_leased(*received, owner);
  if (!received->nack(std::chrono::milliseconds(1)) && !is_evicted(world_, owner)) fail(world_, "a lease was lost");
  return Status::ok;
}

std::size_t Crew::lease_batch(unsigned owner, unsigned nack_mask) {
  std::array<Message, 4> out;
  const Result<std::size_t> batch = consumer(owner).try_receive_batch({out.data(), 3});
  for (std::size_t i = 0; i < batch.value_or(0); ++i) note_leased(out[i], owner);
  // Last first: acks may come in any order.
  for (std::size_t i = batch.value_or(0); i-- > 0;) end_lease(out[i], owner, (nack_mask >> i & 1U) == 0);
  return batch.value_or(0);
}

std::size_t Crew::lease_and_ack_batch(unsigned owner) {
  std::array<Message, 3> out;
  const std::span<Message> messages = std::span(out).first(consumer(owner).try_receive_batch(out).value_or(0));
  std::array<std::pair<Entry*, Position>, 3> all{};
  std::size_t whole = 0;
  for (const Message& message : messages) {
    note_leased(message, owner);
    const std::uint64_t id = read_message(message.bytes().data(), message.size());
    if (id == 0 || id >= k_messages) continue;  // who was thrown out
    Entry& entry = world_.journal().messages[id];
    entry.acking = 1;
    all[whole++] = {&entry, message.position()};
  }
  const bool over = world_.journal().thrown_out == owner;
  compiler_fence();
  const std::size_t acked = ack_batch(messages);
  compiler_fence();
  if (acked != 0 && over) fail(world_, "who was thrown out has ended a lease");
  if (acked != messages.size() && !is_evicted(world_, owner)) fail(world_, "a lease was lost");
  for (const auto& [entry, position] : std::span(all).first(whole)) {
    if (acked == 0) {
      entry->acking = 0;
      continue;
    }
    entry->position = position;
    entry->leased = 1;
    if (acked == messages.size()) entry->acked = 1;  // else some were: who was half thrown out
  }
  return messages.size();
}

Status Crew::read_lossy() {
  Result<Message> received = consumer(k_lossy, true).try_receive();
  if (!received) return received.status();
  const std::uint64_t id = read_message(received->bytes().data(), received->size());
  if (id == 0 || id >= k_messages) fail(world_, "the lossy reader got a torn message");
  return Status::ok;
}

void Crew::note_and_end(Message& message, unsigned owner) {
  if (owner == k_private) {
    note_read(message);
    message = Message();
  } else {
    note_leased(message, owner);
    end_lease(message, owner, true);
  }
}

void Crew::join_newcomer(GroupKind kind, Start start) {
  const QueueMemory& memory = world_.memory();
  const unsigned group = kind == GroupKind::named ? k_other_group : private_group(k_joiner);
  join(memory, group, kind, start);
  attach(world_, k_joiner, group);
  consumer(k_joiner);
  for (Entry& entry : world_.journal().messages) entry.due = entry.begun == 0;
  world_.journal().newcomer = 1;
}

void Crew::read_newcomer() {
  if (world_.journal().newcomer == 0) return;
  for (;;) {
    Result<Message> received = consumer(k_joiner).try_receive();
    if (!received) break;
    const std::uint64_t id = read_message(received->bytes().data(), received->size());
    if (id == 0 || id >= k_messages) fail(world_, "the newcomer got a torn message");
    Entry& entry = world_.journal().messages[id];
    if (entry.joined++ != 0) fail(world_, "the newcomer got message %d again", static_cast<int>(id));
    received->ack();
  }
}

void Crew::newcomer_leaves() {
  const QueueMemory& memory = world_.memory();
  read_newcomer();
  consumers_.erase(k_joiner);
  bury(world_, k_joiner);
  if (GroupStateWord::of(memory.group(k_other_group).state.load_acquire()).phase != GroupPhase::active) return;
  if (!leave(memory, k_other_group)) fail(world_, "the newcomers' group does not drain");
  free_group(memory, k_other_group);
}

void Crew::hold(unsigned owner) {
  Result<Message> received = consumer(owner).try_receive();
  if (!received) return;
  held_ids_.push_back(read_message(received->bytes().data(), received->size()));
  held_.push_back(std::move(*received));
}

void Crew::release() {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const std::uint64_t id = read_message(held_[i].bytes().data(), held_[i].size());
    if (id == 0 || id != held_ids_[i]) fail(world_, "a message changed while it was held");
    Entry& entry = world_.journal().messages[id];
    entry.position = held_[i].position();
    ++entry.joined;
    held_[i].ack();
  }
  held_.clear();
  held_ids_.clear();
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
