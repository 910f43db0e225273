// The state machine of a route against the table in its README, and its pauses.
#include "bridge/route_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace beltway::bridge;
using namespace std::chrono_literals;

constexpr std::array k_events{RouteEvent::opened, RouteEvent::blocked, RouteEvent::unblocked,
                              RouteEvent::lost,   RouteEvent::refused, RouteEvent::stop};

/// A machine that has been brought into a state.
RouteMachine machine_in(RouteState state, const Pauses& pauses = {}) {
  RouteMachine machine(pauses, 1);
  switch (state) {
    case RouteState::starting: break;
    case RouteState::blocked:
      machine.take(RouteEvent::opened);
      machine.take(RouteEvent::blocked);
      break;
    case RouteState::running: machine.take(RouteEvent::opened); break;
    case RouteState::reconnecting: machine.take(RouteEvent::lost); break;
    case RouteState::failed: machine.take(RouteEvent::refused); break;
    case RouteState::stopped: machine.take(RouteEvent::stop); break;
  }
  EXPECT_EQ(machine.state(), state);
  return machine;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, '|');) {
    cell.erase(std::remove(cell.begin(), cell.end(), ' '), cell.end());
    cells.push_back(cell);
  }
  if (!cells.empty()) cells.erase(cells.begin());
  return cells;
}

/// The lines of the README's table of states, by state.
std::vector<std::vector<std::string>> table_of_readme() {
  std::ifstream file(std::string(BELTWAY_TEST_SOURCES) + "/src/bridge/README.md");
  std::vector<std::vector<std::string>> table;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> cells = cells_of(line);
    const bool is_state = cells.size() == 7 && std::ranges::find(k_route_states, cells[0]) != k_route_states.end();
    if (is_state) table.push_back(cells);
  }
  return table;
}

TEST(RouteState, each_state_takes_each_event_as_the_table_says) {
  const auto table = table_of_readme();
  ASSERT_EQ(table.size(), k_route_states.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    EXPECT_EQ(table[row][0], k_route_states[row]);
    for (std::size_t event = 0; event < k_events.size(); ++event) {
      RouteMachine machine = machine_in(static_cast<RouteState>(row));
      const bool changed = machine.take(k_events[event]);
      EXPECT_EQ(name_of(machine.state()), table[row][event + 1]) << table[row][0] << ", event " << event;
      EXPECT_EQ(changed, table[row][event + 1] != table[row][0]);
    }
  }
}

TEST(RouteState, pause_doubles_with_each_loss_up_to_the_longest) {
  RouteMachine machine({.first = 100ms, .longest = 1000ms, .failed = 5000ms}, 7);
  for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    machine.take(RouteEvent::lost);
    for (int i = 0; i < 100; ++i) {
      const auto pause = machine.pause();
      EXPECT_LE(pause, whole);
      EXPECT_GE(pause, whole / 2);
    }
  }
}

TEST(RouteState, progress_begins_with_the_shortest_pause_again) {
  RouteMachine machine({.first = 100ms, .longest = 1000ms, .failed = 5000ms}, 7);
  for (int i = 0; i < 10; ++i) machine.take(RouteEvent::lost);
  machine.take(RouteEvent::opened);
  machine.progressed();
  machine.take(RouteEvent::lost);
  EXPECT_LE(machine.pause(), 100ms);
}

TEST(RouteState, connection_without_progress_does_not_shorten_the_pause) {
  RouteMachine machine({.first = 100ms, .longest = 10'000ms, .failed = 5000ms}, 7);
  for (int i = 0; i < 5; ++i) {
    machine.take(RouteEvent::lost);
    machine.take(RouteEvent::opened);
  }
  machine.take(RouteEvent::lost);
  EXPECT_GE(machine.pause(), 1600ms);
}

TEST(RouteState, failed_route_waits_for_its_own_pause) {
  const Pauses pauses{.first = 100ms, .longest = 1000ms, .failed = 60'000ms};
  RouteMachine failed = machine_in(RouteState::failed, pauses);
  EXPECT_GE(failed.pause(), 30'000ms);
  EXPECT_EQ(machine_in(RouteState::running, pauses).pause(), 0ms);
}

TEST(RouteState, pauses_differ_so_that_bridges_do_not_come_back_together) {
  std::vector<std::int64_t> pauses;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    RouteMachine machine({.first = 10'000ms, .longest = 10'000ms, .failed = 0ms}, seed);
    machine.take(RouteEvent::lost);
    pauses.push_back(machine.pause().count());
  }
  std::ranges::sort(pauses);
  EXPECT_GT(std::distance(pauses.begin(), std::unique(pauses.begin(), pauses.end())), 10);
}

}  // namespace
