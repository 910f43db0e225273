# The bugs that the crash images must catch: all of the explorer's, of which some show only in interleavings and store
# buffers (crash_planted_test.cpp says which), and these. See ../../explore/plant.cmake.
include(${CMAKE_CURRENT_LIST_DIR}/../../explore/plants.cmake)

# -- the repair ---------------------------------------------------------------------------------------------------
plant_condition(repair_leaves_claims [[ahead == 0]])
plant_condition(repair_leaves_claims_without_a_mark [[last]])
plant_condition(repair_leaves_leases [[sense]])
plant(repair_marks_no_try "")

plant_condition(repair_leaves_parked_leases [[false]])
plant(repair_leaves_the_due_time "")
plant(eviction_leaves_parked_leases "")
plant_condition(parked_bytes_are_punched [[!lies_in_lane(slot, state, producer)]])

# -- healing ------------------------------------------------------------------------------------------------------
plant(healing_leaves_tail "")
plant(healing_leaves_holes [[if (ahead != 0) return;]])
plant_condition(healing_leaves_floors [[true]])
plant_condition(healing_leaves_floors_that_are_behind [[!beyond]])
plant_condition(healing_leaves_next [[given_back]])
plant_value(healing_believes_later_leases [[true]])
plant(repair_leaves_the_private_group "")
plant(repair_leaves_the_sleeper "")
plant(repair_leaves_the_ticket "")
plant(repair_leaves_the_ticket/2 "")

# -- producers ----------------------------------------------------------------------------------------------------
plant_before(ready_before_the_payload [[if (flags == 0 && !std::is_same_v<Ring, InlinePublisher>) slot.commit(flags);]])
plant_before(quick_ready_before_the_payload [[if (std::is_same_v<Ring, InlinePublisher>) slot.commit(flags);]])
plant_before(ready_before_the_reference [[if (flags != 0) slot.commit(flags);]])
# Readers see the block as a part of the payload.
plant(flag_behind_ready [[slot.meta.store_relaxed(meta & ~(std::uint64_t{detail::k_flag_extended} << 32));]])
plant(flag_behind_ready/2
  [[slot.state.store_release(SlotState{position, 0, {}}.word() | ready_low_); slot.meta.store_relaxed(meta);]])
plant_condition(block_is_not_counted [[size >= slot_size_limit_ || has_news()]])
plant(lane_without_heir "")
plant(tail_is_not_widened [[return static_cast<Position>(tail.position);]])

plant(sequence_is_cleared_before_it_is_committed
  [[record.pending_sequence.store_release(0); record.committed.store_release(sequence);]])
plant_value(settle_believes_every_claim [[ahead >= 0]])

# -- consumers and groups -----------------------------------------------------------------------------------------
plant(nack_leaves_next [[return true;]])
plant_before(nack_before_the_word [[set_next_back(memory_, group_, position);]])
plant(nack_before_the_word/2 [[return true;]])
plant(next_is_not_widened [[return static_cast<Position>(next.position);]])
plant(leases_are_not_filled "")
plant(floor_of_nobody [[group.floor.store_relaxed(Floor{0, floor}.word());]])
plant_condition(drained_while_leased [[false]])
plant_condition(purge_takes_what_is_leased [[lap > 0]])
plant_before(done_before_it_is_moved [[named_->ack(view.position, view.tries);]])
plant_value(moved_and_not_done [[true]])
plant(reason_is_lost [[return delay_until(position, tries, {now_us() + delay_us, owner_, counted});]])
plant_condition(not_moved_is_dropped [[moved != Move::not_ours]])
plant_condition(private_reader_takes_claimed [[state.position != read()]])

# -- consumers that are thrown out --------------------------------------------------------------------------------
plant(thrown_out_is_not_said "")
plant(thrown_out_keeps_its_leases "")
plant(thrown_out_leaves_next "")
plant(thrown_out_keeps_the_private_group "")
plant(eviction_wakes_no_sleeper "")
plant_condition(late_lease_is_kept [[false]])
plant_condition(thrown_out_reads_in_place [[true]])
plant_value(thrown_out_is_told_it_was_its_own [[true]])
