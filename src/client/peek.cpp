// Queue::peek(): copies of messages, taken without taking part. The memory is input, as in inspect.cpp: a message is copied
// before its slot is checked again.
#include <algorithm>

#include "beltway/queue.hpp"
#include "client/attach.hpp"
#include "client/inspect.hpp"
#include "client/inspect_ages.hpp"
#include "client/queue_request.hpp"
#include "ring/parking.hpp"
#include "ring/slot_view.hpp"
#include "wire/validate.hpp"

namespace beltway::client {

namespace {

/// Positions from the floor of the group to `tail`, at most one lap; 0 if the floor makes no sense.
std::uint64_t depth_of(const ring::QueueMemory& memory, unsigned group, ring::Position tail) noexcept {
  const std::int64_t depth = ring::distance(tail, ring::wrap(memory.group(group).floor.load_acquire()));
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(depth, 0, memory.geometry.slots));
}

/// Of the `depth` positions before `tail`, those at `from` and behind it.
std::uint64_t depth_from(ring::Position tail, std::uint64_t depth, std::optional<ring::Position> from) noexcept {
  if (!from) return depth;
  const std::int64_t left = ring::distance(tail, *from);
  return std::min(depth, static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0)));
}

void copy_view(const ring::QueueMemory& memory, const ring::SlotView& view, ring::Position position,
               std::size_t max_bytes, PeekedMessage& message) {
  message.position = position;
  message.producer = view.producer;
  message.size = view.size;
  message.age = age_at(memory, position);
  message.bytes.resize(std::min<std::size_t>(view.size, max_bytes));
  detail::copy_racing(message.bytes.data(), view.data, message.bytes.size());
  message.properties_block.resize(view.properties_bytes);
  detail::copy_racing(message.properties_block.data(), view.data - view.properties_bytes, view.properties_bytes);
}

/// Copies the message at `position` if it is there now and still there afterwards.
bool copy_message(const ring::QueueMemory& memory, ring::Position position, std::size_t max_bytes,
                  PeekedMessage& message) {
  const ring::Slot& slot = memory.slot(position);
  const std::uint64_t word = slot.state.load_acquire();  // pairs with the release of READY
  const ring::SlotState state = ring::SlotState::of(word);
  ring::SlotView view;
  if (state.position != position || state.phase != ring::SlotPhase::ready || !ring::view_slot(memory, state, view))
    return false;
  copy_view(memory, view, position, max_bytes, message);
  return ring::is_unchanged(memory, slot, word);
}

/// What the lease word says of a message for its group. The word is input: any consumer of the group may have written it.
void add_lease(const ring::Lease& lease, PeekedMessage& message) noexcept {
  const bool is_held = lease.phase == ring::LeasePhase::leased || lease.phase == ring::LeasePhase::parked;
  message.deliveries = unsigned{lease.tries} + (is_held ? 1 : 0);
  // A peer may have written any owner: one that is no consumer is told as none.
  const unsigned consumer = unsigned{lease.owner} - ring::k_first_consumer;
  if (is_held && consumer < k_max_consumers) message.holder = consumer;
}

/// True if a reader that begins at `from` gets the position.
bool is_wanted(ring::Position position, std::optional<ring::Position> from) noexcept {
  return !from || ring::distance(position, *from) >= 0;
}

/// Copies the message that is parked in slot `index` for the group, if there is one at `from` or behind it.
bool copy_parked(const ring::QueueMemory& memory, unsigned group, std::uint64_t index, std::size_t max_bytes,
                 PeekedMessage& message, std::optional<ring::Position> from = {}) {
  const detail::Word& word = memory.lease(group, index);
  const std::uint64_t seen = word.load_acquire();  // pairs with the swap of the process that parked it
  const ring::Lease lease = ring::Lease::of(seen);
  const ring::Position floor = ring::wrap(memory.group(group).floor.load_acquire());
  const ring::Position position = ring::widen<ring::Lease::bits>(lease.position, floor);
  ring::SlotView view;
  if (!ring::is_parked(lease.phase) || ring::distance(position, floor) >= 0 || !is_wanted(position, from) ||
      !ring::view_parked(memory, position, view))
    return false;
  copy_view(memory, view, position, max_bytes, message);
  add_lease(lease, message);
  // While the message is parked, no producer writes over it.
  detail::acquire_fence();
  return word.load_relaxed() == seen;
}

/// False if the group has done with the position. Else adds what the group knows of the message.
bool add_state_for(const ring::QueueMemory& memory, unsigned group, ring::Position position, PeekedMessage& message) {
  // Pairs with the release of an ack.
  const ring::Lease lease = ring::Lease::of(memory.lease(group, position).load_acquire());
  const std::int64_t ahead = ring::distance<ring::Lease::bits>(lease.position, position);
  if (ahead > 0 || (ahead == 0 && lease.phase == ring::LeasePhase::done)) return false;
  message.deliveries = 0;  // the word is that of an earlier lap: no consumer has had the message
  if (ahead == 0) add_lease(lease, message);
  return true;
}

unsigned index_of(const wire::Description& description, std::string_view group) {
  if (const auto at = wire::find_group(description, group)) return description.group_indexes[*at];
  std::vector<std::string> names;
  for (const NamedGroup& each : description.info.options.groups) names.push_back(each.name);
  throw Error(Errc::not_found, wire::error_subject("peek", description.info.name) + ": it has no group \"" +
                                   std::string(group) + "\"" + wire::groups_text(description.info.name, names));
}

}  // namespace

std::vector<PeekedMessage> copy_messages(const ring::QueueMemory& memory, std::size_t count, std::size_t max_bytes,
                                         std::optional<unsigned> group, std::optional<std::uint64_t> from) {
  std::vector<PeekedMessage> messages;
  if (from && ring::wrap(*from) != *from) return messages;  // no message ever has such a position
  const ring::Position tail = ring::load_tail(memory);
  const std::uint64_t depth = depth_from(tail, group ? depth_of(memory, *group, tail) : memory.geometry.slots, from);
  for (std::uint64_t i = 0; group && i < memory.geometry.slots; ++i) {
    PeekedMessage message;
    if (copy_parked(memory, *group, i, max_bytes, message, from)) messages.push_back(std::move(message));
  }
  std::ranges::sort(messages, [](const PeekedMessage& a, const PeekedMessage& b) {
    return ring::distance(a.position, b.position) < 0;
  });
  if (messages.size() > count) messages.resize(count);
  for (std::uint64_t left = depth; left != 0 && messages.size() < count; --left) {
    const ring::Position position = ring::wrap(tail - left);
    PeekedMessage message;
    if (group && !add_state_for(memory, *group, position, message)) continue;
    if (copy_message(memory, position, max_bytes, message)) messages.push_back(std::move(message));
  }
  return messages;
}

std::optional<PeekedMessage> copy_message_at(const ring::QueueMemory& memory, unsigned group, std::uint64_t position) {
  constexpr std::size_t k_all = ~std::size_t{0};
  PeekedMessage parked;
  if (copy_parked(memory, group, position & memory.mask(), k_all, parked) && parked.position == position) {
    return parked;
  }
  PeekedMessage message;
  const bool found = ring::wrap(position) == position && add_state_for(memory, group, position, message) &&
                     copy_message(memory, position, k_all, message);
  return found ? std::optional(std::move(message)) : std::nullopt;
}

}  // namespace beltway::client

namespace beltway {

std::vector<PeekedMessage> Queue::peek(std::size_t count, std::size_t max_bytes, std::string_view group) const {
  return peek(PeekOptions{.count = count, .max_bytes = max_bytes, .group = std::string(group)});
}

std::vector<PeekedMessage> Queue::peek(const PeekOptions& options) const {
  const client::Inspection inspection = client::attach_inspector(*session_, {name_, id_, wire::geometry_of(options_)});
  std::optional<unsigned> index;
  if (!options.group.empty()) index = client::index_of(client::describe(*session_, *this), options.group);
  return client::copy_messages(inspection.memory, options.count, options.max_bytes, index, options.from);
}

}  // namespace beltway
