// What waiting costs: one-way latency against the processor time of the consumer, for each wait strategy and several rates.
//
// A producer process sends at a fixed rate what a consumer process receives with a blocking receive. A message carries the
// time at which it was due, not at which it was sent, so that a late producer counts as latency (no coordinated
// omission). The consumer's processor time is that of its whole process, from the first message to the last. Needs a
// daemon ($BELTWAY_SOCKET, or the user's own) and a quiet machine. Writes CSV; wait_strategies.gp draws it:
//
//   wait_strategies --producer-cpu 0 --consumer-cpu 1 > wait_strategies.csv && gnuplot wait_strategies.gp
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"

namespace {

using beltway::WaitStrategy;

constexpr std::uint64_t k_second_ns = 1'000'000'000;
constexpr std::uint64_t k_nap_margin_ns =
    100'000;  // the producer naps until this long before a message is due, then spins

struct Settings {
  std::vector<std::uint64_t> rates = {1, 100, 10'000, 1'000'000};  // messages a second
  double seconds = 5;                                              // of each measurement
  int producer_cpu = -1;
  int consumer_cpu = -1;
};

struct Run {
  const char* name;
  WaitStrategy strategy;
  std::uint64_t rate;
  std::uint64_t count;
};

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * k_second_ns + static_cast<std::uint64_t>(now.tv_nsec);
}
std::uint64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) std::cerr << "cannot pin to processor " << cpu << '\n';
}

void wait_until(std::uint64_t due_ns) {
  if (const std::uint64_t now = now_ns(); due_ns > now + k_nap_margin_ns) {
    const std::uint64_t wake_ns = due_ns - k_nap_margin_ns;
    const timespec wake{static_cast<time_t>(wake_ns / k_second_ns), static_cast<long>(wake_ns % k_second_ns)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr);
  }
  while (now_ns() < due_ns) continue;
}

int consume(const Settings& settings, const Run& run, const std::string& queue_name, int ready) {
  pin(settings.consumer_cpu);
  auto in = beltway::Connection::open().open_queue(queue_name).consumer({.wait = run.strategy});
  std::vector<std::uint64_t> latencies_ns;
  latencies_ns.reserve(run.count);
  if (write(ready, "r", 1) != 1) return 1;
  std::uint64_t first_ns = 0;
  std::uint64_t cpu_before_ns = 0;
  while (latencies_ns.size() < run.count) {
    auto message = in.receive();
    if (!message) break;
    const std::uint64_t now = now_ns();
    std::uint64_t due_ns = 0;
    std::memcpy(&due_ns, message->bytes().data(), sizeof due_ns);
    if (first_ns == 0) {  // the first finds everything cold: from here on it counts
      first_ns = now;
      cpu_before_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    }
    latencies_ns.push_back(now - due_ns);
  }
  const std::uint64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_before_ns;
  const std::uint64_t wall_ns = now_ns() - first_ns;
  latencies_ns.erase(latencies_ns.begin());
  std::ranges::sort(latencies_ns);
  const auto at = [&](double share) {
    return latencies_ns[static_cast<std::size_t>(share * static_cast<double>(latencies_ns.size() - 1))];
  };
  std::cout << run.name << ',' << run.rate << ',' << latencies_ns.size() << ',' << at(0.5) << ',' << at(0.9) << ','
            << at(0.99) << ',' << at(0.999) << ',' << at(1) << ',' << cpu_ns << ',' << wall_ns << ','
            << 100.0 * static_cast<double>(cpu_ns) / static_cast<double>(wall_ns) << ',' << in.counters().sleeps << ','
            << in.counters().rescued << std::endl;
  return 0;
}

void produce(beltway::Producer& out, const Run& run) {
  const std::uint64_t start_ns = now_ns() + k_second_ns / 100;
  for (std::uint64_t i = 0; i < run.count; ++i) {
    const std::uint64_t due_ns = start_ns + i * k_second_ns / run.rate;
    wait_until(due_ns);
    out.publish(beltway::Bytes(&due_ns, sizeof due_ns));
  }
}

bool measure(const Settings& settings, const Run& run) {
  const std::string name = "bench/wait_strategies-" + std::to_string(getpid());
  int ready[2];
  if (pipe(ready) != 0) return false;
  const auto link = beltway::Connection::open();
  const auto queue = link.declare(name, {.slots = 4096, .slot_bytes = 64, .lane_bytes = 0, .max_producers = 1});
  const pid_t child = fork();
  if (child == 0) {
    int code = 1;
    try {
      code = consume(settings, run, name, ready[1]);
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
    }
    _exit(code);
  }
  close(ready[1]);
  char byte = 0;
  int status = 0;
  if (read(ready[0], &byte, 1) == 1) {
    auto out = queue.producer({.wait = WaitStrategy::spin});
    produce(out, run);
  }
  close(ready[0]);
  waitpid(child, &status, 0);
  link.remove(name);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app("Latency against processor time of each wait strategy, as CSV");
  app.add_option("--rates", settings.rates, "messages a second")->delimiter(',')->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "length of each measurement")->check(CLI::PositiveNumber);
  app.add_option("--producer-cpu", settings.producer_cpu, "processor of the producer");
  app.add_option("--consumer-cpu", settings.consumer_cpu, "processor of the consumer");
  CLI11_PARSE(app, argc, argv);
  pin(settings.producer_cpu);
  std::cout << "strategy,rate,messages,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,cpu_ns,wall_ns,cpu_percent,sleeps,rescued"
            << std::endl;
  for (const std::uint64_t rate : settings.rates) {
    // At least ten messages besides the first, or the slowest rates say nothing.
    const auto count =
        std::max<std::uint64_t>(11, static_cast<std::uint64_t>(settings.seconds * static_cast<double>(rate)));
    for (const auto& [name, strategy] :
         {std::pair("spin", WaitStrategy::spin), std::pair("adaptive", WaitStrategy::adaptive),
          std::pair("sleep", WaitStrategy::sleep)}) {
      if (!measure(settings, {name, strategy, rate, count})) return 1;
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
