// The watcher's readings, looks and pictures over memory that a neighbour scribbles over: wrong numbers, and nothing worse.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>

#include "client/inspect_failures.hpp"
#include "hostile/scribble.hpp"
#include "support/local_queue.hpp"
#include "watch/json.hpp"
#include "watch/machine.hpp"
#include "watch/process_info.hpp"
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

/// What a verdict says must be possible, whatever the memory says.
void expect_possible(const watch::Verdict& verdict, const watch::SampleTime& time, const QueueOptions& options) {
  const std::string text = watch::text_of(verdict);
  EXPECT_FALSE(verdict.subject.empty() || verdict.cause.empty()) << verdict.kind;
  EXPECT_LT(text.size(), 2000U) << text;
  const auto is_control = [](char each) { return static_cast<unsigned char>(each) < ' '; };
  EXPECT_TRUE(std::ranges::none_of(text, is_control)) << text;
  for (const std::optional<watch::Nanoseconds>& lasted : {verdict.since, verdict.waited}) {
    if (!lasted) continue;
    EXPECT_GE(lasted->count(), 0) << text;
    EXPECT_LE(*lasted, time.monotonic) << "longer than the machine runs: " << text;
  }
  if (verdict.position) {
    EXPECT_LT(*verdict.position, std::uint64_t{1} << k_position_bits) << text;
  }
  if (verdict.producer) {
    EXPECT_LT(*verdict.producer, options.max_producers) << text;
  }
  if (verdict.consumer) {
    EXPECT_LT(*verdict.consumer, options.max_consumers) << text;
  }
  if (verdict.pid) {
    EXPECT_GE(*verdict.pid, 0) << text;
  }
}

void watch_scribbled_memory(Neighbour neighbour) {
  QueueOptions options{.slots = 64, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .max_groups = 2};
  options.groups = {"workers"};
  LocalQueue queue(options);
  auto out = queue.producer();
  for (int i = 0; i < 40; ++i) static_cast<void>(out.try_publish("x"));
  const wire::Description description = describe(options);
  watch::WatchedQueue watched(description, {.tells_at_once = true});
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
    for (const watch::Verdict& verdict : view.verdicts) expect_possible(verdict, time, options);
    if (round % 64 == 0) {
      const watch::QueueDetail detail = watched.detail(time, view, 64);
      EXPECT_EQ(detail.strip.cells.size(), 64U);
      EXPECT_FALSE(to_json(detail).dump().empty());
    }
  }
}

/// The most tried message of the group, once this lease word stands in that slot.
std::optional<client::MostTried> most_tried_with(const Lease& lease, Position slot) {
  QueueOptions options{.slots = 64, .lane_bytes = 0};
  options.groups = {"workers"};
  LocalQueue queue(options);
  auto out = queue.producer();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok);
  queue.memory().lease(queue.group("workers"), slot).store_release(lease.word());
  return client::most_tried(queue.memory(), queue.group("workers"));
}

TEST(WatchHostile, file_of_proc_whose_read_fails_is_an_empty_text) {
  EXPECT_EQ(watch::read_text("/proc/self/mem"), "")
      << "opens, and fails at the first read, as the files of a dead process do";
  EXPECT_EQ(watch::read_text("/proc/0/comm"), "");
}

TEST(WatchHostile, message_that_was_never_published_is_not_named_as_the_one_that_fails) {
  for (const LeasePhase phase : {LeasePhase::leased, LeasePhase::parked, LeasePhase::delayed}) {
    for (const Position position :
         {Position{8}, Position{63}, Position{72}, Position{1} << 44, (Position{1} << 45) - 1}) {
      const auto most = most_tried_with({position, k_first_consumer, 255, phase}, position % 64);
      if (most) {
        EXPECT_LT(most->position, 8U) << "phase " << static_cast<int>(phase) << ", position " << position;
      }
    }
  }
}

TEST(WatchHostile, deliveries_of_a_message_are_at_most_those_that_are_counted) {
  for (const LeasePhase phase : {LeasePhase::leased, LeasePhase::parked}) {
    const auto most = most_tried_with({3, k_first_consumer, 255, phase}, 3);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->position, 3U);
    EXPECT_EQ(most->deliveries, k_max_tries);
  }
}

TEST(WatchHostile, quotas_that_make_no_sense_give_no_absurd_verdict) {
  constexpr std::uint64_t k_most = ~std::uint64_t{0};
  watch::Fleet fleet;
  fleet.quota = client::Quota{};
  EXPECT_TRUE(watch::daemon_verdicts(fleet).empty()) << "nothing of nothing is no shortage";
  fleet.quota = {.queues = k_most, .bytes = k_most, .connections = k_most, .most_connections = k_most};
  EXPECT_TRUE(watch::daemon_verdicts(fleet).empty()) << "no limit is known";
  fleet.quota = {.queues = 1, .max_queues = k_most, .bytes = 1, .max_bytes = k_most, .connections = 1};
  fleet.quota->max_connections = k_most;
  EXPECT_TRUE(watch::daemon_verdicts(fleet).empty());
  fleet.quota = {.queues = k_most, .max_queues = 10, .bytes = k_most, .max_bytes = 1, .connections = 9};
  fleet.quota->max_connections = 10;
  for (const int pid : {-1, 0, ::getpid()}) {
    fleet.quota->most_pid = pid;
    fleet.quota->most_connections = 11;
    const std::vector<watch::Verdict> verdicts = watch::daemon_verdicts(fleet);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_EQ(verdicts[1].evidence, "9 of 10 connections") << "one process cannot have more than the user";
    for (const watch::Verdict& verdict : verdicts) {
      expect_possible(verdict, watch::SampleTime::now(), {});
      EXPECT_EQ(watch::to_json(verdict)["kind"], verdict.kind);
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
