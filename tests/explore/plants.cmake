# The planted bugs, by the marks in the sources: see plant.cmake. Each must be caught by a scenario: see explore_planted_test.cpp.
# Bugs of the first design come first.

# -- claims -------------------------------------------------------------------------------------------------------
plant(no_help "")
plant_condition(help_with_unequal [[distance<Tail::bits>(slot.position, last) == 0]])
plant_condition(no_generation [[distance(position, limit_) >= 0]])
plant_condition(no_clamp_of_the_limit [[lowest == tail || distance(floor, lowest) < 0]])
plant_value(no_check_of_the_slot [[true]])
plant(no_fence_before_the_floors "")
plant(no_scan_after_help [[return help_floors(memory_) && refresh_limit(position);]])
plant_condition(search_stops_too_early [[distance(shown_by(middle), wrap(first + middle)) > 0]])
plant(claim_limit_is_not_stored "")
plant(no_fence_behind_the_mark "")
# One fence, whose lack shows in two ways.
plant(no_fence_behind_the_claim_before_a_reference "")
plant(no_fence_behind_the_claim_before "")

# -- lanes --------------------------------------------------------------------------------------------------------
plant(no_second_scan_of_floors "")
plant(frees_what_is_passed_meanwhile [[if (marked) over = count_reclaimable_records(claimer_.scan_floors());]])
plant(no_reclaimed_mark "")
plant(heir_marks_nothing "")
plant(heir_skips_what_is_passed_meanwhile [[lowest = claimer_.scan_floors();]])
plant_condition(heir_forgets_what_is_marked
  [[state.phase != SlotPhase::ready || state.owner != producer_ || (meta.flags & k_flag_lane) == 0 || distance(state.position, lowest) < 0]])
plant(punch_before_the_mark "")
plant_value(punch_before_the_mark/2 [[ring::distance(state.position, lowest) < 0]])
plant(punch_without_a_second_scan "")
plant(lane_does_not_help_floors "")
plant_condition(lossy_reader_does_not_check_again [[false]])
plant_condition(lossy_reader_does_not_check_before [[true]])
plant(lossy_reader_does_not_check_the_limit [[return true;]])
plant(newest_passes_what_is_claimed "")
plant(overtaken_newest_is_empty [[if (!found) return ReadResult::empty;]])

# -- stamps and expiry --------------------------------------------------------------------------------------------
plant(stamp_behind_ready "")
plant(stamp_behind_ready/2 [[if (claim == detail::Claim::ok) stamp(); return status_of(claim);]])
plant_condition(stamp_of_an_older_lap [[false]])
# The clock of the day.
plant(expiry_by_another_clock [[return due_us && *due_us <= os::now_ns() / 1000 + 1'700'000'000'000'000;]])
plant_value(ttl_of_the_group_is_ignored [[stamping.ttl_ms]])

# -- properties ---------------------------------------------------------------------------------------------------
plant(length_of_the_block_is_read_twice
  [[view.size -= PropertiesHead::of(reinterpret_cast<const Word*>(view.data - bytes)->load_relaxed()).bytes;]])

# -- groups -------------------------------------------------------------------------------------------------------
plant(no_version_on_next
  [[const Next same{back.position, next.version};
if (group.next.compare_and_swap(seen, same.word())) return;]])
plant(no_bump_when_equal
  [[if (distance<Next::bits>(next.position, position) <= 0 || group.next.compare_and_swap(seen, back.word())) return;]])
plant(no_bump_when_earlier [[if (earlier || group.next.compare_and_swap(seen, back.word())) return;]])
plant(next_stays_after_death "")
plant(floor_passes_old_acks [[return Lease::of(word).phase == phase;]])
plant(floor_passes_a_leased_reclaimed "")
plant(floor_passes_a_leased_reclaimed/2 [[return true;]])
plant_value(no_second_check_of_the_slot [[true]])
plant_condition(two_leases_of_what_is_over [[false]])
plant_condition(two_leases_of_one_message [[!SlotState::is_ready(one_word, position)]])
plant(ends_that_cross "")
plant_value(reclaimed_is_ended_with_a_store [[ack(state.position, tries)]])
plant_value(acks_of_a_batch_move_no_floor [[run.size() > 1 ? 0 : named.after_ack(last.position_)]])
plant(late_ack_is_a_store [[named_.emplace(at.memory, at.group, at.group_incarnation, at.owner, false);]])
plant_condition(lease_what_is_done [[lease.phase == LeasePhase::leased]])

# -- delayed messages ---------------------------------------------------------------------------------------------
plant(nack_without_a_version
  [[if (word.compare_and_swap(seen, EarliestDue{after.due_us, before.version}.word())) return earlier;]])
plant(rest_is_stored_without_a_look
  [[if (shared_.earliest_due.compare_and_swap(shared_.earliest_due.load_acquire(), after)) seen_ = after;]])
plant_value(nack_brings_no_time_forward [[true]])
plant_condition(the_right_time_is_left_alone
  [[first.has_value() && (EarliestDue::of(block.earliest_due.load_acquire()).due_us == 0 || stored(*first) < EarliestDue::of(block.earliest_due.load_acquire()).due_us)]])
plant_condition(slot_of_a_parked_message_is_believed [[false]])
plant_condition(parked_behind_a_scan_is_forgotten [[false]])
plant_condition(nack_wakes_no_sleeper [[false]])
plant_condition(failed_move_wakes_no_sleeper [[false]])
plant(delayed_for_a_move_is_delivered [[return false;]])
plant_condition(watch_is_not_handed_on [[true]])
plant_value(sleeps_past_the_due_time [[(steps.watch(), k_never)]])

# -- groups that keep only their newest messages --------------------------------------------------------------------
plant(drop_takes_what_is_leased [[return ahead < 0 || lease.phase != LeasePhase::done;]])
plant(drop_is_not_counted "")
plant(drop_leaves_the_floor "")
plant_value(drop_gains_no_room [[memory.geometry.slots]])
plant_condition(claim_counts_as_message [[true]])
plant_condition(given_back_message_holds_the_ring [[false]])

# -- parked messages ----------------------------------------------------------------------------------------------
plant(floor_passes_before_the_mark "")
plant_condition(producer_ignores_parked_slots [[false]])
plant(next_parked_slot_is_not_looked_for [[limit_ = counts ? floor_limit_ : next_;]])
plant(voids_wake_no_consumer "")
plant_before(void_of_a_parked_slot_overwrites_it [[slot(last()).meta.store_relaxed(0);]])
plant_before(void_of_a_parked_slot_overwrites_it/2 [[slot.meta.store_relaxed(0);]])
plant(mark_is_cleared_without_the_version [[word.store_release(marks.word());]])
plant(mark_keeps_its_version "")
plant(end_of_a_parked_lease_wakes_no_producer "")
plant(end_of_a_parked_lease_wakes_no_producer/2 "")
plant(nack_of_a_parked_lease_is_not_said "")
plant_value(message_parked_in_an_eviction_is_kept [[1]])
plant_condition(lease_parks_for_no_sleeper [[false]])
plant_condition(parked_before_its_second_check_is_lost [[false]])
plant_value(end_of_stream_before_parked_messages [[false]])
plant(lane_lends_parked_bytes "")
plant_condition(lane_forgets_parked_records [[false]])
plant(lane_forgets_parked_records/2 "")
plant(heir_forgets_parked_messages "")
plant_condition(drained_while_parked [[false]])

# -- joining and leaving ------------------------------------------------------------------------------------------
plant(no_second_check_of_tail "")
plant(no_fence_after_active "")
plant(join_oldest_at_the_open_claim [[raise_floor(group, wrap(load_tail(memory) - memory.geometry.slots));]])
plant(join_oldest_once [[memory.tail().compare_and_swap(word, raised.word()); return true;]])
plant(join_oldest_without_notice "")
plant(a_doubt_is_written_over [[word.store_release(next(seen)); return;]])
plant(join_oldest_without_barrier "")
plant(leave_without_barrier "")
plant(leave_without_barrier/2 "")
plant(lease_does_not_check_removal [[return ReadResult::message;]])
plant(lease_does_not_check_removal/2 [[return true;]])
plant(given_back_lease_drains_no_group "")
plant(last_to_end_does_not_drain "")

# -- groups that are paused and reset -----------------------------------------------------------------------------
plant(reset_leaves_the_incarnation [[return Floor{incarnation, distance(position, to) < 0 ? position : to}.word();]])
plant(reset_keeps_limits [[if (!memory.geometry.single_producer()) return;]])
plant(reset_without_notice "")
plant(reset_without_barrier "")
plant(reset_to_the_open_claim [[raise_floor(group, oldest);]])
plant(reset_leaves_next "")
plant_condition(lease_of_a_reset_is_parked [[false]])
plant(resume_wakes_no_consumer "")
plant(operator_keeps_what_is_leased_meanwhile "word.store_release(lease.word());")
plant_value(operator_ends_what_is_leased_meanwhile
  [[message.is_parked ? end_parked(memory, group, word, message.lease_word) : (word.store_release(done.word()), true)]])
plant(operators_ack_wakes_nobody "")
plant(operators_due_time_wakes_nobody "")

# -- waking -------------------------------------------------------------------------------------------------------
plant(no_kick_after_death "")
plant_condition(no_chain [[false]])
plant_condition(no_passing_on [[true]])
plant(no_barrier_before_sleep "")
plant(signalled_before_the_wake
  [[const bool first = word.compare_and_swap(waking, Wait{wait.sequence, WaitPhase::signalled}.word());
    rouse(memory, owner); return first;]])
plant(woken_before_the_word
  [[rouse(memory, owner);
    return word.compare_and_swap(seen, Wait{wait.sequence, WaitPhase::signalled}.word());]])
plant(waking_is_left_alone [[if (wait.phase != WaitPhase::asleep) return false;]])
plant(a_lost_race_for_waking_is_over
  [[if (wait.phase == WaitPhase::asleep && !word.compare_and_swap(seen, waking)) return false;]])
plant(sleeps_whatever_the_word_says
  [[return os::sleep_on(memory_.endpoint(owner_).wait, memory_.endpoint(owner_).wait.load_relaxed(), until_ns);]])
plant_condition(bells_are_not_rung [[false]])
plant_condition(every_ring_is_a_neighbours [[!edges.self]])
plant(in_the_list_at_the_limit [[waiter_.line().arm(waiter_.symmetric());]])
plant(a_late_wake_is_kept "")
plant(a_lost_wake_counts [[word.compare_and_swap(waking, Wait{wait.sequence, WaitPhase::signalled}.word()); return true;]])
# Either of the two would do.
plant(a_lost_race_for_the_floor "")
plant(a_lost_race_for_the_floor/2 [[if (!help_floor(memory_, group_)) return 0;]])
plant(busy_producers_sleep_on [[return rung;]])
plant(leaving_the_line_wakes_no_producer "")
plant_condition(producer_that_leaves_the_line_is_counted [[true]])
plant_condition(a_ticket_is_never_passed_over [[true]])
plant(void_wakes_no_sleeper "")
plant(last_ack_wakes_no_consumer "")
plant(end_of_stream_without_a_last_poll "")

# -- leases that end by time --------------------------------------------------------------------------------------
plant(timed_lease_is_ended_by_a_store "")
plant(lease_that_is_over_counts_no_try "")
plant(lease_that_is_over_leaves_next "")
plant(late_holder_extends "")
plant(lease_is_ended_without_its_time [[return true;]])
plant(no_check_is_planned [[return;]])
plant(check_is_cleared_for_good "")
plant(lease_that_is_left_is_not_planned "")
plant_value(end_of_another_lease [[true]])
plant_condition(planned_check_wakes_no_sleeper [[false]])
plant(repair_leaves_the_lease_check "")
plant(lease_without_a_time_gets_none "")
plant(holder_that_plans_no_look_is_not_found "")
plant(consumer_does_not_say_that_it_swaps "")
plant_condition(end_of_an_old_lap_counts [[false]])
plant_condition(lease_of_a_silent_consumer_gets_no_time [[has_ticked]])
plant(due_time_is_written_over "")
plant_condition(given_time_of_a_delayed_message [[false]])
plant_condition(lease_ended_by_a_store_gets_a_time [[false]])
plant_condition(holder_says_that_it_swaps [[named_ && named_->must_say_swaps()]])
