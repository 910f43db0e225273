// The two kinds of bench, seen from the inside.
#include "tool/bench/bench_worker.hpp"

#include <algorithm>

#include "beltway/connection.hpp"
#include "tool/bench/bench_clock.hpp"
#include "tool/bench/bench_payload.hpp"
#include "tool/bench/bench_slices.hpp"

namespace beltway::tool {

namespace {

Consumer attach_consumer(const Queue& queue, const BenchPlan& plan) {
  return queue.consumer({.group = plan.group ? k_bench_group : "", .wait = plan.wait});
}

void say_attached(BenchShared& shared) {
  shared.attached.value.fetch_add(1, std::memory_order_release);  // pairs with the acquire in lead()
}

/// Both sides of a latency bench attach their producer and consumer, then one sends first and the other answers.
void run_latency(const Connection& connection, BenchShared& shared, const BenchPlan& plan, bool leader) {
  const Queue there = connection.open_queue(bench_queue_there(shared));
  const Queue back = connection.open_queue(bench_queue_back(shared));
  Producer producer = (leader ? there : back).producer({.wait = plan.wait});
  Consumer consumer = attach_consumer(leader ? back : there, plan);
  PayloadSource source(producer, plan);
  PayloadSink sink(consumer, plan);
  say_attached(shared);
  if (!leader) {
    return follow(shared, true, [&](std::uint64_t round_trips) {
      for (; round_trips > 0; --round_trips) {
        sink.receive_one();
        source.publish_one();
      }
    });
  }
  Histogram slice;
  const auto run = [&](std::uint64_t round_trips) {
    slice.clear();
    const std::uint64_t start = now_ns();
    for (std::uint64_t before = now_ticks(); round_trips > 0; --round_trips) {
      source.publish_one();
      sink.receive_one();
      const std::uint64_t after = now_ticks();
      slice.record(after - before);
      before = after;
    }
    return now_ns() - start;
  };
  lead(shared, plan, {.run = run, .keep = [&] { shared.round_trips.merge(slice); }});
}

/// A producer's share of a slice: the leader takes what does not divide.
std::uint64_t share_of(std::uint64_t messages, std::uint32_t producers, bool leader) {
  return messages / producers + (leader ? messages % producers : 0);
}

void run_producer(const Connection& connection, BenchShared& shared, const BenchPlan& plan, bool leader) {
  Producer producer = connection.open_queue(bench_queue_there(shared)).producer({.wait = plan.wait});
  PayloadSource source(producer, plan);
  say_attached(shared);
  if (!leader) {
    return follow(shared, false,
                  [&](std::uint64_t messages) { source.publish(share_of(messages, plan.producers, false)); });
  }
  const std::uint64_t consumers = plan.consumers;
  std::uint64_t slices = 0;
  const auto run = [&](std::uint64_t messages) {
    const std::uint64_t start = now_ns();
    source.publish(share_of(messages, plan.producers, true));
    ++slices;
    // The slice is over when the last consumer has its last message, which only they can tell.
    wait_until([&] { return shared.consumers_done.value.load(std::memory_order_acquire) == slices * consumers; });
    return shared.last_receive_ns.value.load(std::memory_order_relaxed) - start;
  };
  lead(shared, plan, {.run = run});
}

/// Several consumers of one group share a slice as it comes; each adds to `taken` what it got, until all is taken.
void take_share(PayloadSink& sink, BenchShared& shared, std::uint64_t goal) {
  constexpr std::chrono::milliseconds k_end_check_ms{1};
  constexpr std::uint64_t k_tell_after = 64;
  std::uint64_t untold = 0;
  const auto tell = [&] {
    const std::uint64_t all = shared.taken.value.fetch_add(untold, std::memory_order_relaxed) + untold;
    untold = 0;
    return all;
  };
  for (;;) {
    const std::uint64_t got = sink.receive_some(k_tell_after, k_end_check_ms);
    untold += got;
    if ((got == 0 || untold >= k_tell_after) && tell() >= goal) return;
  }
}

void run_consumer(const Connection& connection, BenchShared& shared, const BenchPlan& plan, bool partner) {
  Consumer consumer = attach_consumer(connection.open_queue(bench_queue_there(shared)), plan);
  PayloadSink sink(consumer, plan);
  say_attached(shared);
  std::uint64_t goal = 0;
  follow(shared, partner, [&](std::uint64_t messages) {
    goal += messages;
    if (plan.group && plan.consumers > 1) {
      take_share(sink, shared, goal);
    } else {
      sink.receive(messages);
    }
    const std::uint64_t now = now_ns();
    std::uint64_t latest = shared.last_receive_ns.value.load(std::memory_order_relaxed);
    while (latest < now &&
           !shared.last_receive_ns.value.compare_exchange_weak(latest, now, std::memory_order_relaxed)) {
    }
    shared.consumers_done.value.fetch_add(1, std::memory_order_release);  // pairs with the acquire in run_producer
  });
}

}  // namespace

std::string bench_queue_there(const BenchShared& shared) { return std::string(shared.queue.data()) + "/there"; }
std::string bench_queue_back(const BenchShared& shared) { return std::string(shared.queue.data()) + "/back"; }

void run_bench_worker(BenchShared& shared, const BenchPlan& plan, std::uint32_t worker) {
  const Connection connection = Connection::open({.socket = shared.socket.data(), .start_daemon = false});
  const bool producer = worker == 0 || (worker >= 2 && worker <= plan.producers);
  if (plan.kind == BenchKind::latency) {
    run_latency(connection, shared, plan, worker == 0);
  } else if (producer) {
    run_producer(connection, shared, plan, worker == 0);
  } else {
    run_consumer(connection, shared, plan, worker == 1);
  }
}

}  // namespace beltway::tool
