// Each bug that plants.cmake plants must be caught by a scenario: that the explorer sees what it is there to see.
//
// $BELTWAY_EXPLORE_PLANT: that one only. $BELTWAY_EXPLORE_MATRIX: all scenarios for each, to see which catch it.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "planted.hpp"
#include "plants.hpp"
#include "scenarios.hpp"

namespace beltway::explore {
namespace {

/// For each bug the scenario that is to catch it, by the beginning of its name.
const std::map<std::string_view, std::string_view> k_catches = {
    {"no_help", "a producer is killed and repaired, another lives"},
    {"help_with_unequal", "two late producers, one that laps them"},
    {"no_generation", "join at oldest, two producers, ring of 2, cached limits"},
    {"no_clamp_of_the_limit", "join at latest below a reader"},
    {"no_check_of_the_slot", "join at latest, two producers, ring of 2"},
    {"no_fence_before_the_floors", "join at latest, single producer, ring of 2"},
    {"no_scan_after_help", "a consumer and a producer help the floor"},
    {"search_stops_too_early", "join at latest, single producer, ring of 2"},
    {"claim_limit_is_not_stored", "a lossy reader is overtaken by a single producer"},
    {"join_oldest_at_the_open_claim", "join at oldest, single producer"},
    {"no_fence_behind_the_mark", "a lossy reader is overtaken by one of two producers, weak memory"},
    {"no_fence_behind_the_claim_before_a_reference", "a lossy reader and the lane of a single producer, weak memory"},
    {"no_fence_behind_the_claim_before", "a lossy reader is overtaken by a single producer, weak memory"},
    {"no_second_scan_of_floors", "join at oldest while the lane is freed"},
    {"frees_what_is_passed_meanwhile", "a reader goes on while the lane is freed, a lossy reader reads"},
    {"no_reclaimed_mark", "a lossy reader, a lane and another producer"},
    {"heir_marks_nothing", "a dead producer's lane is taken over, its reader has passed it, a lossy"},
    {"heir_skips_what_is_passed_meanwhile", "a dead producer's lane is taken over, a reader still needs it, a lossy"},
    {"heir_forgets_what_is_marked", "a producer is killed while it frees its lane"},
    {"punch_before_the_mark", "a dead producer's lane is given back, a lossy reader reads"},
    {"punch_without_a_second_scan", "a dead producer's lane is given back, a group joins at oldest"},
    {"lane_does_not_help_floors", "a producer waits for room in its lane, a named group, ring of 8, the"},
    {"lossy_reader_does_not_check_again", "a lossy reader is overtaken by one of two producers"},
    {"lossy_reader_does_not_check_before", "a lossy reader is overtaken by a single producer"},
    {"lossy_reader_does_not_check_the_limit", "a lossy reader is overtaken by a single producer"},
    {"newest_passes_what_is_claimed", "a consumer asks for the newest message of two producers"},
    {"overtaken_newest_is_empty", "a consumer asks for the newest message of a single producer"},
    {"stamp_behind_ready", "messages with stamps of a single producer, a private reader"},
    {"stamp_of_an_older_lap", "messages with stamps of"},
    {"expiry_by_another_clock", "messages with a time of their own"},
    {"ttl_of_the_group_is_ignored", "a ttl of one group"},
    {"length_of_the_block_is_read_twice", "a peer rewrites the length of a message's properties"},
    {"no_version_on_next", "two nacks against acks, ring of 2"},
    {"no_bump_when_equal", "a consumer is killed giving back, ring of 2"},
    {"no_bump_when_earlier", "a batch against nacks"},
    {"next_stays_after_death", "a consumer is killed giving back, ring of 2"},
    {"floor_passes_old_acks", "acks out of order and a producer"},
    {"floor_passes_a_leased_reclaimed", "a named group joins at oldest while the lane is freed"},
    {"no_second_check_of_the_slot", "a named group joins at oldest while the lane is freed"},
    {"lease_what_is_done", "two nacks against acks, ring of 2"},
    {"ends_that_cross", "a removed group's last two leases end"},
    {"reclaimed_is_ended_with_a_store", "a named group joins at oldest while the lane is freed, the next lap"},
    {"acks_of_a_batch_move_no_floor", "a producer waits for room that two consumers make, which stop receiving, 2"},
    {"late_ack_is_a_store", "a consumer is thrown out acknowledging"},
    {"two_leases_of_what_is_over", "two batches, one given back"},
    {"two_leases_of_one_message", "two batches, one given back"},
    {"floor_passes_before_the_mark", "a held message is parked, then acknowledged, 1"},
    {"producer_ignores_parked_slots", "a held message is parked, then acknowledged, 1"},
    {"next_parked_slot_is_not_looked_for", "two held messages are parked, 1"},
    {"voids_wake_no_consumer", "a private consumer sleeps while a producer goes around parked slots, 1"},
    {"void_of_a_parked_slot_overwrites_it", "a held message is parked, then given back"},
    {"mark_is_cleared_without_the_version", "one producer clears the mark of a slot"},
    {"mark_keeps_its_version", "one producer clears the mark of a slot"},
    {"end_of_a_parked_lease_wakes_no_producer", "a producer sleeps for its lane until a parked message"},
    {"lease_parks_for_no_sleeper", "the last message that waits is leased"},
    {"message_parked_in_an_eviction_is_kept", "a consumer is thrown out while a producer parks its message"},
    {"nack_of_a_parked_lease_is_not_said", "a held message is parked, then given back, 1"},
    {"parked_before_its_second_check_is_lost", "a message is parked before its consumer looks again"},
    {"end_of_stream_before_parked_messages", "a stream ends while a message is parked"},
    {"lane_lends_parked_bytes", "the lane goes around a held message, 1"},
    {"lane_forgets_parked_records", "the lane goes around a held message"},
    {"heir_forgets_parked_messages", "a dead producer's lane is taken over, a message in it is parked"},
    {"drained_while_parked", "a group with a parked message is removed"},
    {"no_second_check_of_tail", "join at latest, two producers, ring of 2"},
    {"no_fence_after_active", "join at latest, single producer, ring of 2"},
    {"join_oldest_once", "join at oldest, two producers, ring of 2"},
    {"join_oldest_without_notice", "join at oldest, single producer, ring of 4"},
    {"join_oldest_without_barrier", "join at oldest, single producer, ring of 4"},
    {"reset_leaves_the_incarnation", "a group is reset while a consumer that finds nothing helps"},
    {"reset_keeps_limits", "a group is reset to oldest, 2 producers with limits, ring of 2"},
    {"reset_without_notice", "a group is reset to oldest, 1 producers with limits, ring of 4"},
    {"reset_without_barrier", "a group is reset to oldest, 1 producers with limits, ring of 4"},
    {"reset_to_the_open_claim", "a group is reset to oldest, 1 producers with limits, ring of 2"},
    {"reset_leaves_next", "a group is reset while a consumer that finds nothing helps"},
    {"lease_of_a_reset_is_parked", "a group is reset beside a held message, a producer parks"},
    {"operator_ends_what_is_leased_meanwhile", "an operator acknowledges a message that is leased, then acknowledged"},
    {"operator_keeps_what_is_leased_meanwhile", "an operator keeps a message that is leased, then acknowledged"},
    {"operators_ack_wakes_nobody", "an operator acknowledges what a producer waits for"},
    {"operators_due_time_wakes_nobody", "an operator makes a message due for a sleeper"},
    {"resume_wakes_no_consumer", "a paused group with a sleeping consumer"},
    {"a_doubt_is_written_over", "a client's doubt meets a notice of the daemon"},
    {"leave_without_barrier", "a group is removed while a message is acknowledged"},
    {"lease_does_not_check_removal", "a group is removed while a message is acknowledged"},
    {"given_back_lease_drains_no_group", "a group is removed while a message is acknowledged"},
    {"last_to_end_does_not_drain", "a group is removed while a message is held, then acknowledged"},
    {"no_kick_after_death", "a sleeper is killed when it is woken"},
    {"no_chain", "two sleepers, 2 producers, 1 messages each"},
    {"no_passing_on", "two sleepers"},
    {"no_barrier_before_sleep", "a private consumer sleeps, 1 producers"},
    {"signalled_before_the_wake", "a waker stops in the middle"},
    {"waking_is_left_alone", "a waker stops in the middle"},
    {"a_lost_race_for_waking_is_over", "one of two wakers stops"},
    {"woken_before_the_word", "a private consumer sleeps, 1 producers"},
    {"sleeps_whatever_the_word_says", "a private consumer sleeps, 1 producers"},
    {"bells_are_not_rung", "two endpoints on one bell, both in event loops"},
    {"every_ring_is_a_neighbours", "two endpoints on one bell, both in event loops"},
    {"in_the_list_at_the_limit", "a consumer reaches its prefetch limit"},
    {"a_late_wake_is_kept", "a consumer reaches its prefetch limit"},
    {"a_lost_wake_counts", "two sleepers, 2 producers, 1 messages each"},
    {"a_lost_race_for_the_floor", "a producer waits for room that two consumers make"},
    {"busy_producers_sleep_on", "a producer waits for a claim of the lap before"},
    {"leaving_the_line_wakes_no_producer", "the first of two producers that wait for room gives up"},
    {"producer_that_leaves_the_line_is_counted", "the first of two producers that wait for room gives up"},
    {"a_ticket_is_never_passed_over", "the first producer of the line for room never claims"},
    {"void_wakes_no_sleeper", "a producer waits for room behind a claim that becomes VOID"},
    {"last_ack_wakes_no_consumer", "the last message of a stream is acknowledged"},
    {"end_of_stream_without_a_last_poll", "the last producer leaves a private consumer"},
    {"nack_without_a_version", "a nack with a delay meets a scan"},
    {"rest_is_stored_without_a_look", "a nack with a delay meets a scan"},
    {"nack_brings_no_time_forward", "a nack with a delay meets a scan"},
    {"the_right_time_is_left_alone", "a consumer is killed in a nack with a delay"},
    {"slot_of_a_parked_message_is_believed", "a delayed message is parked while a consumer scans"},
    {"parked_behind_a_scan_is_forgotten", "a delayed message is parked while a consumer scans"},
    {"nack_wakes_no_sleeper", "a nack with a delay and two sleepers"},
    {"timed_lease_is_ended_by_a_store", "a late holder acknowledges"},
    {"lease_that_is_over_counts_no_try", "a late holder acknowledges"},
    {"lease_that_is_over_leaves_next", "a late holder acknowledges"},
    {"late_holder_extends", "a late holder extends its lease"},
    {"lease_is_ended_without_its_time", "a late holder extends its lease"},
    {"no_check_is_planned", "a message for two sleepers is held"},
    {"check_is_cleared_for_good", "a lease meets a look that finds none"},
    {"lease_that_is_left_is_not_planned", "a look leaves a lease that is not over"},
    {"end_of_another_lease", "a lease meets a look, the time of the lap before is over"},
    {"planned_check_wakes_no_sleeper", "a lease and two sleepers"},
    {"repair_leaves_the_lease_check", "a consumer is killed while it looks for leases that are over"},
    {"lease_without_a_time_gets_none", "a consumer stops in the middle of a lease"},
    {"holder_that_plans_no_look_is_not_found", "a consumer stops in the middle of a lease"},
    {"consumer_does_not_say_that_it_swaps", "a consumer stops in the middle of a lease"},
    {"end_of_an_old_lap_counts", "a lease meets a look, an old time has its lap number"},
    {"lease_of_a_silent_consumer_gets_no_time", "a consumer leases with a timeout while it holds a message without"},
    {"due_time_is_written_over", "a late holder gives back with a long delay"},
    {"given_time_of_a_delayed_message", "a late holder gives back with a long delay"},
    {"lease_ended_by_a_store_gets_a_time", "leases get a timeout while a message is held"},
    {"holder_says_that_it_swaps", "leases get a timeout while a message is held"},
    {"failed_move_wakes_no_sleeper", "a move that fails and two sleepers"},
    {"delayed_for_a_move_is_delivered", "two consumers find a message to move"},
    {"watch_is_not_handed_on", "a sleeper that watches gets other work"},
    {"drop_takes_what_is_leased", "a producer drops around a held message"},
    {"drop_is_not_counted", "a producer drops while a consumer leases"},
    {"drop_leaves_the_floor", "a held message is given back while a producer sleeps"},
    {"drop_gains_no_room", "another group holds the room"},
    {"claim_counts_as_message", "a producer is killed while a consumer drops"},
    {"given_back_message_holds_the_ring", "a held message is given back while a producer sleeps"},
    {"sleeps_past_the_due_time", "a sleeper wakes when a message is due"},
};

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (const auto& family :
       {ring_scenarios(), join_scenarios(), lane_scenarios(), group_scenarios(), removal_scenarios(),
        live_group_scenarios(), sleep_scenarios(), room_scenarios(), heal_scenarios(), property_scenarios(),
        stamp_scenarios(), delay_scenarios(), parking_scenarios(), drop_scenarios(), lease_timeout_scenarios(),
        operator_scenarios(), newest_scenarios()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

/// True if `scenario` catches the bug that is on.
bool catches(const Scenario& scenario) {
  const Outcome outcome = explore(scenario);
  if (outcome.failure.empty()) return false;
  std::printf("%-34s caught after %7llu executions by \"%s\": %s\n", planted_bug,
              static_cast<unsigned long long>(outcome.executions), scenario.name.c_str(), outcome.failure.c_str());
  if (std::getenv("BELTWAY_EXPLORE_PLANT") != nullptr) std::printf("%s\n", outcome.schedule.c_str());
  return true;
}

TEST(PlantedBugs, all_planted_bugs_are_caught) {
  const std::vector<Scenario> scenarios = all_scenarios();
  const char* const only = std::getenv("BELTWAY_EXPLORE_PLANT");
  const bool matrix = std::getenv("BELTWAY_EXPLORE_MATRIX") != nullptr;
  unsigned caught = 0;
  unsigned planted = 0;
  for (const char* const plant : k_plants) {
    if (only != nullptr && std::string_view(only) != plant) continue;
    ++planted;
    planted_bug = plant;
    const auto expected = k_catches.find(plant);
    bool found = false;
    for (const Scenario& scenario : scenarios) {
      if (found && !matrix) break;
      if (!matrix && (expected == k_catches.end() || !scenario.name.starts_with(expected->second))) continue;
      found = catches(scenario) || found;
    }
    caught += found ? 1U : 0U;
    EXPECT_TRUE(found) << plant << " is not caught";
    std::fflush(stdout);
  }
  planted_bug = nullptr;
  std::printf("%u of %u planted bugs caught\n", caught, planted);
}

}  // namespace
}  // namespace beltway::explore
