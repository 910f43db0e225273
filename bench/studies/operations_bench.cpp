// Each operation of the ring by itself, in one process and one thread, over plain memory: what the code costs when every
// line is in the nearest cache. What two cores cost each other is the harness's matter.
#include <benchmark/benchmark.h>

#include <vector>

#include "ring/wake.hpp"
#include "support/local_queue.hpp"

namespace {

using namespace beltway;
using namespace beltway::ring;
using test::LocalQueue;

constexpr std::size_t k_lap = 512;  // half of the ring: filled and emptied in turn, one of both is timed
constexpr std::size_t k_batch = 32;
constexpr const char* k_group = "group";

QueueOptions options(std::uint32_t producers, bool group = false, std::size_t size = 64) {
  QueueOptions made{.slots = 2 * k_lap,
                    .slot_bytes = static_cast<std::uint32_t>((size + 16 + 63) / 64 * 64),
                    .max_producers = producers};
  if (group) made.groups = {k_group};
  return made;
}

void drain(Consumer& consumer) {
  for (;;) {
    Result<Message> received = consumer.try_receive();
    if (!received) return;
    received->ack();
  }
}

/// Half a lap a turn; `operation` handles `each` messages.
template <class Before, class Operation, class After>
void turns(benchmark::State& state, std::size_t each, const Before& before, const Operation& operation,
           const After& after) {
  std::size_t left = 0;
  for (auto _ : state) {
    if (left == 0) {
      state.PauseTiming();
      after();
      before();
      left = k_lap;
      state.ResumeTiming();
    }
    operation();
    left -= each;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(each) * state.iterations());
}

void nothing() {}

void publish(benchmark::State& state, std::uint32_t producers) {
  const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)));
  LocalQueue queue(options(producers, false, bytes.size()));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  turns(state, 1, nothing, [&] { producer.publish(bytes); }, [&] { drain(consumer); });
}
BENCHMARK_CAPTURE(publish, single_producer, 1)->Arg(8)->Arg(64)->Arg(256)->Arg(1024);
BENCHMARK_CAPTURE(publish, several_producers, 8)->Arg(8)->Arg(64);

void publish_batch(benchmark::State& state) {
  const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)));
  LocalQueue queue(options(1, false, bytes.size()));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  const std::vector<Bytes> batch(k_batch, Bytes(bytes));
  turns(state, k_batch, nothing, [&] { producer.publish_batch(batch); }, [&] { drain(consumer); });
}
BENCHMARK(publish_batch)->Arg(8)->Arg(64)->Arg(256)->Arg(1024);

void loan_commit(benchmark::State& state) {
  LocalQueue queue(options(1));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  const auto size = static_cast<std::size_t>(state.range(0));
  turns(state, 1, nothing, [&] { producer.loan(size).commit(); }, [&] { drain(consumer); });
}
BENCHMARK(loan_commit)->Arg(1024);

/// A loan that is dropped: the lane's bookkeeping alone.
void lane_allocation(benchmark::State& state) {
  LocalQueue queue(options(1));
  Producer producer = queue.producer();
  for (auto _ : state) benchmark::DoNotOptimize(producer.try_loan(1024)->bytes().data());
}
BENCHMARK(lane_allocation);

void receive(benchmark::State& state, bool group) {
  LocalQueue queue(options(1, group));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer({.group = group ? k_group : ""});
  const auto fill = [&] {
    for (std::size_t i = 0; i < k_lap; ++i) producer.publish("8 bytes.");
  };
  turns(state, 1, fill, [&] { consumer.try_receive()->ack(); }, nothing);
}
BENCHMARK_CAPTURE(receive, release, false);
BENCHMARK_CAPTURE(receive, lease_and_ack, true);

void receive_batch(benchmark::State& state, bool group) {
  LocalQueue queue(options(1, group));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer({.group = group ? k_group : ""});
  const auto fill = [&] {
    for (std::size_t i = 0; i < k_lap; ++i) producer.publish("8 bytes.");
  };
  std::vector<Message> batch(k_batch);
  const auto take = [&] {
    benchmark::DoNotOptimize(consumer.try_receive_batch(batch).value_or(0));
    if (group) {
      ack_batch(batch);
    } else {
      for (Message& message : batch) message.ack();
    }
  };
  turns(state, k_batch, fill, take, nothing);
}
BENCHMARK_CAPTURE(receive_batch, release, false);
BENCHMARK_CAPTURE(receive_batch, lease_and_ack, true);

/// What a publisher does to learn that nobody sleeps.
void wake_check(benchmark::State& state) {
  const LocalQueue queue(options(1));
  for (auto _ : state) {
    publish_fence(false);
    benchmark::DoNotOptimize(has_sleepers(queue.memory()));
  }
}
BENCHMARK(wake_check);

/// Nothing there: what a poll costs.
void receive_nothing(benchmark::State& state) {
  LocalQueue queue(options(1));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  for (auto _ : state) benchmark::DoNotOptimize(consumer.try_receive().status());
}
BENCHMARK(receive_nothing);

}  // namespace
