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

/// Copies the message that is parked in slot `index` for the group, if there is one.
bool copy_parked(const ring::QueueMemory& memory, unsigned group, std::uint64_t index, std::size_t max_bytes,
                 PeekedMessage& message) {
  const detail::Word& word = memory.lease(group, index);
  const std::uint64_t seen = word.load_acquire();  // pairs with the swap of the process that parked it
  const ring::Lease lease = ring::Lease::of(seen);
  const ring::Position floor = ring::wrap(memory.group(group).floor.load_acquire());
  const ring::Position position = ring::widen<ring::Lease::bits>(lease.position, floor);
  ring::SlotView view;
  if (!ring::is_parked(lease.phase) || ring::distance(position, floor) >= 0 ||
      !ring::view_parked(memory, position, view))
    return false;
  copy_view(memory, view, position, max_bytes, message);
  // While the message is parked, no producer writes over it.
  detail::acquire_fence();
  return word.load_relaxed() == seen;
}

/// True if the group has done with the position.
bool is_done(const ring::QueueMemory& memory, unsigned group, ring::Position position) noexcept {
  // Pairs with the release of an ack.
  const ring::Lease lease = ring::Lease::of(memory.lease(group, position).load_acquire());
  return ring::distance<ring::Lease::bits>(lease.position, position) > 0 ||
         (ring::distance<ring::Lease::bits>(lease.position, position) == 0 && lease.phase == ring::LeasePhase::done);
}

unsigned index_of(const wire::Description& description, std::string_view group) {
  if (const auto at = wire::find_group(description, group)) return description.group_indexes[*at];
  throw Error(Errc::not_found, wire::error_subject("peek", description.info.name) + ": it has no group \"" +
                                   std::string(group) + "\"; see which there are with describe");
}

}  // namespace

std::vector<PeekedMessage> copy_messages(const ring::QueueMemory& memory, std::size_t count, std::size_t max_bytes,
                                         std::optional<unsigned> group) {
  const ring::Position tail = ring::load_tail(memory);
  const std::uint64_t depth = group ? depth_of(memory, *group, tail) : memory.geometry.slots;
  std::vector<PeekedMessage> messages;
  for (std::uint64_t i = 0; group && i < memory.geometry.slots; ++i) {
    PeekedMessage message;
    if (copy_parked(memory, *group, i, max_bytes, message)) messages.push_back(std::move(message));
  }
  std::ranges::sort(messages, [](const PeekedMessage& a, const PeekedMessage& b) {
    return ring::distance(a.position, b.position) < 0;
  });
  if (messages.size() > count) messages.resize(count);
  for (std::uint64_t left = depth; left != 0 && messages.size() < count; --left) {
    const ring::Position position = ring::wrap(tail - left);
    if (group && is_done(memory, *group, position)) continue;
    PeekedMessage message;
    if (copy_message(memory, position, max_bytes, message)) messages.push_back(std::move(message));
  }
  return messages;
}

std::optional<PeekedMessage> copy_message_at(const ring::QueueMemory& memory, unsigned group, std::uint64_t position) {
  constexpr std::size_t k_all = ~std::size_t{0};
  PeekedMessage message;
  if (copy_parked(memory, group, position & memory.mask(), k_all, message) && message.position == position) {
    return message;
  }
  const bool found = ring::wrap(position) == position && !is_done(memory, group, position) &&
                     copy_message(memory, position, k_all, message);
  return found ? std::optional(std::move(message)) : std::nullopt;
}

}  // namespace beltway::client

namespace beltway {

std::vector<PeekedMessage> Queue::peek(std::size_t count, std::size_t max_bytes, std::string_view group) const {
  const client::Inspection inspection = client::attach_inspector(*session_, {name_, id_, wire::geometry_of(options_)});
  std::optional<unsigned> index;
  if (!group.empty()) index = client::index_of(client::describe(*session_, *this), group);
  return client::copy_messages(inspection.memory, count, max_bytes, index);
}

}  // namespace beltway
