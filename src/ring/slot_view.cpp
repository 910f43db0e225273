// See slot_view.hpp.
#include "ring/slot_view.hpp"

#include "os/kernel.hpp"

namespace beltway::ring {

bool view_extended(const QueueMemory& memory, const Slot& slot, SlotMeta meta, SlotView& view) noexcept {
  if ((meta.flags & ~k_flag_lane) != k_flag_extended) return false;
  const bool found =
      (meta.flags & k_flag_lane) != 0 ? view_in_lane(memory, slot, view) : view.size <= memory.geometry.inline_bytes();
  if (!found || view.size < sizeof(Word)) return false;
  // The one read of the length. The view keeps it, and whoever reads the properties is given the view's.
  const std::uint32_t bytes = PropertiesHead::of(reinterpret_cast<const Word*>(view.data)->load_relaxed()).bytes;
  if (bytes == 0 || bytes % k_payload_alignment != 0 || bytes > view.size) return false;
  view.data += bytes;
  // plant: length_of_the_block_is_read_twice
  view.size -= bytes;
  view.properties_bytes = static_cast<std::uint16_t>(bytes);
  return true;
}

std::optional<std::uint64_t> due_time_us(const SlotView& view) noexcept {
  if (view.properties_bytes == 0) return std::nullopt;
  const std::byte* const block = view.data - view.properties_bytes;
  // A peer may have written another head since the view was made: the length of the view bounds what is read.
  const std::uint16_t present = PropertiesHead::of(reinterpret_cast<const Word*>(block)->load_relaxed()).present;
  const std::size_t offset = due_time_offset(present);
  if ((present & k_has_due_time) == 0 || offset + sizeof(Word) > view.properties_bytes) return std::nullopt;
  return reinterpret_cast<const Word*>(block + offset)->load_relaxed();
}

bool is_overdue(const SlotView& view) noexcept {
  const std::optional<std::uint64_t> due_us = due_time_us(view);
  // plant: expiry_by_another_clock
  return due_us && *due_us <= os::now_ns() / 1000;
}

bool view_unexpired_extended(const QueueMemory& memory, const Slot& slot, SlotMeta meta, SlotView& view) noexcept {
  return view_extended(memory, slot, meta, view) && !is_overdue(view);
}

}  // namespace beltway::ring
