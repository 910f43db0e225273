// See slot_view.hpp.
#include "ring/slot_view.hpp"

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

}  // namespace beltway::ring
