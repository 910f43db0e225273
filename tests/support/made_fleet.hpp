// A daemon and its queues that a test has made up: each kind of value once, always the same.
// Thread safety: a function without state.
#pragma once

#include <chrono>
#include <string>

#include "watch/model.hpp"

namespace beltway::test {

/// Two queues, "orders" in trouble and "quiet", and one that may not be read.
[[nodiscard]] inline watch::Fleet made_fleet() {
  using namespace std::chrono_literals;
  watch::Fleet fleet;
  fleet.daemon_answers = true;
  fleet.daemon = {.version = "0.2.0",
                  .layout = "4.0",
                  .pid = 1234,
                  .uid = 0,
                  .socket = "/run/beltway/beltwayd.sock",
                  .log = "",
                  .asked = "/run/beltway/beltwayd.sock"};
  fleet.shared_bytes = 3 << 20;
  watch::QueueView orders;
  orders.info.name = "orders";
  orders.info.id = 7;
  orders.info.options.groups = {"billing"};
  orders.info.shared_bytes = 2 << 20;
  orders.readable = true;
  orders.position = 5000;
  orders.used = 1024;
  orders.parked = 3;
  orders.lag = 1024;
  orders.counts = {.messages_in = 5000,
                   .bytes_in = 320000,
                   .messages_out = 3976,
                   .bytes_out = 254464,
                   .redelivered = 12,
                   .dead_lettered = 2,
                   .repairs = 1};
  orders.oldest_age = 12500ms;
  orders.age_counts.resize(32);
  orders.age_counts[5] = 3;      // younger than 32 us
  orders.age_counts[10] = 3000;  // than 1024 us
  orders.age_counts[20] = 900;   // than about a second
  orders.age_counts[31] = 1;     // no bound is known
  orders.producers = 3;
  orders.consumers = 2;
  orders.groups = {
      {.name = "billing", .lag = 1024, .out_per_s = 100, .delay = 10240ms, .time_to_full = 4s, .consumers = 2}};
  orders.verdicts = {
      {.kind = "ring_full_by_consumer",
       .severity = watch::Severity::trouble,
       .queue = "orders",
       .subject = "orders is full",
       .cause = "group \"billing\" waits for consumer 2 (process 4711 worker, stopped), which holds position 88",
       .evidence = "1024 of 1024 slots are in use; producer 0 (process 4700 shop) has waited for 9 s",
       .since = 12s,
       .remedies = {{"kill -CONT 4711", "lets it go on"}, {"beltway evict orders 2", "gives its messages to others"}},
       .group = "billing",
       .consumer = 2,
       .pid = 4711,
       .position = 88}};
  watch::QueueView quiet;
  quiet.info.name = "quiet";
  quiet.info.id = 5;
  quiet.info.shared_bytes = 1 << 20;
  quiet.readable = true;
  quiet.counts = {.messages_in = 10, .bytes_in = 100, .messages_out = 10, .bytes_out = 100};
  watch::QueueView closed;
  closed.info.name = "closed";
  closed.info.id = 9;
  fleet.queues = {orders, quiet, closed};
  fleet.verdicts = {{.kind = "two_daemons",
                     .severity = watch::Severity::warning,
                     .subject = "this user has two daemons",
                     .cause = "a program that meets the other one shares no queue with those that meet this one",
                     .evidence = "process 1234 listens at /run/a, process 99 at /run/b",
                     .remedies = {{"kill 99", "ends the other daemon and removes its queues"}},
                     .pid = 99}};
  return fleet;
}

}  // namespace beltway::test
