# The bugs that the crash images must catch: all of the explorer's, of which some show only in interleavings and store
# buffers (crash_planted_test.cpp says which), and these. See ../../explore/plant.cmake.
include(${CMAKE_CURRENT_LIST_DIR}/../../explore/plants.cmake)

# -- the repair ---------------------------------------------------------------------------------------------------
plant_expression(repair_leaves_claims src/recovery/heal.cpp
  [[ahead == 0 && !claimed]] [[ahead == 0]])
plant_expression(repair_leaves_claims_without_a_mark src/recovery/heal.cpp
  [[last && living_.has(tail.owner)]] [[last]])
plant_expression(repair_leaves_leases src/recovery/heal.cpp
  [[sense && (!leased || living_.has(lease.owner, index))]] [[sense]])
plant(repair_marks_no_try src/recovery/heal.cpp
  [[if (lease.tries < k_max_tries) ++lease.tries;]] "")

# -- healing ------------------------------------------------------------------------------------------------------
plant(healing_leaves_tail src/recovery/heal.cpp
  [[if (!in_order_) find_tail();]] "")
plant(healing_leaves_holes src/recovery/heal.cpp
  [[if (has_moved_on(ahead, p)) return;]] [[if (ahead != 0) return;]])
plant_expression(healing_leaves_floors src/recovery/heal.cpp
  [[!beyond && distance(floor, tail_) >= -slots_]] [[true]])
plant_expression(healing_leaves_floors_that_are_behind src/recovery/heal.cpp
  [[distance(floor, tail_) >= -slots_]] [[true]])
plant_expression(healing_leaves_next src/recovery/heal.cpp
  [[beyond || given_back]] [[given_back]])
plant_expression(healing_believes_later_leases src/recovery/heal.cpp
  [[has_moved_on(ahead, p) || (ahead == 0 && static_cast<unsigned>(lease.phase) != 0)]] [[true]])
plant(repair_leaves_the_private_group src/recovery/repair.cpp
  [[free_group(map, map.geometry.max_groups + owner - k_first_consumer);]] "")
plant(repair_leaves_the_sleeper src/recovery/repair.cpp
  [[drop_sleeper(map, owner);]] "")
plant(repair_leaves_the_ticket src/recovery/repair.cpp
  [[shared_status.room_line.fetch_and(~(1ULL << owner));]] "")
plant(repair_leaves_the_ticket src/recovery/heal.cpp
  [[drop_sleepers(map_.shared_status().room_line, living_.producers());]] "")

# -- producers ----------------------------------------------------------------------------------------------------
plant_text(ready_before_the_payload include/beltway/detail/inline_publish.hpp
  [[fill(slot.payload());]]
  [[if (flags == 0 && !std::is_same_v<Ring, InlinePublisher> && ::beltway::explore::planted("ready_before_the_payload")) {
    slot.commit(flags);
  }
  fill(slot.payload());]])
plant_text(quick_ready_before_the_payload include/beltway/detail/inline_publish.hpp
  [[fill(slot.payload());]]
  [[if (std::is_same_v<Ring, InlinePublisher> && ::beltway::explore::planted("quick_ready_before_the_payload")) {
    slot.commit(flags);
  }
  fill(slot.payload());]])
plant_text(ready_before_the_reference include/beltway/detail/inline_publish.hpp
  [[fill(slot.payload());]]
  [[if (flags != 0 && ::beltway::explore::planted("ready_before_the_reference")) slot.commit(flags);
  fill(slot.payload());]])
plant(lane_without_heir src/ring/lane.cpp
  [[if (map_.geometry.lane_bytes != 0) adopt_predecessor();]] "")
plant_expression(tail_is_not_widened src/ring/floors.hpp
  [[widen<Tail::bits>(tail.position, slot.position)]] [[static_cast<Position>(tail.position)]])

# -- consumers and groups -----------------------------------------------------------------------------------------
plant_text(nack_leaves_next src/ring/readers/named_reader.cpp
  [[false;
  set_next_back(map_, group_, position);]]
  [[false;
  if (::beltway::explore::planted("nack_leaves_next") || ::beltway::explore::planted("nack_before_the_word")) return true;
  set_next_back(map_, group_, position);]])
plant_text(nack_before_the_word src/ring/readers/named_reader.cpp
  [[  const auto more = static_cast<std::uint8_t>(]]
  [[  if (::beltway::explore::planted("nack_before_the_word")) set_next_back(map_, group_, position);
  const auto more = static_cast<std::uint8_t>(]])
plant_expression(next_is_not_widened src/ring/readers/named_reader.cpp
  [[widen<Next::bits>(next.position, floor)]] [[static_cast<Position>(next.position)]])
plant(leases_are_not_filled src/ring/groups.cpp
  [[fill_leases(map, index, floor);]] "")
plant_expression(floor_of_nobody src/ring/groups.cpp
  [[Floor{incarnation, floor}.word()]] [[Floor{0, floor}.word()]])
plant_expression(drained_while_leased src/ring/groups.cpp
  [[Lease::of(map.lease(index, i).load_acquire()).phase == LeasePhase::leased]] [[false]])
plant_expression(purge_takes_what_is_leased src/ring/groups.cpp
  [[lap == 0 && lease.phase != LeasePhase::retry]] [[false]])
plant_expression(private_reader_takes_claimed src/ring/readers/private_reader.cpp
  [[state.position != read() || state.phase == SlotPhase::claimed]] [[state.position != read()]])

# -- consumers that are thrown out --------------------------------------------------------------------------------
plant(thrown_out_is_not_said src/recovery/eviction.cpp
  [[map.endpoint(owner).identity.store_release(out.word());]] "")
plant(thrown_out_keeps_its_leases src/recovery/eviction.cpp
  [[release_leases(map, group, owner);]] "")
plant(thrown_out_leaves_next src/recovery/eviction.cpp
  [[set_next_back(map, group, wrap(map.group(group).floor.load_acquire()));]] "")
plant(thrown_out_keeps_the_private_group src/recovery/eviction.cpp
  [[free_group(map, group);]] "")
plant(thrown_out_wakes_nobody src/recovery/eviction.cpp
  [[wake_everybody(map);]] "")
plant_text(late_lease_is_kept src/endpoint/consumer_core.cpp
  [[if (is_evicted()) {  // the daemon]]
  [[if (!::beltway::explore::planted("late_lease_is_kept") && is_evicted()) {  // the daemon]])
plant_text(thrown_out_reads_in_place src/endpoint/consumer_core.cpp
  [[if (!attachment_.evictable) inline_size_limit_]]
  [[if (::beltway::explore::planted("thrown_out_reads_in_place") || !attachment_.evictable) inline_size_limit_]])
plant_text(thrown_out_is_told_it_was_its_own src/endpoint/consumer_end.cpp
  [[const bool ours = !is_evicted();]]
  [[const bool ours = ::beltway::explore::planted("thrown_out_is_told_it_was_its_own") || !is_evicted();]])
