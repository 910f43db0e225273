// What waiting costs: one-way latency against the processor time of the consumer, for each wait strategy and several rates.
//
// A producer process sends at a fixed rate what a consumer process receives with a blocking receive. A message carries the
// time at which it was due, not at which it was sent, so that a late producer counts as latency (no coordinated
// omission). The consumer's processor time is that of its whole process, from the first message that counts to the last.
// Before and after each measurement the same two processes bounce a raw cache line, and the reader of the figures drops
// those whose two probes are not near. Needs a daemon ($BELTWAY_SOCKET, or the user's own) and a quiet machine. Writes
// CSV; wait_strategies.py makes medians and a table of it, wait_strategies.gp the picture:
//
//   wait_strategies --producer-cpu 0 --consumer-cpu 1 > runs.csv     # several times, >>
//   wait_strategies.py runs.csv > wait_strategies.csv && gnuplot wait_strategies.gp
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "tool/bench/bench_probe.hpp"

namespace {

using beltway::WaitStrategy;
namespace tool = beltway::tool;

constexpr std::uint64_t k_second_ns = 1'000'000'000;
/// The producer naps until this long before a message is due, then spins.
constexpr std::uint64_t k_nap_margin_ns = 1'000'000;
/// The first messages find everything cold, and the adaptive strategy without experience: they do not count. At low rates
/// they come faster, but far enough apart to be waited for asleep.
constexpr std::uint64_t k_warm_up = 50;
constexpr std::uint64_t k_warm_up_gap_ns = 20'000'000;

struct Settings {
  std::vector<std::uint64_t> rates = {1, 100, 10'000, 1'000'000};  // messages a second
  double seconds = 2;                                              // of each measurement
  std::uint64_t least_messages = 10;                               // or the slowest rates say nothing
  std::uint64_t rounds = 1;
  int producer_cpu = -1;
  int consumer_cpu = -1;
};

struct Run {
  const char* name;
  WaitStrategy strategy;
  std::uint64_t rate;
  std::uint64_t count;  // besides the warm-up
};

/// What the consumer tells its parent, through memory that they share.
struct Outcome {
  std::uint64_t percentiles_ns[5];  // 50, 90, 99, 99.9, 100
  std::uint64_t cpu_ns;
  std::uint64_t wall_ns;
  std::uint64_t sleeps;
  std::uint64_t rescued;
};
struct Shared {
  tool::BenchShared* bench;
  Outcome* outcome;
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

int consume(const Settings& settings, const Run& run, const std::string& queue_name, const Shared& shared) {
  pin(settings.consumer_cpu);
  auto in = beltway::Connection::open().open_queue(queue_name).consumer({.wait = run.strategy});
  std::vector<std::uint64_t> latencies_ns;
  latencies_ns.reserve(run.count);
  shared.bench->attached.value = 1;
  tool::answer_probe(*shared.bench);
  std::uint64_t begin_ns = 0;
  std::uint64_t cpu_before_ns = 0;
  std::uint64_t sleeps_before = 0;
  for (std::uint64_t i = 0; i < k_warm_up + run.count; ++i) {
    auto message = in.receive();
    if (!message) return 1;
    const std::uint64_t now = now_ns();
    std::uint64_t due_ns = 0;
    std::memcpy(&due_ns, message->bytes().data(), sizeof due_ns);
    if (i >= k_warm_up) latencies_ns.push_back(now - due_ns);
    if (i + 1 != k_warm_up) continue;
    begin_ns = now;
    cpu_before_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    sleeps_before = in.counters().sleeps;
  }
  Outcome& outcome = *shared.outcome;
  outcome.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_before_ns;
  outcome.wall_ns = now_ns() - begin_ns;
  outcome.sleeps = in.counters().sleeps - sleeps_before;
  outcome.rescued = in.counters().rescued;
  std::ranges::sort(latencies_ns);
  const auto last = static_cast<double>(latencies_ns.size() - 1);
  for (std::size_t i = 0; const double share : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    outcome.percentiles_ns[i++] = latencies_ns[static_cast<std::size_t>(share * last)];
  }
  tool::answer_probe(*shared.bench);
  return 0;
}

/// Returns how often it woke the consumer, the warm-up excepted.
std::uint64_t produce(beltway::Producer& out, const Run& run) {
  const std::uint64_t period_ns = k_second_ns / run.rate;
  std::uint64_t due_ns = now_ns() + k_second_ns / 100;
  std::uint64_t wakes_before = 0;
  for (std::uint64_t i = 0; i < k_warm_up + run.count; ++i) {
    if (i == k_warm_up) wakes_before = out.counters().wakes;
    wait_until(due_ns);
    out.publish(beltway::Bytes(&due_ns, sizeof due_ns));
    due_ns += i < k_warm_up ? std::min(period_ns, k_warm_up_gap_ns) : period_ns;
  }
  return out.counters().wakes - wakes_before;
}

void print(const Run& run, const Outcome& outcome, double before_ns, double after_ns, std::uint64_t wakes) {
  std::cout << run.name << ',' << run.rate << ',' << run.count;
  for (const std::uint64_t ns : outcome.percentiles_ns) std::cout << ',' << ns;
  std::cout << ',' << outcome.cpu_ns << ',' << outcome.wall_ns << ','
            << 100.0 * static_cast<double>(outcome.cpu_ns) / static_cast<double>(outcome.wall_ns) << ','
            << outcome.sleeps << ',' << wakes << ',' << outcome.rescued << ',' << before_ns << ',' << after_ns
            << std::endl;
}

bool measure(const Settings& settings, const Run& run, const Shared& shared) {
  const std::string name = "bench/wait_strategies-" + std::to_string(getpid());
  const auto link = beltway::Connection::open();
  const auto queue = link.declare(name, {.slots = 4096, .slot_bytes = 64, .lane_bytes = 0, .max_producers = 1});
  shared.bench->attached.value = 0;
  const pid_t child = fork();
  if (child == 0) {
    int code = 1;
    try {
      code = consume(settings, run, name, shared);
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
    }
    _exit(code);
  }
  auto out = queue.producer({.wait = WaitStrategy::spin});
  int status = 0;
  while (shared.bench->attached.value == 0) {
    if (waitpid(child, &status, WNOHANG) == child) return false;
    usleep(1000);
  }
  const double before_ns = tool::probe(*shared.bench);
  const std::uint64_t wakes = produce(out, run);
  const double after_ns = tool::probe(*shared.bench);
  waitpid(child, &status, 0);
  link.remove(name);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return false;
  print(run, *shared.outcome, before_ns, after_ns, wakes);
  return true;
}

Shared make_shared() {
  void* const memory =
      mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return {&tool::make_bench_shared(), static_cast<Outcome*>(memory)};
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app("Latency against processor time of each wait strategy, as CSV");
  app.add_option("--rates", settings.rates, "messages a second")->delimiter(',')->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "length of each measurement")->check(CLI::PositiveNumber);
  app.add_option("--producer-cpu", settings.producer_cpu, "processor of the producer");
  app.add_option("--consumer-cpu", settings.consumer_cpu, "processor of the consumer");
  app.add_option("--rounds", settings.rounds, "measurements of each, one strategy after the other");
  app.add_option("--least-messages", settings.least_messages, "of each measurement, also beyond --seconds");
  CLI11_PARSE(app, argc, argv);
  const Shared shared = make_shared();
  pin(settings.producer_cpu);
  std::cout
      << "strategy,rate,messages,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,cpu_ns,wall_ns,cpu_percent,sleeps,wakes,rescued,"
         "probe_before_ns,probe_after_ns"
      << std::endl;
  for (std::uint64_t round = 0; round < settings.rounds; ++round) {
    for (const std::uint64_t rate : settings.rates) {
      const auto wanted = static_cast<std::uint64_t>(settings.seconds * static_cast<double>(rate));
      for (const auto& [name, strategy] :
           {std::pair("spin", WaitStrategy::spin), std::pair("adaptive", WaitStrategy::adaptive),
            std::pair("sleep", WaitStrategy::sleep)}) {
        if (!measure(settings, {name, strategy, rate, std::max(settings.least_messages, wanted)}, shared)) return 1;
      }
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
