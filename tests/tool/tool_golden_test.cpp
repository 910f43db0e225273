// What each command prints, as golden files of made queues and messages: no daemon, no clock, no process.
//
// To make the files anew, and to see what has changed:
//   BELTWAY_RENEW_GOLDEN=1 build/dev/bin/tool_tests --gtest_filter='Golden*'; git diff tests/tool/golden
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "endpoint/properties_block.hpp"
#include "support/fake_fleet.hpp"
#include "support/golden.hpp"
#include "support/made_fleet.hpp"
#include "tool/text/definitions.hpp"
#include "tool/text/event_text.hpp"
#include "tool/text/list_text.hpp"
#include "tool/text/peek_text.hpp"
#include "tool/text/show_text.hpp"
#include "tool/top/batch.hpp"
#include "tool/top/pages.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

/// Above the largest number that the kernel gives: there is never such a process, whose name would be shown.
constexpr int k_pid_of_nobody = 4'200'000;
constexpr std::int64_t k_made_time_s = 1'790'000'000;

/// JSON in lines: a change shows as the lines that changed.
std::string in_lines(const watch::Json& lines) { return lines.dump(1) + "\n"; }

EndpointInfo made_endpoint(unsigned index, bool producer) {
  EndpointInfo endpoint;
  endpoint.index = index;
  endpoint.producer = producer;
  endpoint.pid = k_pid_of_nobody + static_cast<int>(index);
  if (producer) {
    endpoint.name = "shop";
  } else {
    endpoint.group = "billing";
    endpoint.prefetch = 32;
  }
  return endpoint;
}

GroupState made_group() {
  return {.name = "billing",
          .floor = 88,
          .depth = 24,
          .holder = 2U,
          .tries = 1,
          .available = 20,
          .leased = 4,
          .delayed = 2,
          .due_in = 1500ms,
          .evict_after = 5s,
          .retry_delay = 10ms,
          .retry_delay_max = 1s,
          .max_deliveries = 5,
          .dead_letter = "failed",
          .dead_lettered = 3,
          .consumers = {2}};
}

/// A queue with a producer that waits, a group with a consumer that holds messages, and counters.
QueueSnapshot made_snapshot() {
  QueueSnapshot snapshot;
  snapshot.info.name = "orders";
  snapshot.info.id = 7;
  snapshot.info.options.slots = 64;
  snapshot.info.options.groups = {"billing"};
  snapshot.info.options.dead_letter = "failed";
  snapshot.info.options.description = "orders of the shop";
  snapshot.info.shared_bytes = 2 << 20;
  snapshot.position = 112;
  snapshot.used = 24;
  snapshot.max_parked = 32;
  ProducerState producer;
  producer.endpoint = made_endpoint(1, true);
  producer.counters.messages = 112;
  producer.counters.bytes = 7168;
  producer.counters.wakes = 28;
  producer.counters.sleeps = 14;
  producer.counters.blocked_ns = 1'000'000'000;
  producer.counters.last_progress_ns = 3'000'000'000;
  producer.sleep = SleepState::asleep;
  producer.waits_for = WaitsFor::ring;
  producer.waits_since_ns = 4'000'000'000;
  snapshot.producers = {producer};
  ConsumerState consumer;
  consumer.endpoint = made_endpoint(2, false);
  consumer.counters.messages = 92;
  consumer.counters.bytes = 5888;
  consumer.counters.acks = 88;
  consumer.counters.redelivered = 2;
  consumer.held = 4;
  consumer.lag = 24;
  snapshot.consumers = {consumer};
  snapshot.info.endpoints = {producer.endpoint, consumer.endpoint};
  snapshot.groups = {made_group()};
  return snapshot;
}

/// Its texts are made here, too: golden files do not change with those of real verdicts.
watch::Verdict made_verdict() {
  watch::Verdict verdict = fake_verdict("orders");
  verdict.pid = k_pid_of_nobody + 2;
  return verdict;
}

watch::FlowRates made_rates() {
  watch::FlowRates rates;
  rates.messages_in = 1500;
  rates.bytes_in = 96'000;
  rates.messages_out = 1250;
  rates.bytes_out = 80'000;
  return rates;
}

constexpr std::uint64_t k_made_now_ns = 9'000'000'000;

/// A text with properties, one that is longer than what was copied, and bytes that are no text.
std::vector<PeekedMessage> made_messages() {
  constexpr std::array<MessageHeader, 1> headers{{{"tenant", "acme"}}};
  const Properties properties{.key = "order-7",
                              .content_type = "application/json",
                              .headers = headers,
                              .publish_time = PublishTime(std::chrono::seconds(k_made_time_s))};
  const endpoint::PropertiesBlock block(properties);
  std::vector<PeekedMessage> messages{fake_message(88, R"({"id": [1, 2]})", 90), fake_message(90, "a long text", 30),
                                      fake_message(95, std::string("\xff\x00\x1b[2J", 6))};
  messages[0].properties_block.assign(block.data(), block.data() + block.size());
  messages[0].deliveries = 2;
  messages[0].holder = 2;
  messages[1].size = 5000;
  messages[1].deliveries = 0;
  return messages;
}

std::vector<Event> made_events() {
  Event started{.sequence = 1, .time_ns = 1'790'000'000'000'000'000, .monotonic_ns = 5'000'000'000, .kind = "started"};
  started.text = "version 0.2.0";
  Event evicted{.sequence = 17, .time_ns = 1'790'000'000'123'456'789, .monotonic_ns = 6'000'000'000, .kind = "evicted"};
  evicted.queue = "orders";
  evicted.queue_id = 7;
  evicted.group = "billing";
  evicted.role = "consumer";
  evicted.index = 2;
  evicted.pid = 4711;
  evicted.uid = 1001;
  evicted.command = "worker";
  evicted.released = 4;
  evicted.text = "it stood still";
  return {started, evicted};
}

std::vector<QueueInfo> made_definitions() {
  QueueInfo orders;
  orders.name = "orders";
  orders.options.dead_letter = "failed";
  orders.options.ttl = 1min;
  orders.options.description = "orders of the shop: \"quoted\", \u00fc";
  GroupOptions own;
  own.max_deliveries = 2;
  orders.options.groups = {NamedGroup("audit"), NamedGroup("billing", own)};
  QueueInfo failed;
  failed.name = "failed";
  failed.options.groups = {"all"};
  return {orders, failed};
}

TEST(GoldenList, text_of_80_columns_is_the_golden_text) {
  const std::vector<watch::QueueView> queues = made_fleet().queues;
  expect_golden("list_80.txt", tool::list_text_fitted(queues, 80, false));
  expect_golden("list_80_watch.txt", tool::list_text_fitted(queues, 80, true));
}

TEST(GoldenList, text_for_files_is_the_golden_text) { expect_golden("list.txt", tool::list_text(made_fleet().queues)); }

TEST(GoldenList, json_is_the_golden_text) {
  const watch::Fleet fleet = made_fleet();
  expect_golden("list.json", in_lines(tool::list_json(fleet, fleet.queues, true)));
}

TEST(GoldenShow, text_of_80_columns_is_the_golden_text) {
  expect_golden("show_80.txt", tool::show_text(made_snapshot(), {made_verdict()}, std::nullopt, k_made_now_ns, 80));
}

TEST(GoldenShow, text_for_files_is_the_golden_text) {
  expect_golden("show.txt", tool::show_text(made_snapshot(), {made_verdict()}, made_rates(), k_made_now_ns));
}

TEST(GoldenShow, json_is_the_golden_text) {
  expect_golden("show.json", in_lines(tool::show_json(made_snapshot(), {made_verdict()}, made_rates())));
}

TEST(GoldenPeek, text_is_the_golden_text) {
  const std::vector<EndpointInfo> endpoints = made_snapshot().info.endpoints;
  expect_golden("peek.txt", tool::peek_text(made_messages(), endpoints, {}));
  expect_golden("peek_group_80.txt",
                tool::peek_text(made_messages(), endpoints, {.of_group = true, .with_properties = true, .width = 80}));
}

TEST(GoldenPeek, json_is_the_golden_text) {
  expect_golden("peek.json", in_lines(tool::peek_json("orders", made_messages())));
}

TEST(GoldenEvents, json_lines_are_the_golden_text) {
  std::string lines;
  for (const Event& event : made_events()) lines += watch::json_line(tool::to_json(event));
  expect_golden("events.jsonl", lines);
}

TEST(GoldenExport, definitions_are_the_golden_text) {
  expect_golden("export.json", tool::definitions_text(made_definitions()));
}

TEST(GoldenTop, batch_is_the_golden_text) {
  expect_golden("top_batch.txt", tool::batch_text(made_fleet(), {}, k_made_time_s));
}

TEST(GoldenTop, json_is_the_golden_text) {
  const std::string line = tool::batch_json(made_fleet(), {}, k_made_time_s);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line";
  expect_golden("top.json", in_lines(watch::Json::parse(line)));
}

TEST(GoldenTop, message_as_text_hex_and_json_is_the_golden_text) {
  ::setenv("TZ", "UTC", 1);
  tool::TopData data;
  data.fleet = fake_fleet();
  data.at_s = 3661;
  tool::TopState state;
  state.charset = tool::Charset::ascii;
  state.open_queue = "orders";
  state.page = tool::Page::message;
  std::string pictures;
  for (PeekedMessage message : made_messages()) {
    data.message = std::make_shared<const tool::OpenMessage>(tool::OpenMessage{.message = message, .trouble = {}});
    state.position = message.position;
    for (const tool::MessageForm form : {tool::MessageForm::text, tool::MessageForm::hex, tool::MessageForm::json}) {
      state.form = form;
      settle(state, data);
      pictures += picture_of(state, data).text();
    }
  }
  expect_golden("top_message.txt", pictures);
}

// The answer of GET /api/fleet.
TEST(GoldenWeb, json_of_the_fleet_is_the_golden_text) {
  expect_golden("web_fleet.json", in_lines(watch::to_json(made_fleet())));
}

}  // namespace
}  // namespace beltway::test
