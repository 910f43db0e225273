# The planted bugs: plant(name file right wrong) and plant_expression(...), see plant.cmake. Each must be caught by a scenario,
# see planted_test.cpp. Bugs of the first design come first.

# -- claims -------------------------------------------------------------------------------------------------------
plant(no_help src/ring/claim.cpp
  [[if (!help_tail(map_, tail)) return Claim::busy;]] "")
plant_expression(help_with_unequal src/ring/claim.cpp
  [[distance<Tail::bits>(slot.position, last) >= 0]] [[distance<Tail::bits>(slot.position, last) == 0]])
plant_expression(no_generation src/ring/claim.cpp
  [[tail.generation != generation_ || distance(position, limit_) >= 0]] [[distance(position, limit_) >= 0]])
plant_expression(no_clamp_of_the_limit src/ring/floors.cpp
  [[distance(floor, lowest) < 0]] [[lowest == tail || distance(floor, lowest) < 0]])
plant_expression(no_look_at_the_slot src/ring/claim.cpp
  [[before.position == wrap(position - map_.geometry.slots) && before.phase != SlotPhase::claimed]] [[true]])
plant(no_fence_before_the_floors src/ring/claim.cpp
  [[if (single_) full_fence();]] "")
plant(no_look_after_help src/ring/claim.cpp
  [[help_floors(map_);
  return refresh_limit(position);]]
  [[return help_floors(map_) && refresh_limit(position);]])
plant(ready_before_tail include/beltway/detail/inline_publish.hpp
  [[tail_->store_relaxed((position + 1) << k_tail_shift | tail_low_);]] "")
plant(ready_before_tail include/beltway/detail/inline_publish.hpp
  [[store_pair(slot, position << k_state_shift | ready_low_, meta);]]
  [[store_pair(slot, position << k_state_shift | ready_low_, meta);
    tail_->store_relaxed((position + 1) << k_tail_shift | tail_low_);]])
plant(ready_before_tail src/ring/claim.hpp
  [[slot.store_release(position << k_state_shift | ready_low_);]]
  [[slot.store_release(position << k_state_shift | ready_low_);
    if (single_) tail_->store_relaxed((position + 1) << k_tail_shift | tail_low_);]])
plant(no_fence_behind_the_mark src/ring/claim.cpp
  [[slot(position).store_release(SlotState{position, producer_, SlotPhase::claimed}.word());
    release_fence();]]
  [[slot(position).store_release(SlotState{position, producer_, SlotPhase::claimed}.word());]])
# One fence, whose lack shows in two ways.
plant(no_fence_behind_the_claim_before_a_reference include/beltway/detail/inline_publish.hpp
  [[release_fence();]] "")
plant(no_fence_behind_the_claim_before include/beltway/detail/inline_publish.hpp
  [[release_fence();]] "")

# -- lanes --------------------------------------------------------------------------------------------------------
plant(no_second_look_at_the_floors src/ring/lane.cpp
  [[if (marked) over = std::min(over, count_reclaimable_records(claimer_.scan_floors()));]] "")
plant(frees_what_is_passed_meanwhile src/ring/lane.cpp
  [[over = std::min(over, count_reclaimable_records(claimer_.scan_floors()));]] [[over = count_reclaimable_records(claimer_.scan_floors());]])
plant(no_gone_mark src/ring/lane.cpp
  [[if (record.phase == Phase::committed) marked = mark_gone(record.position) || marked;]] "")
plant(heir_marks_nothing src/ring/lane.cpp
  [[mark_all_gone(lowest);]] "")
plant(heir_skips_what_is_passed_meanwhile src/ring/lane.cpp
  [[if (const Position again = claimer_.scan_floors(); distance(again, lowest) < 0) lowest = again;]]
  [[lowest = claimer_.scan_floors();]])
plant_expression(heir_forgets_what_is_marked src/ring/lane.cpp
  [[state.phase != SlotPhase::ready && state.phase != SlotPhase::reclaimed]] [[state.phase != SlotPhase::ready]])
plant(punch_before_the_mark src/recovery/lane_recovery.cpp
  [[mark_gone_below(map, producer, lowest);]] "")
plant_expression(punch_before_the_mark src/recovery/lane_recovery.cpp
  [[state.phase == SlotPhase::reclaimed && distance(state.position, lowest) < 0]] [[distance(state.position, lowest) < 0]])
plant(punch_without_a_second_look src/recovery/lane_recovery.cpp
  [[if (const Position again = lowest_floor(map, load_tail(map)); distance(again, lowest) < 0) lowest = again;]] "")
plant(lane_does_not_help_floors src/ring/lane.cpp
  [[help_floors(map_);]] "")
plant_expression(lossy_reader_does_not_look_again src/ring/slot_view.hpp
  [[slot.state.load_relaxed() != word]] [[false]])
plant_expression(lossy_reader_does_not_look_before src/ring/slot_view.hpp
  [[SlotState::of(map.slot(before).state.load_relaxed()).position == before]] [[true]])
plant_expression(lossy_reader_does_not_look_at_tail src/ring/slot_view.hpp
  [[distance(load_tail(map), wrap(position + map.geometry.slots)) <= 0]] [[true]])

# -- groups -------------------------------------------------------------------------------------------------------
plant_expression(no_version_on_next src/ring/readers/named_reader.cpp
  [[next.version + 1]] [[next.version]])
plant(no_bump_when_equal src/ring/readers/named_reader.cpp
  [[if (group.next.compare_and_swap(seen, back.word())) return;]]
  [[if (distance<Next::bits>(next.position, position) <= 0 || group.next.compare_and_swap(seen, back.word())) return;]])
plant_text(no_bump_when_earlier src/ring/readers/named_reader.cpp
  [[const Next back{earlier]]
  [[if (earlier && ::beltway::explore::planted("no_bump_when_earlier")) return;
    const Next back{earlier]])
plant(next_stays_after_death src/recovery/repair.cpp
  [[set_next_back(map, group, wrap(map.group(group).floor.load_acquire()));]] "")
plant_expression(floor_passes_old_acks src/ring/floors.cpp
  [[distance<Lease::bits>(lease.position, p) == 0]] [[true]])
plant(floor_passes_a_leased_gone src/ring/floors.cpp
  [[if (says(lease.load_acquire(), p, LeasePhase::leased)) return false;]] "")
plant_expression(floor_passes_a_leased_gone src/ring/floors.cpp
  [[!says(lease.load_acquire(), p, LeasePhase::leased)]] [[true]])
plant_text(no_second_look_at_the_slot src/ring/readers/named_reader.cpp
  [[still_there = slot.state.load_acquire() == slot_word]]
  [[still_there = ::beltway::explore::planted("no_second_look_at_the_slot") || slot.state.load_acquire() == slot_word]])
plant_expression(two_leases_of_what_is_over src/ring/readers/named_reader.cpp
  [[!is_of_older_lap(seen_one, position) || !is_of_older_lap(seen_two, next)]] [[false]])
plant_expression(two_leases_of_one_message src/ring/readers/named_reader.cpp
  [[!is_ready(one_word, position) || !is_ready(two_word, next)]] [[!is_ready(one_word, position)]])
plant(ends_that_cross src/ring/readers/named_reader.cpp
  [[full_fence();]] "")
plant_expression(gone_is_ended_with_a_store src/ring/readers/named_reader.cpp
  [[still_there ? ack(state.position, tries) : end_lease(state.position, tries, done)]] [[ack(state.position, tries)]])
plant(acks_of_a_batch_move_no_floor src/endpoint/consumer_end.cpp
  [[ended_named(messages.back().position_, messages.size());]]
  [[static_cast<void>(ends_.count(messages.size(), [] {}, [](std::uint64_t) {}));]])
plant_expression(late_ack_is_a_store src/endpoint/consumer_core.cpp
  [[at.evictable]] [[false]])
plant_expression(lease_what_is_done src/ring/readers/named_reader.cpp
  [[lease.phase != LeasePhase::retry]] [[lease.phase == LeasePhase::leased]])

# -- joining and leaving ------------------------------------------------------------------------------------------
plant(no_second_look_at_tail src/ring/groups.cpp
  [[raise_floor(group, load_tail(map));]] "")
plant(no_fence_after_active src/ring/groups.cpp
  [[  // may still publish unseen lies within one lap of it.
  full_fence();]] "")
plant(join_oldest_once src/ring/groups.cpp
  [[if (map.tail().compare_and_swap(word, raised.word())) return;]]
  [[map.tail().compare_and_swap(word, raised.word()); return;]])
plant_text(join_oldest_without_notice src/ring/groups.cpp
  [[for which it had looked before.
  post_notice(map, 0);]]
  [[for which it had looked before.
  if (!::beltway::explore::planted("join_oldest_without_notice")) post_notice(map, 0);]])
plant(a_doubt_is_written_over src/ring/groups.cpp
  [[if (word.compare_and_swap(seen, next(seen))) return;]]
  [[word.store_release(next(seen)); return;]])
plant(join_oldest_without_barrier src/ring/groups.cpp
  [[kernel::heavy_barrier();
  raise_floor(group, wrap(load_tail(map) - slots + 1));]]
  [[raise_floor(group, wrap(load_tail(map) - slots + 1));]])
plant(leave_without_barrier src/ring/groups.cpp
  [[full_fence();
  kernel::heavy_barrier();
  wake_all_of_group(map, index);]]
  [[wake_all_of_group(map, index);]])
plant(lease_does_not_look_for_removal src/ring/readers/named_reader.cpp
  [[if (is_active()) return ReadResult::message;]] [[return ReadResult::message;]])
plant(lease_does_not_look_for_removal src/ring/readers/named_reader.cpp
  [[if (is_active()) return true;]] [[return true;]])
plant(nobody_drains_what_is_given_back src/ring/readers/named_reader.cpp
  [[after_ack(views[0].position);]] "")
plant(last_to_end_does_not_drain src/ring/readers/named_reader.cpp
  [[if (state.phase == GroupPhase::leaving && state.incarnation == incarnation_) try_drain(map_, group_);]] "")

# -- waking -------------------------------------------------------------------------------------------------------
plant(no_kick_after_death src/recovery/repair.cpp
  [[wake_everybody(map);]] "")
plant_expression(no_chain src/endpoint/consumer_core.cpp
  [[attachment_.map.shared_status().consumer_sleepers.load_relaxed() != 0 && reader.may_have_more()]] [[false]])
plant_expression(no_passing_on src/endpoint/consumer_wait.cpp
  [[attachment_.kind != GroupKind::named]] [[true]])
plant(no_barrier_before_sleep src/ring/wake.cpp
  [[if (!symmetric) kernel::heavy_barrier();]] "")
plant(signalled_before_the_wake src/ring/wake.cpp
  [[rouse(map, owner);]]
  [[const bool first = word.compare_and_swap(waking, Wait{wait.sequence, WaitPhase::signalled}.word());
    rouse(map, owner); return first;]])
plant(woken_before_the_word src/ring/wake.cpp
  [[if (wait.phase == WaitPhase::asleep && !word.compare_and_swap(seen, waking) && word.load_acquire() != waking)
    return false;]]
  [[rouse(map, owner);
    return word.compare_and_swap(seen, Wait{wait.sequence, WaitPhase::signalled}.word());]])
plant(waking_is_left_alone src/ring/wake.cpp
  [[if (!may_sleep(wait)) return false;]] [[if (wait.phase != WaitPhase::asleep) return false;]])
plant_expression(a_lost_race_for_waking_is_over src/ring/wake.cpp
  [[word.load_acquire() != waking]] [[true]])
plant_expression(sleeps_whatever_the_word_says src/ring/wake.cpp
  [[kernel::sleep_on(map_.endpoint(owner_).wait, asleep(), until_ns)]]
  [[kernel::sleep_on(map_.endpoint(owner_).wait, map_.endpoint(owner_).wait.load_relaxed(), until_ns)]])
plant_expression(bells_are_not_rung src/ring/wake.cpp
  [[endpoint.sleeps_on.load_relaxed() == k_sleeps_on_bell]] [[false]])
plant_expression(every_ring_is_a_neighbours src/waiting/waiter.hpp
  [[!edges.self && !line_.called()]] [[!edges.self]])
plant_text(in_the_list_at_the_limit src/endpoint/consumer_wait.cpp
  [[    waiter_.line().arm_unlisted();
    ends_.want_credit();
  } else {]]
  [[    if (::beltway::explore::planted("in_the_list_at_the_limit")) waiter_.line().arm(waiter_.symmetric());
    else waiter_.line().arm_unlisted();
    ends_.want_credit();
  } else {]])
plant(a_late_wake_is_kept src/waiting/waiter.hpp
  [[if (signalled && !listed) steps.pass_on();]] "")
plant(a_lost_wake_counts src/ring/wake.cpp
  [[return word.compare_and_swap(waking, Wait{wait.sequence, WaitPhase::signalled}.word());]]
  [[word.compare_and_swap(waking, Wait{wait.sequence, WaitPhase::signalled}.word()); return true;]])
# Either of the two would do.
plant(a_lost_race_for_the_floor src/ring/readers/named_reader.cpp
  [[wake_for_room(map_, this->floor());]] "")
plant_text(a_lost_race_for_the_floor src/ring/readers/named_reader.cpp
  [[help_floor(map_, group_);
  const GroupStateWord state]]
  [[if (!help_floor(map_, group_) && ::beltway::explore::planted("a_lost_race_for_the_floor")) return 0;
  const GroupStateWord state]])
plant(busy_producers_sleep_on src/ring/wake.cpp
  [[return rung + wake_busy_producers(map, me);]] [[return rung;]])
plant(who_leaves_the_line_wakes_nobody src/endpoint/producer_core.cpp
  [[counters_.wakes += wake_first_for_room(attachment_.map, producer());]] "")
plant_expression(who_leaves_the_line_is_counted src/endpoint/producer_core.cpp
  [[again >= ahead]] [[true]])
plant_expression(a_ticket_is_never_passed_over src/ring/room_line.cpp
  [[now_ns - watched_since_ns_ < k_turn_ns]] [[true]])
plant_text(a_void_wakes_nobody src/endpoint/producer_core.cpp
  [[who waits for room must help it.
  wake_everybody(attachment_.map);]]
  [[who waits for room must help it.
  if (!::beltway::explore::planted("a_void_wakes_nobody")) wake_everybody(attachment_.map);]])
plant(last_ack_wakes_nobody src/ring/readers/named_reader.cpp
  [[if (board_.live_producers.load_relaxed() == 0) rung += wake_all_of_group(map_, group_);]] "")
plant(end_of_stream_without_a_last_look src/endpoint/consumer_core.cpp
  [[if (read_available(out, count) == ReadResult::message) return Status::ok;]] "")
