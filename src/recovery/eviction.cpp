// See eviction.hpp.
#include "recovery/eviction.hpp"

#include "os/kernel.hpp"
#include "recovery/repair.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/lease_timeout.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/redelivery.hpp"

namespace beltway::recovery {

void revoke(const ring::QueueMemory& memory, unsigned owner, std::uint32_t incarnation, unsigned group) noexcept {
  const ring::Identity out{incarnation, static_cast<std::uint16_t>(group),
                           ring::k_endpoint_attached | ring::k_endpoint_evicted};
  // plant: thrown_out_is_not_said
  memory.endpoint(owner).identity.store_release(out.word());
  // A lease after this sees the flag and is given back; a lease before this is seen below.
  detail::full_fence();
  os::heavy_barrier();
  if (group >= memory.geometry.max_groups) {
    // plant: thrown_out_keeps_the_private_group
    ring::free_group(memory, group);
  } else {
    // plant: thrown_out_keeps_its_leases
    release_leases(memory, group, owner);
    // The consumer may be in the middle of a nack: its message is given back, but `next` is not set back.
    // plant: thrown_out_leaves_next
    ring::set_next_back(memory, group, ring::wrap(memory.group(group).floor.load_acquire()));
    ring::restore_earliest_due(memory, group);  // likewise, if the nack has a delay
    ring::restore_lease_check(memory, group);   // or while it looked for leases that are over
    ring::help_floor(memory, group);
    ring::try_drain(memory, group);
  }
  // plant: eviction_wakes_no_sleeper
  ring::wake_all_sleepers(memory);
}

}  // namespace beltway::recovery
