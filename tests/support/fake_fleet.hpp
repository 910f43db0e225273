// Made samples of queues, for tests of the faces of the watch model: no daemon, no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "tool/top/top_data.hpp"
#include "watch/model.hpp"

namespace beltway::test {

inline watch::QueueView fake_queue(const std::string& name, std::uint64_t used = 0) {
  watch::QueueView view;
  view.info.name = name;
  view.info.id = 7;
  view.info.options.slots = 1024;
  view.info.options.groups = {{"billing"}};
  view.info.shared_bytes = 1 << 20;
  view.readable = true;
  view.used = used;
  view.lag = used;
  view.producers = 1;
  view.consumers = 1;
  view.groups.push_back({.name = "billing", .lag = used, .in_per_s = 5, .out_per_s = 4, .consumers = 1});
  for (int second = 0; second < 60; ++second) {
    const auto rate = static_cast<float>(second % 9);
    view.history.push_back({.at_s = second, .in_per_s = rate, .out_per_s = rate / 2, .lag = rate});
  }
  return view;
}

inline watch::Verdict fake_verdict(const std::string& queue) {
  return {.kind = "ring_full_by_consumer",
          .severity = watch::Severity::trouble,
          .queue = queue,
          .subject = queue + " is full",
          .cause = "group billing, consumer 2 (pid 4711 worker, stopped by a signal) holds position 88",
          .evidence = "1024 of 1024 slots are used, 3 producers wait",
          .since = std::chrono::seconds(9),
          .forecast = {},
          .remedies = {{"kill -CONT 4711", "lets the process go on"},
                       {"beltway evict " + queue + " 2", "gives its place away"}},
          .group = "billing",
          .producer = {},
          .consumer = 2U,
          .pid = 4711,
          .position = 88U};
}

/// Five queues: full, with a warning, healthy with stamps, not readable, empty.
inline std::shared_ptr<const watch::Fleet> fake_fleet() {
  auto fleet = std::make_shared<watch::Fleet>();
  fleet->daemon_answers = true;
  fleet->daemon.version = "0.2.0";
  fleet->daemon.pid = 123;
  fleet->daemon.socket = "/run/test/beltwayd.sock";
  fleet->rates.in = 12345;
  fleet->rates.out = 11000;
  fleet->shared_bytes = 5 << 20;
  watch::QueueView full = fake_queue("orders", 1024);
  full.rates.in = 0;
  full.delay = std::chrono::seconds(300);
  full.verdicts = {fake_verdict("orders")};
  watch::QueueView late = fake_queue("mail", 600);
  late.rates.in = 1234;
  late.rates.out = 17;
  late.oldest_age = std::chrono::seconds(75);
  late.verdicts = {{.kind = "lag_grows",
                    .severity = watch::Severity::warning,
                    .queue = "mail",
                    .subject = "mail fills up",
                    .cause = "group billing receives less than is published"}};
  watch::QueueView healthy = fake_queue("a/quite/long/name/of/a/queue", 3);
  healthy.rates.in = 0.5;
  healthy.rates.out = 0.5;
  healthy.oldest_age = std::chrono::milliseconds(12);
  watch::QueueView closed = fake_queue("secret");
  closed.readable = false;
  watch::QueueView empty = fake_queue("empty");
  empty.history.clear();
  empty.info.options.groups = {{"audit"}};
  fleet->queues = {full, late, healthy, empty, closed};
  return fleet;
}

inline ConsumerState fake_consumer(unsigned index, int pid, std::uint64_t held) {
  ConsumerState state;
  state.endpoint.index = index;
  state.endpoint.pid = pid;
  state.endpoint.uid = 1000;
  state.endpoint.group = "billing";
  state.held = held;
  return state;
}

/// The full queue of fake_fleet(), with a stopped consumer, a private one and a producer that waits.
inline std::shared_ptr<const tool::OpenQueue> fake_open_queue() {
  auto open = std::make_shared<tool::OpenQueue>();
  watch::QueueDetail& detail = open->detail;
  detail.view = fake_fleet()->queues.front();
  QueueSnapshot& snapshot = detail.snapshot;
  snapshot.info = detail.view.info;
  snapshot.info.owner_uid = 1000;
  snapshot.position = 1112;
  snapshot.used = 1024;
  snapshot.max_parked = 512;
  snapshot.groups.resize(2);
  snapshot.groups[0].name = "billing";
  snapshot.groups[0].floor = 88;
  snapshot.groups[0].depth = 1024;
  snapshot.groups[0].available = 1020;
  snapshot.groups[0].leased = 4;
  snapshot.groups[0].consumers = {2, 3};
  snapshot.groups[1].name = "audit";
  snapshot.groups[1].floor = 1112;
  snapshot.groups[1].paused_for = std::chrono::milliseconds(5000);
  snapshot.consumers = {fake_consumer(2, 4711, 3), fake_consumer(3, 4712, 1), fake_consumer(4, 4713, 0)};
  snapshot.consumers.back().endpoint.group.clear();
  snapshot.consumers.back().lag = 9;
  ProducerState producer;
  producer.endpoint.producer = true;
  producer.endpoint.pid = 4800;
  producer.endpoint.uid = 0;
  producer.endpoint.name = "p-1";
  producer.waits_for = WaitsFor::ring;
  producer.lane_messages = 2;
  producer.lane_used = 65536;
  snapshot.producers = {producer};
  for (const ConsumerState& consumer : snapshot.consumers)
    detail.endpoints.push_back(
        {.info = consumer.endpoint, .messages_per_s = 4, .wakes_per_message = 0.02, .busy = 0.98});
  detail.endpoints.push_back({.info = producer.endpoint, .messages_per_s = 1200, .wakes_per_message = 0, .busy = 0.1});
  using watch::SlotLook;
  detail.strip = {.first = 88,
                  .slots_per_cell = 128,
                  .cells = {SlotLook::leased, SlotLook::waiting, SlotLook::waiting, SlotLook::voided,
                            SlotLook::acknowledged, SlotLook::delayed, SlotLook::lane, SlotLook::free},
                  .floors = {{.group = "billing", .position = 88},
                             {.group = "audit", .position = 1112},
                             {.group = {}, .consumer = 4, .position = 1103}}};
  open->processes = {{4711, {.name = "worker", .state = "stopped"}}, {4712, {.name = "worker", .state = {}}}};
  open->users = {{1000, "mara"}, {0, "root"}};
  return open;
}

inline PeekedMessage fake_message(std::uint64_t position, const std::string& payload, std::optional<int> age_s = {}) {
  PeekedMessage message;
  message.position = position;
  message.size = payload.size();
  for (const char c : payload) message.bytes.push_back(static_cast<std::byte>(c));
  if (age_s) message.age = std::chrono::seconds(*age_s);
  return message;
}

}  // namespace beltway::test
