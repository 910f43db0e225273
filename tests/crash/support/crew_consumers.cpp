// What consumers do, and what they note in the journal. See crew.hpp.
#include <array>
#include <span>
#include <utility>

#include "beltway/detail/atomics.hpp"
#include "checker.hpp"
#include "crew.hpp"
#include "endpoint/attachment.hpp"
#include "os/kernel.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"

namespace beltway::crash {

using namespace beltway::detail;
using namespace beltway::endpoint;
using namespace beltway::ring;

bool Crew::note_read(const Message& message) {
  const std::uint64_t id = read_message(message);
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
  const std::uint64_t id = read_message(message);
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
  const std::uint64_t id = read_message(message);
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

Status Crew::reject(unsigned owner) {
  Result<Message> received = consumer(owner).try_receive();
  if (!received) return received.status();
  const std::uint64_t id = read_message(*received);
  const bool whole = note_leased(*received, owner);
  const bool rejected = received->reject();
  compiler_fence();
  if (!rejected && !is_evicted(world_, owner)) fail(world_, "a lease was lost");
  if (rejected && whole) world_.journal().messages[id].given_up = 1;
  return Status::ok;
}

Status Crew::lease_and_delay(unsigned owner) {
  Result<Message> received = consumer(owner).try_receive();
  if (!received) return received.status();
  note_leased(*received, owner);
  if (!received->nack(std::chrono::milliseconds(1)) && !is_evicted(world_, owner)) fail(world_, "a lease was lost");
  return Status::ok;
}

Status Crew::lease_and_hang(unsigned owner) {
  Result<Message> late = consumer(owner).try_receive();
  if (!late) return late.status();
  const bool whole = note_leased(*late, owner);
  if (!late->extend() && !is_evicted(world_, owner)) fail(world_, "a lease was lost");
  for (int ms = 0; ms < 20; ++ms) os::give_way();
  // It looks for leases that are over, and finds its own.
  Result<Message> again = consumer(owner).try_receive();
  if (again) {
    note_leased(*again, owner);
    end_lease(*again, owner, true);
  }
  if (again && again->position() == late->position()) {
    if (late->still_held() || late->ack()) fail(world_, "a late ack was believed");
    return Status::ok;
  }
  if (!whole) return Status::ok;
  Entry& entry = world_.journal().messages[read_message(*late)];
  const Position position = late->position();
  entry.acking = 1;
  compiler_fence();
  const bool acked = late->ack();
  compiler_fence();
  if (!acked) {
    entry.acking = 0;
    return Status::ok;
  }
  entry.position = position;
  entry.acked = 1;
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
    const std::uint64_t id = read_message(message);
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
  const std::uint64_t id = read_message(*received);
  if (id == 0 || id >= k_messages) fail(world_, "the lossy reader got a torn message");
  return Status::ok;
}

Status Crew::read_newest() {
  const QueueMemory& memory = world_.memory();
  // The newest message that is there when the call begins.
  const Position tail = load_tail(memory);
  const Position unread = wrap(memory.group(private_group(k_lossy)).floor.load_acquire());
  std::uint32_t age = 1;
  while (age <= memory.geometry.slots &&
         !SlotState::is_ready(memory.slot(tail - age).state.load_acquire(), wrap(tail - age))) {
    ++age;
  }
  Result<Message> received = consumer(k_lossy, true).try_receive();
  // The repair of a dead producer reclaims its messages in the lane that no group needs.
  const bool is_there = age <= memory.geometry.slots && distance(wrap(tail - age), unread) >= 0 &&
                        SlotState::is_ready(memory.slot(tail - age).state.load_acquire(), wrap(tail - age));
  if (!received) {
    if (is_there && received.status() == Status::empty) fail(world_, "the newest message is not found");
    return received.status();
  }
  const std::uint64_t id = read_message(*received);
  if (id == 0 || id >= k_messages) fail(world_, "the newest message is torn");
  if (last_newest_ && distance(received->position(), *last_newest_) <= 0) fail(world_, "the newest message came again");
  if (is_there && distance(received->position(), wrap(tail - age)) < 0) fail(world_, "a newer message was there");
  last_newest_ = received->position();
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
    const std::uint64_t id = read_message(*received);
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
  held_ids_.push_back(read_message(*received));
  held_.push_back(std::move(*received));
}

void Crew::release() {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const std::uint64_t id = read_message(held_[i]);
    if (id == 0 || id != held_ids_[i]) fail(world_, "a message changed while it was held");
    Entry& entry = world_.journal().messages[id];
    entry.position = held_[i].position();
    ++entry.joined;
    held_[i].ack();
  }
  held_.clear();
  held_ids_.clear();
}

Status Crew::take(unsigned owner) {
  Result<Message> received = consumer(owner).try_receive();
  if (!received) return received.status();
  note_leased(*received, owner);
  taken_[owner] = std::move(*received);
  return Status::ok;
}

void Crew::end_taken(unsigned owner, bool ack) { end_lease(taken_[owner], owner, ack); }

}  // namespace beltway::crash
