// See eviction.hpp.
#include "recovery/eviction.hpp"

#include "os/kernel.hpp"
#include "recovery/repair.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/readers/named_reader.hpp"

namespace beltway::daemon {

void revoke(const QueueMemory& map, unsigned owner, std::uint32_t incarnation, unsigned group) noexcept {
  const Identity out{incarnation, static_cast<std::uint16_t>(group), k_endpoint_attached | k_endpoint_evicted};
  // plant: thrown_out_is_not_said
  map.endpoint(owner).identity.store_release(out.word());
  // A lease after this sees the flag and is given back; a lease before this is seen below.
  full_fence();
  kernel::heavy_barrier();
  if (group >= map.geometry.max_groups) {
    // plant: thrown_out_keeps_the_private_group
    free_group(map, group);
  } else {
    // plant: thrown_out_keeps_its_leases
    release_leases(map, group, owner);
    // A nack of it may have given its message back, and `next` not.
    // plant: thrown_out_leaves_next
    set_next_back(map, group, wrap(map.group(group).floor.load_acquire()));
    help_floor(map, group);
    try_drain(map, group);
  }
  // plant: eviction_wakes_no_sleeper
  wake_all_sleepers(map);
}

}  // namespace beltway::daemon
