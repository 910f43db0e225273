// What `list`, `show` and `peek` make of a queue's state: the JSON shapes that README.md promises, the text, the rates.
#include "tool/text/message_json.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "tool/text/lifetime.hpp"
#include "tool/text/show_text.hpp"
#include "tool/text/units.hpp"
#include "watch/flow.hpp"
#include "watch/per_message.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  return names;
}
using Names = std::vector<std::string>;

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

QueueSnapshot some_snapshot() {
  QueueSnapshot snapshot;
  snapshot.info.name = "orders";
  snapshot.info.id = 7;
  snapshot.info.options.slots = 64;
  snapshot.info.options.groups = {"billing"};
  snapshot.position = 1000;
  snapshot.used = 10;
  ProducerState producer;
  producer.endpoint = {.index = 1, .producer = true, .pid = getpid(), .uid = getuid(), .group = {}};
  producer.counters.messages = 1000;
  producer.counters.bytes = 16'000;
  snapshot.producers.push_back(producer);
  ConsumerState consumer;
  consumer.endpoint = {.index = 2, .producer = false, .pid = getpid(), .uid = getuid(), .group = "billing"};
  consumer.counters.messages = 990;
  consumer.sleep = SleepState::asleep;
  consumer.held = 3;
  snapshot.consumers.push_back(consumer);
  snapshot.info.endpoints = {producer.endpoint, consumer.endpoint};
  snapshot.groups.push_back({.name = "billing",
                             .floor = 990,
                             .depth = 10,
                             .leased = 3,
                             .retry = 1,
                             .delayed = 2,
                             .due_in = 1500us,
                             .retry_delay = 1ms,
                             .retry_delay_max = 1s,
                             .max_deliveries = 5,
                             .discard = true,
                             .discarded = 7,
                             .dead_letter = "failed",
                             .dead_lettered = 9,
                             .to_move = 1,
                             .drop_oldest = 3,
                             .dropped = 11,
                             .lease_timeout = 30s,
                             .overdue = 1,
                             .timed_out = 4,
                             .consumers = {2}});
  return snapshot;
}

TEST(ToolJson, a_queue_has_the_documented_keys) {
  const Json json = to_json(some_snapshot().info);
  EXPECT_EQ(keys(json), (Names{"name",
                               "id",
                               "owner_uid",
                               "owner_gid",
                               "mode",
                               "slots",
                               "slot_bytes",
                               "lane_bytes",
                               "max_producers",
                               "max_consumers",
                               "max_groups",
                               "groups",
                               "own_evict_after_ms",
                               "own_retry_delay_ms",
                               "own_retry_delay_max_ms",
                               "own_max_deliveries",
                               "own_discard",
                               "own_dead_letter",
                               "own_ttl_ms",
                               "own_lease_timeout_ms",
                               "own_drop_oldest",
                               "fence",
                               "evict_after_ms",
                               "retry_delay_ms",
                               "retry_delay_max_ms",
                               "max_deliveries",
                               "discard",
                               "dead_letter",
                               "ttl_ms",
                               "lease_timeout_ms",
                               "drop_oldest",
                               "stamps",
                               "max_parked",
                               "type",
                               "description",
                               "exclusive",
                               "expire_after_ms",
                               "owner_pid",
                               "expires_in_ms",
                               "paused_ms",
                               "missing_dead_letter_queues",
                               "shared_bytes",
                               "producer_names",
                               "endpoints"}));
  EXPECT_EQ(json["mode"], "0600");
  EXPECT_EQ(json["groups"], Json::array({"billing"}));
  EXPECT_TRUE(json["type"].is_null());
  EXPECT_EQ(keys(json["endpoints"][0]), (Names{"index", "role", "pid", "uid", "orphan", "name"}));
  EXPECT_EQ(keys(json["endpoints"][1]), (Names{"index", "role", "pid", "uid", "orphan", "group", "lossy", "evicted",
                                               "evictable", "leaving", "prefetch"}));
}

TEST(ToolJson, how_long_a_queue_lasts_is_told) {
  QueueInfo info;
  EXPECT_TRUE(to_json(info)["owner_pid"].is_null());
  EXPECT_TRUE(to_json(info)["expires_in_ms"].is_null());
  EXPECT_EQ(lifetime_text(info), "");
  EXPECT_EQ(lifetime_cell(info), "-");
  info.options.exclusive = true;
  info.owner_pid = getpid();
  info.options.expire_after = 30s;
  info.expires_in = 12s;
  EXPECT_EQ(to_json(info)["exclusive"], true);
  EXPECT_EQ(to_json(info)["owner_pid"], getpid());
  EXPECT_EQ(to_json(info)["expire_after_ms"], 30'000);
  EXPECT_EQ(to_json(info)["expires_in_ms"], 12'000);
  EXPECT_EQ(lifetime_text(info), "as long as " + watch::process_text(getpid()) + "; until it is unused for " +
                                     format_duration(30s) + ", which is in " + format_duration(12s));
  EXPECT_EQ(lifetime_cell(info), "process " + std::to_string(getpid()) + ", unused " + format_duration(30s) + " (in " +
                                     format_duration(12s) + ")");
}

TEST(ToolJson, how_long_a_group_is_paused_is_told) {
  QueueSnapshot snapshot = some_snapshot();
  EXPECT_EQ(to_json(snapshot.info)["paused_ms"].dump(), "{}");
  snapshot.info.paused = {{"billing", 5s}};
  snapshot.groups[0].paused_for = 5s;
  EXPECT_EQ(to_json(snapshot.info)["paused_ms"].dump(), R"({"billing":5000})");
  EXPECT_EQ(to_json(snapshot)["state"]["groups"][0]["paused_ms"], 5000);
}

TEST(ToolJson, a_type_is_told) {
  QueueInfo info;
  info.options.type = {"Tick", 16, 8};
  EXPECT_EQ(to_json(info)["type"].dump(), R"({"name":"Tick","size":16,"alignment":8})");
}

TEST(ToolJson, a_group_tells_how_long_its_leases_last) {
  const Json group = to_json(some_snapshot())["state"]["groups"][0];
  EXPECT_EQ(group["lease_timeout_ms"], 30'000);
  EXPECT_EQ(group["overdue"], 1);
  EXPECT_EQ(group["timed_out"], 4);
}

TEST(ToolJson, a_snapshot_has_the_documented_keys) {
  const Json json = to_json(some_snapshot());
  EXPECT_EQ(keys(json), (Names{"queue", "state"}));
  const Json& state = json["state"];
  EXPECT_EQ(keys(state), (Names{"position", "used", "parked", "max_parked", "symmetric_fences", "removed", "broken",
                                "groups", "leaving", "producers", "consumers", "totals", "per_message"}));
  EXPECT_EQ(state["groups"][0].dump(),
            R"({"name":"billing","floor":990,"depth":10,"leased":3,"retry":1,"delayed":2,"due_in_us":1500,)"
            R"("available":0,"holder":null,"tries":0,)"
            R"("parked":0,"oldest_parked":null,"parked_holder":null,"evict_after_ms":0,"paused_ms":null,)"
            R"("retry_delay_ms":1,"retry_delay_max_ms":1000,)"
            R"("max_deliveries":5,"discard":true,"discarded":7,)"
            R"("lease_timeout_ms":30000,"overdue":1,"timed_out":4,)"
            R"("dead_letter":"failed","dead_lettered":9,"to_move":1,)"
            R"("drop_oldest":3,"dropped":11,"ttl_ms":0,"expired":0,)"
            R"("ages":{"oldest_us":null,"delivered":0,"p50_us":0,"p99_us":0,"max_us":0},"consumers":[2]})");
  EXPECT_EQ(keys(state["producers"][0]),
            (Names{"index", "role", "pid", "uid", "orphan", "name", "user", "process", "stopped", "run_state", "sleep",
                   "place_in_line", "claimed", "waits_for", "waits_since_ns", "lane_messages", "lane_used", "counters",
                   "per_message"}));
  EXPECT_EQ(keys(state["consumers"][0]),
            (Names{"index",   "role",           "pid",       "uid",        "orphan",   "group",
                   "lossy",   "evicted",        "evictable", "leaving",    "prefetch", "user",
                   "process", "stopped",        "run_state", "sleep",      "held",     "lag",
                   "ages",    "waits_since_ns", "counters",  "per_message"}));
  EXPECT_EQ(keys(state["producers"][0]["counters"]),
            (Names{"messages", "bytes", "refused", "wakes", "sleeps", "rescued", "blocked_ns", "high_water",
                   "last_progress_ns", "needless_wakes"}));
  EXPECT_EQ(keys(state["consumers"][0]["counters"]),
            (Names{"messages", "bytes", "lost", "redelivered", "corrupt", "acks", "nacks", "wakes", "sleeps", "rescued",
                   "blocked_ns", "last_progress_ns", "needless_wakes", "discarded", "expired", "dead_lettered",
                   "timed_out", "failed_moves"}));
  EXPECT_EQ(keys(state["totals"]), (Names{"repairs", "voided", "released", "messages_in", "bytes_in", "messages_out",
                                          "bytes_out", "refused", "lost", "redelivered", "wakes", "sleeps", "unread",
                                          "discarded", "expired", "dead_lettered", "timed_out"}));
  EXPECT_EQ(state["consumers"][0]["sleep"], "asleep");
  EXPECT_EQ(state["consumers"][0]["user"], watch::user_name(state["consumers"][0]["uid"])) << "as ping says it";
  EXPECT_EQ(state["consumers"][0]["process"], watch::process_info(getpid())->name);
  EXPECT_EQ(json_line(json).find('\n'), json_line(json).size() - 1);
}

TEST(ToolJson, a_payload_is_text_or_base64) {
  PeekedMessage message{.position = 5, .producer = 1, .bytes = {std::byte{'h'}, std::byte{'i'}}, .size = 10};
  EXPECT_EQ(to_json(message).dump(), R"({"position":5,"producer":1,"size":10,"cut":true,"text":"hi"})");
  message.deliveries = 2;
  EXPECT_EQ(to_json(message)["deliveries"], 2);
  EXPECT_EQ(to_json(message)["holder"], nullptr);
  message.holder = 3;
  EXPECT_EQ(to_json(message)["holder"], 3);
  message.deliveries.reset();
  message.bytes = {std::byte{0xff}};
  message.size = 1;
  EXPECT_EQ(to_json(message).dump(), R"({"position":5,"producer":1,"size":1,"cut":false,"base64":"/w=="})");
}

TEST(ToolRates, rates_are_differences_that_include_detached_endpoints) {
  QueueSnapshot before = some_snapshot();
  QueueSnapshot after = before;
  // The producer leaves: its counters become the queue's, after another 500 messages.
  after.producers.clear();
  after.totals.messages_in = 1500;
  after.totals.bytes_in = 24'000;
  after.consumers[0].counters.messages += 200;
  const watch::FlowRates rates = watch::rates_between(watch::flow_of(before), watch::flow_of(after), 2s);
  EXPECT_EQ(rates.messages_in, 250);
  EXPECT_EQ(rates.bytes_in, 4000);
  EXPECT_EQ(rates.messages_out, 100);
  EXPECT_EQ(watch::rates_between(watch::flow_of(after), watch::flow_of(before), 2s).messages_in, 0) << "never negative";
  EXPECT_EQ(keys(to_json(rates)), (Names{"messages_in_per_s", "bytes_in_per_s", "messages_out_per_s", "bytes_out_per_s",
                                         "refused_per_s", "lost_per_s", "wakes_per_s", "sleeps_per_s"}));
}

TEST(ToolPerMessage, the_cost_per_message_is_shown_for_endpoints_and_for_the_queue_with_detached_ones) {
  QueueSnapshot snapshot = some_snapshot();
  snapshot.producers[0].counters.wakes = 250;
  snapshot.producers[0].counters.sleeps = 10;
  snapshot.consumers[0].counters.messages = 500;
  snapshot.consumers[0].counters.wakes = 5;
  snapshot.consumers[0].counters.sleeps = 250;
  snapshot.totals.messages_in = 1000;
  snapshot.totals.wakes = 245;
  snapshot.totals.sleeps = 240;
  const Json state = to_json(snapshot)["state"];
  EXPECT_EQ(state["producers"][0]["per_message"].dump(), R"({"wakes":0.25,"sleeps":0.01,"system_calls":0.27})");
  EXPECT_EQ(state["consumers"][0]["per_message"].dump(), R"({"wakes":0.01,"sleeps":0.5,"system_calls":1.01})");
  EXPECT_EQ(state["per_message"].dump(), R"({"wakes":0.25,"sleeps":0.25,"system_calls":0.75})");
  const std::string text = show_text(snapshot, {}, std::nullopt, 0);
  EXPECT_TRUE(mentions(text, "0.25 wakes, 0.25 sleeps, 0.75 system calls")) << text;
  EXPECT_TRUE(mentions(text, "250 (0.25)")) << text;
  EXPECT_TRUE(mentions(text, "10 (0.01)")) << text;
  EXPECT_TRUE(mentions(text, "250 (0.5)")) << text;
}

TEST(ToolPerMessage, the_cost_per_message_is_empty_without_messages) {
  QueueSnapshot snapshot = some_snapshot();
  snapshot.producers[0].counters = {};
  snapshot.producers[0].counters.sleeps = 1;
  snapshot.consumers[0].counters = {};
  const Json state = to_json(snapshot)["state"];
  EXPECT_TRUE(state["producers"][0]["per_message"].is_null());
  EXPECT_TRUE(state["consumers"][0]["per_message"].is_null());
  EXPECT_TRUE(state["per_message"].is_null());
  EXPECT_FALSE(mentions(show_text(snapshot, {}, std::nullopt, 0), "system calls"));
}

TEST(ToolPerMessage, the_cost_per_message_of_two_snapshots_is_that_of_the_time_between_them) {
  QueueSnapshot before = some_snapshot();
  before.producers[0].counters.wakes = 1000;
  QueueSnapshot after = before;
  after.producers[0].counters.messages += 400;
  after.producers[0].counters.wakes += 100;
  after.consumers[0].counters.sleeps += 200;
  const watch::FlowRates rates = watch::rates_between(watch::flow_of(before), watch::flow_of(after), 2s);
  EXPECT_EQ(to_json(watch::per_message(rates)).dump(), R"({"wakes":0.25,"sleeps":0.5,"system_calls":1.25})");
  EXPECT_TRUE(mentions(show_text(after, {}, rates, 0), "0.25 wakes, 0.5 sleeps, 1.25 system calls"));
  EXPECT_TRUE(to_json(watch::per_message(watch::FlowRates())).is_null());
}

TEST(ToolShow, text_names_groups_and_processes) {
  const std::string text = show_text(some_snapshot(), {}, std::nullopt, 0);
  EXPECT_TRUE(text.starts_with("orders (id 7)\n"));
  EXPECT_TRUE(mentions(text, "billing"));
  EXPECT_TRUE(mentions(text, std::to_string(getpid()) + " " + watch::process_info(getpid())->name));
  EXPECT_TRUE(mentions(text, watch::user_name(getuid())));
  EXPECT_TRUE(mentions(text, "10 of 64 slots"));
}

TEST(ToolShow, text_has_rates_when_they_are_known) {
  watch::FlowRates rates;
  rates.messages_in = 1.5e6;
  EXPECT_TRUE(mentions(show_text(some_snapshot(), {}, rates, 0), "1.5 M/s"));
}

TEST(ToolShow, a_wait_that_goes_on_counts_and_a_coarse_time_says_so) {
  QueueSnapshot snapshot = some_snapshot();
  snapshot.producers[0].sleep = SleepState::asleep;
  snapshot.producers[0].counters.blocked_ns = 1'000'000'000;
  snapshot.producers[0].counters.last_progress_ns = 1'000'000'000;
  snapshot.producers[0].waits_since_ns = 2'000'000'000;
  const std::string text = show_text(snapshot, {}, std::nullopt, 6'000'000'000);
  EXPECT_TRUE(mentions(text, " 5 s ")) << "1 s of waits that are over, and 4 s of this one: " << text;
  EXPECT_TRUE(mentions(text, "ACTIVE WITHIN")) << text;
}

TEST(ToolProcessInfo, the_process_info_reads_names_with_brackets_and_blanks) {
  const auto info = watch::parse_process_stat("12 (a (b) c) T 1 12 12");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "a (b) c");
  EXPECT_TRUE(info->stopped());
  EXPECT_FALSE(watch::parse_process_stat("12 (x) R 1")->stopped());
  EXPECT_EQ(watch::parse_process_stat("12 (\x1b[2J) R 1")->name, "\\x1b[2J");
  for (const char* text : {"", "12 x T", "12 )x( T", "12 (x)"}) EXPECT_FALSE(watch::parse_process_stat(text)) << text;
  EXPECT_FALSE(watch::process_info(0x7fffffff));
  EXPECT_EQ(watch::parse_process_stat("12 (x) t 1")->state, watch::RunState::traced);
  EXPECT_EQ(watch::parse_process_stat("12 (x) Z 1")->state, watch::RunState::ended);
}

TEST(ToolProcessInfo, the_process_info_finds_the_control_group_and_whether_it_is_frozen) {
  EXPECT_EQ(watch::parse_control_group("5:freezer:/a\n0::/user.slice/x\n"), "/user.slice/x");
  EXPECT_EQ(watch::parse_control_group("5:freezer:/a\n"), "");
  EXPECT_EQ(watch::parse_control_group(""), "");
  EXPECT_TRUE(watch::parse_frozen("populated 1\nfrozen 1\n"));
  EXPECT_FALSE(watch::parse_frozen("populated 1\nfrozen 0\n"));
  EXPECT_FALSE(watch::parse_frozen(""));
}

}  // namespace
}  // namespace beltway::tool
