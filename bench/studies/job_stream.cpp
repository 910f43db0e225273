// What the features of a work queue cost: the stream of one producer to one worker of a named group, 8 bytes a message.
//
// The ways take turns, slice after slice, each in two new processes: so no way is measured at another time than its neighbours.
//   plain    no option
//   options  max_deliveries, dead_letter and lease_timeout are set, and no message fails
//   held     the worker keeps one message in a hundred for two laps of the ring, so that it is parked
// Starts a daemon of its own. Prints JSON: messages a second (median of the slices) and the ratio to `plain`, slice by slice.
//
//   job_stream --producer-cpu 0 --worker-cpu 1
//   job_stream --way held                          this way alone: for a profiler
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "harness/own_daemon.hpp"
#include "tool/bench/bench_clock.hpp"

namespace beltway::bench {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;
using tool::now_ns;

struct Settings {
  int producer_cpu = -1;
  int worker_cpu = -1;
  unsigned slices = 8;
  unsigned slice_ms = 400;
  std::uint32_t slots = 1024;
  std::string way;  // empty: all
};

enum Way : unsigned { plain, options, held, k_ways };
const std::vector<std::string> k_names = {"plain", "options", "held"};
constexpr unsigned k_held_each = 100;

/// What a worker tells the parent.
struct Rate {
  std::uint64_t messages;
  std::uint64_t ns;
};

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("bench: cannot pin");
}

QueueOptions options_of(Way way, const Settings& settings) {
  QueueOptions made{.slots = settings.slots, .slot_bytes = 64, .lane_bytes = 0, .groups = {"work"}};
  if (way == options) {
    made.max_deliveries = 5;
    made.dead_letter = "bench/dead";
    made.lease_timeout = 30s;
  }
  return made;
}

void work(Way way, const Settings& settings, const Connection& link, Rate& rate) {
  Consumer in = link.open_queue("bench/" + k_names[way])
                    .consumer({.group = "work", .end_of_stream = EndOfStream::after_producer});
  std::deque<std::pair<std::uint64_t, Message>> kept;
  std::uint64_t count = 0;
  std::uint64_t start_ns = 0;
  while (Result<Message> message = in.receive()) {
    if (count++ == 0) start_ns = now_ns();
    if (way == held) {
      while (!kept.empty() && count - kept.front().first >= 2 * settings.slots) {
        kept.front().second.ack();
        kept.pop_front();
      }
      if (count % k_held_each == 0) {
        kept.emplace_back(count, std::move(*message));
        continue;
      }
    }
    message->ack();
  }
  rate = {count, now_ns() - start_ns};
  for (auto& each : kept) each.second.ack();
}

void produce(Way way, const Settings& settings, const Connection& link) {
  const Queue queue = link.open_queue("bench/" + k_names[way]);
  Producer out = queue.producer();
  queue.wait_for_consumers(1, 10s);
  const std::uint64_t end_ns = now_ns() + settings.slice_ms * 1'000'000ULL;
  for (std::uint64_t number = 0; number % 256 != 0 || now_ns() < end_ns; ++number) {
    out.publish(Bytes(&number, sizeof number));
  }
}

/// Runs `action` in a process of its own.
template <class Action>
pid_t spawn(int cpu, const std::string& socket, const Action& action) {
  const pid_t child = fork();
  if (child != 0) return child;
  int code = 0;
  try {
    pin(cpu);
    action(Connection::open({.socket = socket, .start_daemon = false}));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    code = 1;
  }
  _exit(code);
}

double slice(Way way, const Settings& settings, const std::string& socket, Rate& rate) {
  const pid_t worker =
      spawn(settings.worker_cpu, socket, [&](const Connection& link) { work(way, settings, link, rate); });
  const pid_t producer =
      spawn(settings.producer_cpu, socket, [&](const Connection& link) { produce(way, settings, link); });
  for (const pid_t child : {producer, worker}) {
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error("bench: a process failed");
  }
  return 1e9 * static_cast<double>(rate.messages) / static_cast<double>(rate.ns);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Json measure(const Settings& settings) {
  const OwnDaemon daemon;
  const pid_t maker = spawn(-1, daemon.socket(), [&](const Connection& link) {
    static_cast<void>(link.declare("bench/dead", {.slot_bytes = 1024, .lane_bytes = 0, .groups = {"dead"}}));
    for (unsigned way = 0; way < k_ways; ++way) {
      const std::string name = "bench/" + k_names[way];
      static_cast<void>(link.declare(name, options_of(static_cast<Way>(way), settings)));
    }
  });
  int status = 0;
  waitpid(maker, &status, 0);
  if (status != 0) throw std::runtime_error("bench: cannot declare the queues");
  void* const memory = mmap(nullptr, sizeof(Rate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  Rate& rate = *new (memory) Rate{};
  std::vector<double> rates[k_ways];
  for (unsigned turn = 0; turn < settings.slices * k_ways; ++turn) {
    const Way way = static_cast<Way>(turn % k_ways);
    if (settings.way.empty() || settings.way == k_names[way])
      rates[way].push_back(slice(way, settings, daemon.socket(), rate));
  }
  Json json{{"slices", settings.slices}, {"slice_ms", settings.slice_ms}, {"slots", settings.slots}};
  for (unsigned way = 0; way < k_ways; ++way) {
    if (rates[way].empty()) continue;
    Json& row = json[k_names[way]] = {{"messages_per_second", median(rates[way])}};
    if (!settings.way.empty()) continue;
    std::vector<double> ratios;
    for (unsigned i = 0; i < settings.slices; ++i) ratios.push_back(rates[way][i] / rates[plain][i]);
    row["to_plain"] = median(ratios);
    row["each"] = std::move(ratios);
  }
  return json;
}

}  // namespace
}  // namespace beltway::bench

int main(int argc, char** argv) try {
  beltway::bench::Settings settings;
  CLI::App app("What the features of a work queue cost, as JSON");
  app.add_option("--slices", settings.slices, "of each way")->check(CLI::Range(1U, 1000U));
  app.add_option("--slice-ms", settings.slice_ms, "how long the producer publishes")->check(CLI::Range(10U, 60'000U));
  app.add_option("--slots", settings.slots, "of the ring, a power of two");
  app.add_option("--way", settings.way, "measure this one alone")->check(CLI::IsMember(beltway::bench::k_names));
  app.add_option("--producer-cpu", settings.producer_cpu, "processor of the producer");
  app.add_option("--worker-cpu", settings.worker_cpu, "processor of the worker");
  CLI11_PARSE(app, argc, argv);
  std::cout << beltway::bench::measure(settings).dump(2) << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
