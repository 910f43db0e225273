// The watcher's readings, looks and pictures over memory that a neighbour scribbles over: wrong numbers, and nothing worse.
#include <gtest/gtest.h>

#include "hostile/scribble.hpp"
#include "support/local_queue.hpp"
#include "watch/json.hpp"
#include "watch/strip.hpp"
#include "watch/watched_queue.hpp"

namespace beltway::test {
namespace {

constexpr int k_rounds = 3000;

wire::Description describe(const QueueOptions& options) {
  wire::Description description;
  description.info.name = "q";
  description.info.options = options;
  description.group_indexes = {0};
  for (unsigned i = 0; i < options.max_producers + options.max_consumers; ++i) {
    EndpointInfo endpoint;
    endpoint.producer = i < options.max_producers;
    endpoint.index = endpoint.producer ? i : i - options.max_producers;
    if (!endpoint.producer && i % 2 == 0) endpoint.group = "workers";
    description.info.endpoints.push_back(std::move(endpoint));
  }
  return description;
}

void watch_scribbled_memory(Neighbour neighbour) {
  QueueOptions options{.slots = 64, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .max_groups = 2};
  options.groups = {"workers"};
  LocalQueue queue(options);
  auto out = queue.producer();
  for (int i = 0; i < 40; ++i) static_cast<void>(out.try_publish("x"));
  const wire::Description description = describe(options);
  watch::WatchedQueue watched(description, {});
  watch::QueueView view;
  watched.describe(description, view);
  watched.open({.memory = queue.memory(), .ring = {}, .heap = {}, .control = {}});
  Scribbler scribbler(queue.memory(), neighbour, random_numbers(7));
  for (int round = 0; round < k_rounds; ++round) {
    scribbler.scribble();
    const auto time = watch::SampleTime::now();
    watched.read(time, view);
    EXPECT_LE(view.used, options.slots);
    EXPECT_LE(view.lag, options.slots);
    if (round % 8 == 0) watched.look(time, view);
    if (round % 64 == 0) {
      const watch::QueueDetail detail = watched.detail(time, view, 64);
      EXPECT_EQ(detail.strip.cells.size(), 64U);
      EXPECT_FALSE(to_json(detail).dump().empty());
    }
  }
}

TEST(WatchHostile, memory_that_a_consumer_scribbles_over_gives_bounded_numbers) {
  watch_scribbled_memory(Neighbour::consumer);
}

TEST(WatchHostile, memory_that_a_producer_scribbles_over_gives_bounded_numbers) {
  watch_scribbled_memory(Neighbour::producer);
}

}  // namespace
}  // namespace beltway::test
