// See restore.hpp.
#include "queues/restore.hpp"

#include <cstring>

#include "os/kernel.hpp"
#include "ring/groups.hpp"
#include "ring/queue_setup.hpp"

namespace beltway::daemon {

namespace {

/// True if the word said something else.
bool restore(Word& word, std::uint64_t right) noexcept {
  if (word.load_acquire() == right) return false;
  word.store_release(right);
  return true;
}

bool restore_header(const QueueMemory& map, const QueueRecord& record) noexcept {
  const Header right = header_of(map.geometry, record.id);
  if (std::memcmp(&map.header(), &right, sizeof right) == 0) return false;
  std::memcpy(&map.header(), &right, sizeof right);
  return true;
}

bool restore_notice(const QueueMemory& map, const QueueRecord& record) noexcept {
  const std::uint32_t flags = (record.symmetric ? k_notice_symmetric : 0) | (record.removing ? k_notice_removed : 0);
  Word& word = map.shared_status().notice;
  const Notice notice = Notice::of(word.load_acquire());
  if ((notice.flags & ~k_notice_doubted) == flags) return false;  // a doubt is a client's to post
  word.store_release(Notice{notice.epoch + 1, flags}.word());
  kernel::heavy_barrier();  // after this, each process has seen the flag for full fences
  return true;
}

unsigned restore_endpoints(const QueueMemory& map, const QueueRecord& record) noexcept {
  unsigned wrong = 0;
  std::uint64_t live = 0;
  std::uint64_t ever = 0;
  for (unsigned place = 0; place < record.endpoints.size(); ++place) {
    const EndpointRecord& endpoint = record.endpoints[place];
    const bool producer = place < map.geometry.max_producers;
    Identity right{endpoint.incarnation, 0, 0};
    if (producer) ever += endpoint.incarnation;  // raised by each attach
    if (endpoint.attached) {
      right.group = static_cast<std::uint16_t>(endpoint.group);
      right.flags = endpoint.evicted ? k_endpoint_attached | k_endpoint_evicted : k_endpoint_attached;
      if (producer) live |= 1ULL << place;
    }
    const unsigned owner = producer ? place : k_first_consumer + place - map.geometry.max_producers;
    wrong += restore(map.endpoint(owner).identity, right.word()) ? 1 : 0;
  }
  // In the order that consumers rely on (ConsumerCore::why_empty).
  wrong += restore(map.shared_status().live_producers, live) ? 1 : 0;
  wrong += restore(map.shared_status().producers_ever, ever) ? 1 : 0;
  return wrong;
}

/// The state of a named group; true if it was wrong.
bool restore_named(const QueueMemory& map, unsigned index, const GroupRecord& record) noexcept {
  Word& state = map.group(index).state;
  const GroupStateWord said = GroupStateWord::of(state.load_acquire());
  switch (record.state) {
    case GroupRecord::State::active:
      return restore(state, GroupStateWord{record.incarnation, GroupKind::named, GroupPhase::active}.word());
    case GroupRecord::State::leaving:
      // The last consumer that ends a lease makes it DRAINED.
      if (said.phase == GroupPhase::drained && said.kind == GroupKind::named) return false;
      return restore(state, GroupStateWord{record.incarnation, GroupKind::named, GroupPhase::leaving}.word());
    case GroupRecord::State::free: break;
  }
  if (said.phase == GroupPhase::free) return false;
  free_group(map, index);
  return true;
}

/// The state of a consumer's own group; true if it was wrong.
bool restore_private(const QueueMemory& map, unsigned index, const EndpointRecord& record) noexcept {
  Word& state = map.group(index).state;
  const GroupStateWord said = GroupStateWord::of(state.load_acquire());
  if (record.attached && !record.evicted && record.kind != GroupKind::named) {
    return restore(state, GroupStateWord{said.incarnation, record.kind, GroupPhase::active}.word());
  }
  if (said.phase == GroupPhase::free) return false;
  free_group(map, index);
  return true;
}

}  // namespace

unsigned restore_words(const QueueMemory& map, const QueueRecord& record) noexcept {
  unsigned wrong = restore_header(map, record) ? 1 : 0;
  wrong += restore_notice(map, record) ? 1 : 0;
  wrong += restore_endpoints(map, record);
  unsigned groups = 0;
  for (unsigned index = 0; index < map.geometry.max_groups; ++index) {
    groups += restore_named(map, index, record.groups[index]) ? 1 : 0;
  }
  for (unsigned consumer = 0; consumer < map.geometry.max_consumers; ++consumer) {
    const EndpointRecord& endpoint = record.endpoints[map.geometry.max_producers + consumer];
    groups += restore_private(map, map.geometry.max_groups + consumer, endpoint) ? 1 : 0;
  }
  // As in a join at the oldest message: a producer that has not seen the group reads it before it claims.
  if (groups != 0) forget_limits(map);
  return wrong + groups;
}

}  // namespace beltway::daemon
