// Planted bugs (plants.cmake here and in ../../explore), each of which the crash images must catch: that they see what they are
// there to see. Left out are those of the explorer's that need an interleaving of more than one stop, a store buffer or a
// sleeper's full round to show; the explorer's own test demands that it catches every one of its.
//
// $BELTWAY_CRASH_PLANT: the name of one that is tried in the test's own process, so that its failure can be read.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "daemon_jobs.hpp"
#include "dead_letters.hpp"
#include "dropping.hpp"
#include "interruptions.hpp"
#include "parking.hpp"
#include "planted.hpp"
#include "plants.hpp"

namespace beltway::crash {
namespace {

/// A smaller part of what the other programs do, by accesses; what is most likely to fail first.
void try_everything() {
  ::unsetenv("BELTWAY_CRASH_FULL");  // that is for the other programs
  const std::vector<Beginning> some = beginnings(20);
  const std::vector<Beginning> single = single_producer_beginnings(40);
  for (const Operation& each : operations()) kill(each, some, Depth::usable);
  for (const Operation& each : parking_operations()) {
    kill(each, with_parking(some), Depth::usable);
    kill(each, with_parking(single), Depth::usable);
    if (each.holder == k_nobody) evict(each, with_parking(some));
  }
  for (const Operation& each : dead_letter_operations()) kill(each, with_dead_letters(some), Depth::usable);
  for (const Operation& each : dropping_operations()) kill(each, with_parking(some), Depth::drained);
  // Before the other interruptions, which take most of the time.
  for (const Operation& each : operations()) {
    evict(each, some);
    for (const Interruption& interruption : interruptions()) {
      if (interruption.evictable) interrupt(each, interruption, beginnings(60), 2);
    }
  }
  for (const Operation& each : operations()) kill(each, single, Depth::usable);
  for (const Interruption& interruption : interruptions()) {
    if (interruption.evictable) continue;
    for (const Operation& each : operations()) {
      interrupt(each, interruption, some, 2);
      interrupt(each, interruption, single, 2);
    }
  }
  for (const DaemonJob& job : daemon_jobs()) kill_daemon(job, some);
  for (const Operation& each : operations()) kill_repair(each, beginnings(150));
  for (const Operation& first : operations()) {
    for (const Operation& second : operations()) repair_inside(first, second, beginnings(200));
  }
}

/// True if a process with that bug fails, or does not come to an end.
bool is_caught(const char* bug) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit seconds{60, 60};
    ::setrlimit(RLIMIT_CPU, &seconds);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) ::_exit(2);
    explore::planted_bug = bug;
    try_everything();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

constexpr auto k_left_to_the_explorer = std::to_array<std::string_view>({
    "no_fence_before_the_floors",
    "no_fence_behind_the_mark",
    "no_fence_behind_the_claim_before",
    "no_fence_behind_the_claim_before_a_reference",
    "length_of_the_block_is_read_twice",
    "voids_wake_no_consumer",
    "lossy_reader_does_not_check_before",
    "lossy_reader_does_not_check_the_limit",
    "newest_passes_what_is_claimed",
    "overtaken_newest_is_empty",
    "heir_skips_what_is_passed_meanwhile",
    "heir_forgets_what_is_marked",
    "lane_does_not_help_floors",
    "no_bump_when_earlier",
    "no_second_check_of_the_slot",
    "no_second_check_of_tail",
    "no_fence_after_active",
    "join_oldest_once",
    "join_oldest_without_barrier",
    "reset_leaves_the_incarnation",
    "reset_keeps_limits",
    "reset_without_notice",
    "reset_without_barrier",
    "reset_to_the_open_claim",
    "lease_of_a_reset_is_parked",
    "resume_wakes_no_consumer",
    "operator_keeps_what_is_leased_meanwhile",
    "operator_ends_what_is_leased_meanwhile",
    "operators_ack_wakes_nobody",
    "operators_due_time_wakes_nobody",
    "slot_of_a_parked_message_is_believed",
    "parked_behind_a_scan_is_forgotten",
    "message_parked_in_an_eviction_is_kept",
    "leave_without_barrier",
    "lease_does_not_check_removal",
    "no_chain",
    "no_passing_on",
    "no_barrier_before_sleep",
    "signalled_before_the_wake",
    "a_lost_wake_counts",
    "a_lost_race_for_the_floor",
    "busy_producers_sleep_on",
    "last_ack_wakes_no_consumer",
    "end_of_stream_without_a_last_poll",
    "no_scan_after_help",
    "void_wakes_no_sleeper",
    "ends_that_cross",
    "reclaimed_is_ended_with_a_store",
    "acks_of_a_batch_move_no_floor",
    "frees_what_is_passed_meanwhile",
    "late_ack_is_a_store",
    "leaving_the_line_wakes_no_producer",
    "producer_that_leaves_the_line_is_counted",
    "a_ticket_is_never_passed_over",
    "search_stops_too_early",
    "claim_limit_is_not_stored",
    "join_oldest_at_the_open_claim",
    "punch_before_the_mark",
    "punch_without_a_second_scan",
    "woken_before_the_word",
    "a_lost_race_for_waking_is_over",
    "sleeps_whatever_the_word_says",
    "bells_are_not_rung",
    "every_ring_is_a_neighbours",
    "in_the_list_at_the_limit",
    "a_late_wake_is_kept",
    "a_doubt_is_written_over",
    "nack_without_a_version",
    "rest_is_stored_without_a_look",
    "the_right_time_is_left_alone",
    "nack_wakes_no_sleeper",
    "failed_move_wakes_no_sleeper",
    "watch_is_not_handed_on",
    "sleeps_past_the_due_time",
    "mark_is_cleared_without_the_version",
    "mark_keeps_its_version",
    "end_of_a_parked_lease_wakes_no_producer",
    "nack_of_a_parked_lease_is_not_said",
    "lease_parks_for_no_sleeper",
    "parked_before_its_second_check_is_lost",
    "end_of_stream_before_parked_messages",
    "lane_lends_parked_bytes",
    "lane_forgets_parked_records",
    "heir_forgets_parked_messages",
    "drained_while_parked",
    "drop_is_not_counted",
    "drop_leaves_the_floor",
    "drop_gains_no_room",
    "drop_takes_what_is_leased",
    "claim_counts_as_message",
    "given_back_message_holds_the_ring",
    "stamp_of_an_older_lap",
    "expiry_by_another_clock",
    "ttl_of_the_group_is_ignored",
    "next_parked_slot_is_not_looked_for",
    "timed_lease_is_ended_by_a_store",
    "late_holder_extends",
    "lease_is_ended_without_its_time",
    "no_check_is_planned",
    "check_is_cleared_for_good",
    "lease_that_is_left_is_not_planned",
    "planned_check_wakes_no_sleeper",
    "repair_leaves_the_lease_check",
    "lease_without_a_time_gets_none",
    "holder_that_plans_no_look_is_not_found",
    "consumer_does_not_say_that_it_swaps",
    "end_of_an_old_lap_counts",
    "lease_of_a_silent_consumer_gets_no_time",
    "due_time_is_written_over",
    "given_time_of_a_delayed_message",
    "lease_ended_by_a_store_gets_a_time",
    "holder_says_that_it_swaps",
});

TEST(Planted, no_violation_is_found_without_a_planted_bug) { EXPECT_FALSE(is_caught(nullptr)); }

/// Those that are not left to the explorer.
std::vector<std::string> bugs() {
  std::vector<std::string> ours;
  for (const char* const bug : explore::k_plants) {
    if (std::ranges::find(k_left_to_the_explorer, bug) == k_left_to_the_explorer.end()) ours.emplace_back(bug);
  }
  return ours;
}

class PlantedBug : public testing::TestWithParam<std::string> {};

TEST_P(PlantedBug, a_planted_bug_is_caught) {
  const char* const here = std::getenv("BELTWAY_CRASH_PLANT");
  if (here != nullptr && GetParam() == here) {
    explore::planted_bug = here;
    try_everything();
    FAIL() << here << " is not caught";
  }
  EXPECT_TRUE(is_caught(GetParam().c_str()));
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBug, testing::ValuesIn(bugs()),
                         [](const testing::TestParamInfo<std::string>& bug) { return bug.param; });

}  // namespace
}  // namespace beltway::crash
