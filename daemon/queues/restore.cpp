// See restore.hpp.
#include "queues/restore.hpp"

#include <cstring>

#include "os/kernel.hpp"
#include "ring/groups.hpp"
#include "ring/queue_setup.hpp"

namespace beltway::daemon {

namespace {

/// True if the word said something else.
bool restore(detail::Word& word, std::uint64_t right) noexcept {
  if (word.load_acquire() == right) return false;
  word.store_release(right);
  return true;
}

bool restore_header(const ring::QueueMemory& memory, const QueueRecord& record) noexcept {
  const ring::Header right = ring::header_of(memory.geometry, record.id);
  if (std::memcmp(&memory.header(), &right, sizeof right) == 0) return false;
  std::memcpy(&memory.header(), &right, sizeof right);
  return true;
}

bool restore_notice(const ring::QueueMemory& memory, const QueueRecord& record) noexcept {
  const std::uint32_t flags =
      (record.symmetric ? ring::k_notice_symmetric : 0) | (record.removing ? ring::k_notice_removed : 0);
  detail::Word& word = memory.shared_status().notice;
  const ring::Notice notice = ring::Notice::of(word.load_acquire());
  if ((notice.flags & ~ring::k_notice_doubted) == flags) return false;  // a doubt is a client's to post
  word.store_release(ring::Notice{notice.epoch + 1, flags}.word());
  os::heavy_barrier();  // after this, each process has seen the flag for full fences
  return true;
}

unsigned restore_endpoints(const ring::QueueMemory& memory, const QueueRecord& record) noexcept {
  unsigned wrong = 0;
  std::uint64_t live = 0;
  std::uint64_t ever = 0;
  for (unsigned place = 0; place < record.endpoints.size(); ++place) {
    const EndpointRecord& endpoint = record.endpoints[place];
    const bool producer = place < memory.geometry.max_producers;
    ring::Identity right{endpoint.incarnation, 0, 0};
    if (producer) ever += endpoint.incarnation;  // raised by each attach
    if (endpoint.attached) {
      right.group = static_cast<std::uint16_t>(endpoint.group);
      right.flags = endpoint.evicted ? ring::k_endpoint_attached | ring::k_endpoint_evicted : ring::k_endpoint_attached;
      if (producer) live |= 1ULL << place;
    }
    const unsigned owner = producer ? place : ring::k_first_consumer + place - memory.geometry.max_producers;
    wrong += restore(memory.endpoint(owner).identity, right.word()) ? 1 : 0;
  }
  // In the order that consumers rely on (ConsumerCore::why_empty).
  wrong += restore(memory.shared_status().live_producers, live) ? 1 : 0;
  wrong += restore(memory.shared_status().producers_ever, ever) ? 1 : 0;
  return wrong;
}

/// The state of a named group; true if it was wrong.
bool restore_named(const ring::QueueMemory& memory, unsigned index, const GroupRecord& record) noexcept {
  detail::Word& state = memory.group(index).state;
  const ring::GroupStateWord said = ring::GroupStateWord::of(state.load_acquire());
  switch (record.state) {
    case GroupRecord::State::active: {
      const ring::GroupPhase phase = record.paused_since ? ring::GroupPhase::paused : ring::GroupPhase::active;
      return restore(state, ring::GroupStateWord{record.incarnation, ring::GroupKind::named, phase}.word());
    }
    case GroupRecord::State::leaving:
      // The last consumer that ends a lease makes it DRAINED.
      if (said.phase == ring::GroupPhase::drained && said.kind == ring::GroupKind::named) return false;
      return restore(
          state, ring::GroupStateWord{record.incarnation, ring::GroupKind::named, ring::GroupPhase::leaving}.word());
    case GroupRecord::State::free: break;
  }
  if (said.phase == ring::GroupPhase::free) return false;
  ring::free_group(memory, index);
  return true;
}

/// The state of a consumer's own group; true if it was wrong.
bool restore_private(const ring::QueueMemory& memory, unsigned index, const EndpointRecord& record) noexcept {
  detail::Word& state = memory.group(index).state;
  const ring::GroupStateWord said = ring::GroupStateWord::of(state.load_acquire());
  if (record.attached && !record.evicted && record.kind != ring::GroupKind::named) {
    return restore(state, ring::GroupStateWord{said.incarnation, record.kind, ring::GroupPhase::active}.word());
  }
  if (said.phase == ring::GroupPhase::free) return false;
  ring::free_group(memory, index);
  return true;
}

}  // namespace

unsigned restore_words(const ring::QueueMemory& memory, const QueueRecord& record) noexcept {
  unsigned wrong = restore_header(memory, record) ? 1 : 0;
  wrong += restore_notice(memory, record) ? 1 : 0;
  wrong += restore_endpoints(memory, record);
  unsigned groups = 0;
  unsigned settings = restore(memory.shared_status().stamping, stamping(record).word()) ? 1 : 0;
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    groups += restore_named(memory, index, record.groups[index]) ? 1 : 0;
    if (record.groups[index].state == GroupRecord::State::free) continue;
    settings += restore(memory.group(index).redelivery, redelivery(record, index).word()) ? 1 : 0;
    settings += restore(memory.group(index).times, group_times(record, index).word()) ? 1 : 0;
    settings += restore(memory.group(index).keeps, kept_messages(record, index)) ? 1 : 0;
  }
  for (unsigned consumer = 0; consumer < memory.geometry.max_consumers; ++consumer) {
    const EndpointRecord& endpoint = record.endpoints[memory.geometry.max_producers + consumer];
    groups += restore_private(memory, memory.geometry.max_groups + consumer, endpoint) ? 1 : 0;
  }
  // As in a join at the oldest message: a producer that has not seen the group reads it before it claims.
  if (groups != 0) ring::forget_limits(memory);
  if (settings != 0) ring::post_notice(memory, 0);  // consumers may have read them
  return wrong + groups + settings;
}

}  // namespace beltway::daemon
