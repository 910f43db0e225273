// What happens seldom, and what it costs: connecting, declaring, attaching; and a daemon that nobody asks anything.
//
// Starts a daemon of its own and prints one JSON object, times in ns. "First" is a process's first connection, which registers
// it for membarrier: each is made by a process of its own, with and without threads that run already. All other times are
// of one process that is connected. The daemon and its supervisor are watched while nobody asks them anything: memory,
// how often they ran (context switches) and for how long.
//
//   control_costs --seconds 10
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "harness/own_daemon.hpp"
#include "tool/bench/bench_clock.hpp"

namespace beltway::bench {
namespace {

using Json = nlohmann::ordered_json;
using Times = std::vector<std::uint64_t>;
using tool::now_ns;

constexpr unsigned k_first_connections = 30;
constexpr unsigned k_times = 300;
constexpr unsigned k_threads = 3;

template <class Call>
std::uint64_t time_of(Call&& call) {
  const std::uint64_t before_ns = now_ns();
  call();
  return now_ns() - before_ns;
}

Json to_json(Times times) {
  std::ranges::sort(times);
  const auto at = [&](double share) { return times[static_cast<std::size_t>(share * double(times.size() - 1))]; };
  return {{"median", at(0.5)}, {"p90", at(0.9)}, {"max", at(1)}, {"times", times.size()}};
}

Connection open(const OwnDaemon& daemon) {
  return Connection::open({.socket = daemon.socket(), .start_daemon = false});
}

/// In a process of its own, which has not been registered for anything yet; what it returns comes back through a pipe.
std::uint64_t in_new_process(const std::function<std::uint64_t()>& body) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("bench: pipe");
  const pid_t child = fork();
  if (child == 0) {
    std::uint64_t result = 0;
    try {
      result = body();
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
      _exit(1);
    }
    _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  close(ends[1]);
  std::uint64_t result = 0;
  const bool whole = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!whole) throw std::runtime_error("bench: a process failed");
  return result;
}

Json first_connection(const OwnDaemon& daemon, unsigned threads) {
  Times times;
  for (unsigned i = 0; i < k_first_connections; ++i) {
    times.push_back(in_new_process([&] {
      std::atomic<bool> stop = false;
      std::vector<std::jthread> others;
      for (unsigned j = 0; j < threads; ++j) {
        others.emplace_back([&] {
          while (!stop) usleep(1000);
        });
      }
      std::optional<Connection> link;
      const std::uint64_t ns = time_of([&] { link = open(daemon); });
      stop = true;
      return ns;
    }));
  }
  return to_json(times);
}

Json requests(const Connection& link) {
  Times declared, opened, produced, consumed, joined, detached;
  for (unsigned i = 0; i < k_times; ++i) {
    const std::string name = "bench/declared-" + std::to_string(i);
    declared.push_back(time_of([&] { static_cast<void>(link.declare(name)); }));
    opened.push_back(time_of([&] { static_cast<void>(link.open_queue(name)); }));
    link.remove(name);
  }
  const Queue queue = link.declare("bench/attached", {.groups = {"group"}});
  for (unsigned i = 0; i < k_times; ++i) {
    std::optional<Producer> out;
    std::optional<Consumer> in;
    produced.push_back(time_of([&] { out = queue.producer(); }));
    consumed.push_back(time_of([&] { in = queue.consumer(); }));
    in.reset();
    joined.push_back(time_of([&] { in = queue.consumer({.group = "group"}); }));
    in.reset();
    detached.push_back(time_of([&] { out.reset(); }));
  }
  link.remove("bench/attached");
  return {{"declare", to_json(declared)},
          {"open", to_json(opened)},
          {"attach_producer", to_json(produced)},
          {"attach_private_consumer", to_json(consumed)},
          {"attach_group_consumer", to_json(joined)},
          {"detach_producer", to_json(detached)}};
}

/// A number of /proc/PID/status.
std::uint64_t status_of(pid_t pid, const std::string& key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1));
  }
  return 0;
}

struct Ran {
  std::uint64_t times;
  std::uint64_t cpu_ns;
};
Ran ran(pid_t pid) {
  std::ifstream schedule("/proc/" + std::to_string(pid) + "/schedstat");
  std::uint64_t cpu_ns = 0;
  schedule >> cpu_ns;
  return {status_of(pid, "voluntary_ctxt_switches") + status_of(pid, "nonvoluntary_ctxt_switches"), cpu_ns};
}

/// Daemon and supervisor while nobody asks them anything.
Json idle(const OwnDaemon& daemon, pid_t pid, unsigned seconds) {
  usleep(500'000);  // what was asked last has been done
  const pid_t pids[] = {pid, daemon.supervisor_pid()};
  const Ran before[] = {ran(pids[0]), ran(pids[1])};
  sleep(seconds);
  Json json{{"seconds", seconds}};
  for (const int i : {0, 1}) {
    const Ran after = ran(pids[i]);
    json[i == 0 ? "daemon" : "supervisor"] = {{"rss_kib", status_of(pids[i], "VmRSS")},
                                              {"own_rss_kib", status_of(pids[i], "RssAnon")},
                                              {"wakeups", after.times - before[i].times},
                                              {"cpu_ns", after.cpu_ns - before[i].cpu_ns}};
  }
  return json;
}

Json measure(unsigned seconds) {
  const OwnDaemon daemon;
  Json json;
  json["first_connection_ns"] = {{"one_thread", first_connection(daemon, 0)},
                                 {"with_threads", first_connection(daemon, k_threads)}};
  const Connection link = open(daemon);
  const pid_t pid = link.ping().pid;
  json["idle_without_queues"] = idle(daemon, pid, seconds);
  json["connected_ns"] = requests(link);
  const Queue queue = link.declare("bench/idle", {.groups = {"group"}});
  const Producer out = queue.producer();
  const Consumer in = queue.consumer({.group = "group"});
  json["idle_with_an_attached_queue"] = idle(daemon, pid, seconds);
  return json;
}

}  // namespace
}  // namespace beltway::bench

int main(int argc, char** argv) try {
  unsigned seconds = 10;
  CLI::App app("What connecting, declaring and attaching cost, and what an idle daemon does, as JSON");
  app.add_option("--seconds", seconds, "to watch an idle daemon");
  CLI11_PARSE(app, argc, argv);
  std::cout << beltway::bench::measure(seconds).dump(2) << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
