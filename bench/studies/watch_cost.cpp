// What watching costs: the watcher's share of a processor for many queues, and what a stream loses to it.
//
// Starts a daemon of its own and prints one JSON object. "fleet": queues with many endpoints each, whose messages pass all the
// time, sampled so many times a second; the share is user and system time of the watching process by getrusage, which other
// load hardly changes. "stream": messages of one producer and one consumer in slices of a second, alternately watched and not.
//
//   watch_cost --queues 256 --endpoints 64 --rate 10 --seconds 10 --slices 20
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "harness/own_daemon.hpp"
#include "watch/watcher.hpp"

namespace beltway::bench {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Plan {
  unsigned queues = 256;
  unsigned endpoints = 64;
  unsigned rate = 10;
  unsigned seconds = 10;
  unsigned slices = 20;
};

/// A process that runs `body` until this object ends.
class Worker {
 public:
  explicit Worker(const std::function<void()>& body) : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      body();
      _exit(0);
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
      _exit(1);
    }
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

ConnectionOptions at(const OwnDaemon& daemon) { return {.socket = daemon.socket(), .start_daemon = false}; }

std::chrono::nanoseconds processor_time() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(use.ru_utime) + of(use.ru_stime);
}

std::string fleet_queue(unsigned i) { return "bench/watched-" + std::to_string(i); }

/// Holds all endpoints, and lets a message pass on each queue, one queue after the other.
void run_fleet(const ConnectionOptions& options, const Plan& plan) {
  const unsigned producers = plan.endpoints / 2;
  const unsigned consumers = plan.endpoints - producers;
  const Connection connection = Connection::open(options);
  std::vector<std::vector<Producer>> out(plan.queues);
  std::vector<std::vector<Consumer>> in(plan.queues);
  for (unsigned i = 0; i < plan.queues; ++i) {
    const Queue queue = connection.declare(fleet_queue(i), {.slots = 256,
                                                            .lane_bytes = 0,
                                                            .max_producers = producers,
                                                            .max_consumers = consumers,
                                                            .max_groups = 1,
                                                            .groups = {"group"}});
    for (unsigned j = 0; j < producers; ++j) out[i].push_back(queue.producer());
    for (unsigned j = 0; j < consumers; ++j) in[i].push_back(queue.consumer({.group = "group", .prefetch = 1}));
  }
  for (;;) {
    for (unsigned i = 0; i < plan.queues; ++i) {
      for (Producer& each : out[i]) static_cast<void>(each.try_publish("message"));
      for (Consumer& each : in[i]) {
        if (Result<Message> received = each.try_receive()) received->ack();
      }
      if (i % 16 == 0) std::this_thread::sleep_for(1ms);
    }
  }
}

Json measure_fleet(const OwnDaemon& daemon, const Plan& plan) {
  const Worker worker([&] { run_fleet(at(daemon), plan); });
  watch::Watcher watcher({.connection = at(daemon)});
  const auto is_whole = [&] {
    watcher.sample();
    const auto& queues = watcher.fleet().queues;
    const auto whole = std::ranges::count_if(queues, [&](const watch::QueueView& view) {
      return view.readable && view.producers + view.consumers == plan.endpoints;
    });
    return whole == static_cast<std::ptrdiff_t>(plan.queues);
  };
  while (!is_whole()) std::this_thread::sleep_for(100ms);
  for (unsigned i = 0; i < plan.rate; ++i) {  // a second in which first looks are made
    std::this_thread::sleep_for(std::chrono::nanoseconds(1s) / plan.rate);
    watcher.sample();
  }
  const std::chrono::nanoseconds before = processor_time();
  const Clock::time_point begin = Clock::now();
  Clock::time_point next = begin;
  double in_per_s = 0;
  for (unsigned i = 0; i < plan.rate * plan.seconds; ++i) {
    watcher.sample();
    in_per_s = watcher.fleet().rates.in;
    next += std::chrono::nanoseconds(1s) / plan.rate;
    std::this_thread::sleep_until(next);
  }
  const std::chrono::duration<double> used = processor_time() - before;
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  std::size_t verdicts = 0;
  for (const watch::QueueView& view : watcher.fleet().queues) verdicts += view.verdicts.size();
  return {{"queues", plan.queues},
          {"endpoints", plan.endpoints},
          {"samples_per_s", plan.rate},
          {"messages_per_s", in_per_s},
          {"verdicts", verdicts},
          {"processor_share", used / elapsed},
          {"us_per_sample", used.count() * 1e6 / (plan.rate * plan.seconds)}};
}

void run_stream(const ConnectionOptions& options) {
  const Queue queue = Connection::open(options).declare("bench/stream", {.max_producers = 1});
  const std::jthread consumer([in = queue.consumer()]() mutable {
    while (in.receive()) continue;
  });
  Producer out = queue.producer();
  for (;;) out.publish("message");
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

Json measure_stream(const OwnDaemon& daemon, const Plan& plan) {
  const Connection connection = Connection::open(at(daemon));
  const Worker worker([&] { run_stream(at(daemon)); });
  const Queue queue = connection.open_queue("bench/stream", 10s);
  watch::Watcher watcher({.connection = at(daemon)});
  watcher.sample();
  std::this_thread::sleep_for(500ms);
  std::vector<double> rates[2];
  for (unsigned slice = 0; slice < 2 * plan.slices; ++slice) {
    const bool watched = slice % 2 == 1;
    const std::uint64_t first = queue.snapshot().position;
    const Clock::time_point begin = Clock::now();
    for (unsigned i = 0; i < plan.rate; ++i) {
      if (watched) watcher.sample();
      std::this_thread::sleep_until(begin + (i + 1) * std::chrono::nanoseconds(1s) / plan.rate);
    }
    const std::chrono::duration<double> elapsed = Clock::now() - begin;
    rates[watched ? 1 : 0].push_back(static_cast<double>(queue.snapshot().position - first) / elapsed.count());
  }
  const double alone = median(rates[0]);
  if (alone == 0) throw std::runtime_error("the stream stands still");
  const double watched = median(rates[1]);
  return {{"slices", plan.slices}, {"alone_per_s", alone}, {"watched_per_s", watched}, {"ratio", watched / alone}};
}

}  // namespace
}  // namespace beltway::bench

int main(int argc, char** argv) try {
  using namespace beltway::bench;
  Plan plan;
  CLI::App app("What watching queues costs the watcher and the watched, as JSON");
  app.add_option("--queues", plan.queues, "that are watched");
  app.add_option("--endpoints", plan.endpoints, "of each queue")->check(CLI::Range(2, 128));
  app.add_option("--rate", plan.rate, "samples a second")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", plan.seconds, "to watch the queues");
  app.add_option("--slices", plan.slices, "of a second, watched and alone, of the stream; 0: no stream");
  CLI11_PARSE(app, argc, argv);
  Json json;
  {
    const OwnDaemon daemon;
    json["fleet"] = measure_fleet(daemon, plan);
  }
  if (plan.slices != 0) {
    const OwnDaemon daemon;
    json["stream"] = measure_stream(daemon, plan);
  }
  std::cout << json.dump(2) << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
