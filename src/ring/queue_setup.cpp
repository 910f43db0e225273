// See queue_setup.hpp.
#include "ring/queue_setup.hpp"

namespace beltway::ring {

Header header_of(const Geometry& geometry, std::uint64_t queue_id) noexcept {
  return {.magic = k_magic,
          .layout_major = k_layout_major,
          .layout_minor = k_layout_minor,
          .ring_bytes = geometry.ring_bytes(),
          .heap_bytes = geometry.heap_bytes(),
          .control_bytes = geometry.control_bytes(),
          .queue_id = queue_id,
          .slots = geometry.slots,
          .slot_bytes = geometry.slot_bytes,
          .lane_bytes = geometry.lane_bytes,
          .max_producers = geometry.max_producers,
          .max_consumers = geometry.max_consumers,
          .max_groups = geometry.max_groups,
          .spare = 0};
}

void initialize_queue(const QueueMemory& memory, std::uint64_t queue_id, bool symmetric, Position first) noexcept {
  const Geometry& geometry = memory.geometry;
  memory.header() = header_of(geometry, queue_id);
  for (std::uint32_t i = 0; i < geometry.slots; ++i) {
    const Position position = wrap(first - geometry.slots + i);
    memory.slot(position).state.store_relaxed(SlotState{position, 0, SlotPhase::voided}.word());
  }
  memory.shared_status().notice.store_relaxed(Notice{1, symmetric ? k_notice_symmetric : 0}.word());
  memory.ring_head().claim_limit.store_relaxed(first);
  memory.ring_head().counted[0].store_relaxed(first);
  memory.ring_head().not_messages.store_relaxed(first);
  memory.tail().store_release(Tail{first, 0, 0}.word());
}

}  // namespace beltway::ring
