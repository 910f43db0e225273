// Watcher against a living daemon: rates, lags, holders, verdicts, and what it says while the daemon is away.
#include "watch/watcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <numeric>
#include <string>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "support/watcher_options.hpp"
#include "watch/json.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using watch::Fleet;
using watch::QueueView;
using watch::Watcher;

/// The view of that name; null if there is none.
const QueueView* find(const Watcher& watcher, const std::string& name) {
  const auto& queues = watcher.fleet().queues;
  const auto found = std::ranges::find(queues, name, [](const QueueView& view) { return view.info.name; });
  return found == queues.end() ? nullptr : &*found;
}

bool has_verdict(const std::vector<watch::Verdict>& verdicts, const std::string& kind) {
  return std::ranges::any_of(verdicts, [&](const watch::Verdict& verdict) { return verdict.kind == kind; });
}

/// Samples until `condition` holds.
bool sampled(Watcher& watcher, const std::function<bool()>& condition) {
  return eventually([&] {
    watcher.sample();
    return condition();
  });
}

const QueueOptions k_orders{
    .slots = 64, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .groups = {"billing"}};

class WatcherTest : public testing::Test {
 protected:
  TestDaemon daemon_;
  Connection connection_ = connect(daemon_);
  Watcher watcher_{at(daemon_.socket())};
};

TEST(Watcher, a_watcher_without_a_daemon_throws_no_daemon) {
  const TempDir dir;
  EXPECT_EQ(error_of([&] { Watcher watcher(at(dir.socket())); }).reason(), Errc::no_daemon);
}

TEST_F(WatcherTest, the_lag_of_a_group_counts_what_it_has_not_acknowledged) {
  const Queue queue = connection_.declare("orders", k_orders);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing"});
  for (int i = 0; i < 10; ++i) out.publish("x");
  watcher_.sample();
  const QueueView* const view = find(watcher_, "orders");
  ASSERT_NE(view, nullptr);
  EXPECT_TRUE(view->readable);
  EXPECT_EQ(view->position, 10U);
  EXPECT_EQ(view->lag, 10U);
  EXPECT_EQ(view->used, 10U);
  ASSERT_EQ(view->groups.size(), 1U);
  EXPECT_EQ(view->groups[0].name, "billing");
  EXPECT_EQ(view->groups[0].lag, 10U);
  EXPECT_EQ(view->groups[0].consumers, 1U);
  EXPECT_EQ(view->producers, 1U);
  for (int i = 0; i < 10; ++i) in.receive(10s)->ack();
  watcher_.sample();
  EXPECT_EQ(find(watcher_, "orders")->lag, 0U);
}

TEST_F(WatcherTest, the_lag_of_a_private_consumer_is_that_of_the_queue) {
  const Queue queue = connection_.declare("feed", k_small);
  auto in = queue.consumer();
  auto out = queue.producer();
  for (int i = 0; i < 5; ++i) out.publish("x");
  watcher_.sample();
  EXPECT_EQ(find(watcher_, "feed")->lag, 5U);
}

TEST_F(WatcherTest, rates_count_what_passes_between_two_samples) {
  const Queue queue = connection_.declare("orders", k_orders);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing"});
  watcher_.sample();
  EXPECT_EQ(find(watcher_, "orders")->rates.in, 0);
  for (int i = 0; i < 20; ++i) out.publish("0123456789");
  for (int i = 0; i < 10; ++i) in.receive(10s)->ack();
  watcher_.sample();
  const QueueView& view = *find(watcher_, "orders");
  EXPECT_GT(view.rates.in, 0);
  EXPECT_NEAR(view.rates.out / view.rates.in, 0.5, 0.01);
  EXPECT_NEAR(view.rates.bytes_in / view.rates.in, 10, 0.01);
  EXPECT_EQ(view.groups[0].out_per_s, view.rates.out);
  ASSERT_TRUE(view.delay);
  EXPECT_NEAR(std::chrono::duration<double>(*view.delay).count() * view.rates.out, 10, 0.01) << "Little's law";
  EXPECT_TRUE(view.groups[0].time_to_full) << "more comes in than goes out";
  EXPECT_EQ(watcher_.fleet().rates.in, view.rates.in);
}

TEST_F(WatcherTest, messages_of_endpoints_that_are_gone_count_once) {
  const Queue queue = connection_.declare("orders", k_orders);
  watcher_.sample();
  {
    auto out = queue.producer();
    for (int i = 0; i < 8; ++i) out.publish("x");
    watcher_.sample();
  }
  ASSERT_TRUE(sampled(watcher_, [&] { return find(watcher_, "orders")->producers == 0; }));
  const double before = find(watcher_, "orders")->rates.in;
  ASSERT_TRUE(sampled(watcher_, [&] { return find(watcher_, "orders")->rates.in == 0; }))
      << "a second later: " << before;
}

TEST_F(WatcherTest, the_history_has_a_point_a_second) {
  const Queue queue = connection_.declare("orders", k_orders);
  queue.producer().publish("x");
  ASSERT_TRUE(sampled(watcher_, [&] { return find(watcher_, "orders")->history.size() >= 2; }));
  const auto& history = find(watcher_, "orders")->history;
  EXPECT_GE(history[1].at_s, history[0].at_s);
  EXPECT_EQ(history[1].lag, 1);
}

TEST_F(WatcherTest, the_oldest_age_is_that_of_the_first_message_that_is_not_finished) {
  QueueOptions options = k_orders;
  options.stamps = Stamps::fine;
  const Queue queue = connection_.declare("orders", options);
  auto out = queue.producer();
  out.publish("x");
  watcher_.sample();
  const auto first = find(watcher_, "orders")->oldest_age;
  ASSERT_TRUE(first);
  watcher_.sample();
  EXPECT_GT(*find(watcher_, "orders")->oldest_age, *first);
}

TEST_F(WatcherTest, the_detail_counts_how_old_messages_were_at_their_delivery) {
  QueueOptions options = k_orders;
  options.stamps = Stamps::fine;
  const Queue queue = connection_.declare("orders", options);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing"});
  for (int i = 0; i < 3; ++i) out.publish("x");
  for (int i = 0; i < 3; ++i) in.receive(10s)->ack();
  watcher_.sample();
  const auto detail = watcher_.detail("orders");
  ASSERT_TRUE(detail);
  ASSERT_EQ(detail->ages.size(), 1U);
  EXPECT_EQ(detail->ages[0].group, "billing");
  const auto& counts = detail->ages[0].counts;
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), 3U);
  EXPECT_EQ(to_json(*detail)["age_counts"][0]["counts"].size(), 32U);
}

TEST_F(WatcherTest, the_counted_ages_of_a_queue_never_go_back_when_a_consumer_takes_the_place_of_another) {
  QueueOptions options = k_orders;
  options.max_consumers = 1;
  options.stamps = Stamps::fine;
  const Queue queue = connection_.declare("orders", options);
  auto out = queue.producer();
  const auto receive = [&](int count) {
    auto in = queue.consumer({.group = "billing"});
    for (int i = 0; i < count; ++i) out.publish("x");
    for (int i = 0; i < count; ++i) in.receive(10s)->ack();
  };
  const auto counted = [&] {
    watcher_.count_ages();
    const auto& counts = find(watcher_, "orders")->age_counts;
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  receive(5);
  watcher_.sample();
  EXPECT_TRUE(find(watcher_, "orders")->age_counts.empty()) << "nobody asked";
  EXPECT_EQ(counted(), 5U);
  EXPECT_EQ(counted(), 5U);
  {
    auto in = queue.consumer({.group = "billing"});
    EXPECT_EQ(counted(), 5U) << "its own histogram is empty";
  }
  receive(2);
  EXPECT_EQ(counted(), 7U);
}

TEST_F(WatcherTest, a_stopped_consumer_is_a_verdict_although_its_queue_is_quiet) {
  static_cast<void>(connection_.declare("orders", k_orders));
  const Child consumer = Child::fork([socket = daemon_.socket()] {
    auto in = Connection::open({.socket = socket}).open_queue("orders").consumer({.group = "billing"});
    ::raise(SIGSTOP);
    return 0;
  });
  ASSERT_TRUE(sampled(watcher_, [&] { return has_verdict(find(watcher_, "orders")->verdicts, "consumer_stopped"); }));
  consumer.kill(SIGCONT);
  EXPECT_TRUE(sampled(watcher_, [&] { return find(watcher_, "orders")->verdicts.empty(); }));
}

TEST_F(WatcherTest, a_full_ring_is_a_verdict_and_comes_first) {
  connection_.declare("a", k_orders).producer().publish("x");
  const Queue queue = connection_.declare("full", k_orders);
  auto out = queue.producer();
  while (out.try_publish("x") == Status::ok) continue;
  ASSERT_TRUE(sampled(watcher_, [&] { return !find(watcher_, "full")->verdicts.empty(); }));
  EXPECT_EQ(watcher_.fleet().queues.front().info.name, "full");
  const watch::Verdict& verdict = find(watcher_, "full")->verdicts.front();
  EXPECT_EQ(verdict.kind, "ring_full_by_group_without_consumer");
  EXPECT_EQ(verdict.queue, "full");
  EXPECT_EQ(verdict.group, "billing");
  EXPECT_TRUE(verdict.since);
  EXPECT_FALSE(verdict.remedies.empty());
  const std::string text = text_of(verdict);
  EXPECT_NE(text.find("full is full: group \"billing\" has no consumer"), std::string::npos) << text;
  EXPECT_NE(text.find("; remedy: beltway "), std::string::npos) << text;
}

TEST_F(WatcherTest, the_detail_has_the_snapshot_the_endpoints_and_the_strip) {
  const Queue queue = connection_.declare("orders", k_orders);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing"});
  for (int i = 0; i < 16; ++i) out.publish("x");
  const auto held = in.receive(10s);
  in.receive(10s)->ack();
  watcher_.sample();
  const auto detail = watcher_.detail("orders");
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->snapshot.position, 16U);
  ASSERT_EQ(detail->endpoints.size(), 2U);
  EXPECT_TRUE(detail->endpoints[0].info.producer);
  EXPECT_EQ(detail->endpoints[1].held, 1U);
  const watch::RingStrip& strip = detail->strip;
  ASSERT_EQ(strip.cells.size(), 64U);
  EXPECT_EQ(strip.slots_per_cell, 1);
  // The last 16 cells are the positions 0 to 15.
  EXPECT_EQ(strip.cells[47], watch::SlotLook::free);
  EXPECT_EQ(strip.cells[48], watch::SlotLook::leased);
  EXPECT_EQ(strip.cells[49], watch::SlotLook::acknowledged);
  EXPECT_EQ(strip.cells[50], watch::SlotLook::waiting);
  ASSERT_EQ(strip.floors.size(), 1U);
  EXPECT_EQ(strip.floors[0].position, 0U);
  const watch::Json json = to_json(*detail);
  EXPECT_EQ(json["strip"]["first"], 0) << "no position is before 0";
  EXPECT_EQ(json["strip"]["never_used"], 48);
  for (const char* key : {"queue", "state", "causes", "view", "endpoints_view", "strip", "history"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_FALSE(watcher_.detail("nothing"));
}

TEST_F(WatcherTest, detail_of_a_queue_that_no_sample_has_seen_comes_at_once) {
  watcher_.sample();
  const Queue queue = connection_.declare("orders", k_orders);
  queue.producer().publish("x");
  const auto detail = watcher_.detail("orders");
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->snapshot.position, 1U);
  EXPECT_TRUE(detail->view.readable);
  EXPECT_EQ(detail->view.used, 1U);
  EXPECT_EQ(detail->view.counts.messages_in, 1U);
  EXPECT_FALSE(watcher_.detail("other")) << "it does not exist";
  connection_.remove("orders");
  (void)connection_.declare("orders", k_orders);
  EXPECT_TRUE(watcher_.detail("orders"));
}

TEST_F(WatcherTest, strip_begins_at_the_oldest_position_after_the_first_lap) {
  const Queue queue = connection_.declare("orders", {.slots = 4});
  auto out = queue.producer();
  for (const std::uint64_t never_used : {3U, 2U, 1U, 0U}) {
    out.publish("x");
    watcher_.sample();
    const watch::RingStrip strip = watcher_.detail("orders")->strip;
    EXPECT_EQ(strip.never_used, never_used);
  }
  out.publish("x");
  watcher_.sample();
  const watch::Json strip = to_json(*watcher_.detail("orders"))["strip"];
  EXPECT_EQ(strip["first"], 1);
  EXPECT_EQ(strip["never_used"], 0);
}

TEST_F(WatcherTest, an_endpoint_is_busy_for_the_time_that_it_did_not_wait) {
  const Queue queue = connection_.declare("orders", k_orders);
  auto out = queue.producer();
  watcher_.sample();
  static_cast<void>(watcher_.detail("orders"));
  for (int i = 0; i < 4; ++i) out.publish("x");
  const auto detail = watcher_.detail("orders");
  ASSERT_TRUE(detail);
  EXPECT_GT(detail->endpoints[0].messages_per_s, 0);
  EXPECT_EQ(detail->endpoints[0].busy, 1) << "it has not waited";
}

TEST_F(WatcherTest, a_removed_queue_leaves_the_fleet_and_a_new_one_of_its_name_begins_anew) {
  auto out = connection_.declare("orders", k_orders).producer();
  out.publish("x");
  watcher_.sample();
  const std::uint64_t id = find(watcher_, "orders")->info.id;
  connection_.remove("orders");
  watcher_.sample();
  EXPECT_EQ(find(watcher_, "orders"), nullptr);
  EXPECT_EQ(watcher_.fleet().removed_counts.messages_in, 1U);
  static_cast<void>(connection_.declare("orders", k_orders));
  watcher_.sample();
  const QueueView* const view = find(watcher_, "orders");
  ASSERT_NE(view, nullptr);
  EXPECT_NE(view->info.id, id);
  EXPECT_EQ(view->position, 0U);
}

TEST_F(WatcherTest, the_fleet_as_json_has_all_parts) {
  static_cast<void>(connection_.declare("orders", k_orders));
  watcher_.sample();
  const watch::Json json = to_json(watcher_.fleet());
  EXPECT_EQ(json["daemon_answers"], true);
  EXPECT_EQ(json["daemon"]["pid"], daemon_.process().pid());
  ASSERT_EQ(json["queues"].size(), 1U);
  EXPECT_EQ(json["queues"][0]["name"], "orders");
  EXPECT_TRUE(json["queues"][0]["severity"].is_null());
  for (const char* key : {"verdicts", "rates", "shared_bytes", "daemon_gone_for_ns"})
    EXPECT_TRUE(json.contains(key)) << key;
}

TEST_F(WatcherTest, a_stopped_daemon_is_told_and_the_queues_go_on) {
  const Queue queue = connection_.declare("orders", k_orders);
  auto out = queue.producer();
  watcher_.sample();
  daemon_.process().kill(SIGSTOP);
  out.publish("x");
  ASSERT_TRUE(sampled(watcher_, [&] { return has_verdict(watcher_.fleet().verdicts, "daemon_stopped"); }));
  EXPECT_FALSE(watcher_.fleet().daemon_answers);
  EXPECT_TRUE(watcher_.fleet().daemon_gone_for);
  EXPECT_EQ(find(watcher_, "orders")->position, 1U);
  EXPECT_EQ(watcher_.fleet().verdicts[0].remedies[0].command, "kill -CONT " + std::to_string(daemon_.process().pid()));
  daemon_.process().kill(SIGCONT);
  EXPECT_TRUE(sampled(watcher_, [&] { return watcher_.fleet().daemon_answers; }));
  EXPECT_TRUE(watcher_.fleet().verdicts.empty());
}

TEST(Watcher, a_killed_daemon_is_told_and_found_again_when_another_runs) {
  SupervisedDaemon daemon;
  const Connection connection = daemon.connect();
  const Queue queue = connection.declare("orders", k_orders);
  auto out = queue.producer();
  Watcher watcher(at(daemon.socket()));
  watcher.sample();
  const int first = watcher.fleet().daemon.pid;
  {
    const SupervisedDaemon::Gap gap(daemon);
    out.publish("x");
    ASSERT_TRUE(sampled(watcher, [&] { return has_verdict(watcher.fleet().verdicts, "daemon_gone"); }));
    EXPECT_EQ(find(watcher, "orders")->position, 1U);
    EXPECT_EQ(watcher.fleet().verdicts[0].remedies.at(0).command, "beltwayd --socket " + daemon.socket().string());
  }
  daemon.wait_for_another(first);
  ASSERT_TRUE(sampled(watcher, [&] { return watcher.fleet().daemon_answers; }));
  EXPECT_NE(watcher.fleet().daemon.pid, first);
  out.publish("x");
  ASSERT_TRUE(sampled(watcher, [&] { return find(watcher, "orders") != nullptr; }));
  EXPECT_EQ(find(watcher, "orders")->position, 2U);
  EXPECT_TRUE(find(watcher, "orders")->readable);
}

}  // namespace
}  // namespace beltway::test
