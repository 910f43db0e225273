// From publish to a running consumer that was asleep, against a bare eventfd that is waited for in the same way.
//
// Two processes, pinned, take turns through all ways to wait, one message each, round after round: so no way is measured at
// another time than its neighbours. The sender waits, spinning, until the receiver has been about to sleep for --gap; takes the
// time, sends; the receiver takes the time as soon as it has the message. Starts a daemon of its own; prints JSON.
//
//   wake_latency --sender-cpu 0 --receiver-cpu 1
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
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
#include "tool/bench/bench_probe.hpp"

namespace beltway::bench {
namespace {

using Json = nlohmann::ordered_json;
using tool::now_ns;

struct Settings {
  int sender_cpu = -1;
  int receiver_cpu = -1;
  unsigned rounds = 2000;
  std::uint64_t gap_ns = 200'000;
};

constexpr unsigned k_warm_up_rounds = 50;
/// The ways, in the order of their turns.
enum Way : unsigned { raw_read, raw_epoll, beltway_receive, raw_nested, beltway_events, k_ways };
constexpr const char* k_names[] = {"raw_eventfd_read", "raw_eventfd_epoll", "beltway_receive",
                                   "raw_eventfd_epoll_in_epoll", "beltway_fd_in_epoll"};
/// What each way of Beltway's is compared with.
constexpr Way k_raw_of[] = {raw_read, raw_epoll, raw_epoll, raw_nested, raw_nested};

struct Line {
  alignas(64) std::atomic<std::uint64_t> value{0};
};
/// What sender and receiver share besides the channels.
struct Page {
  Line asleep;  // receiver: turns of which it is about to sleep in the next one
  Line sent;    // sender, raw ways: the time at which it was sent, in place of a message
};

int checked(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string("bench: ") + what);
  return result;
}

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  checked(sched_setaffinity(0, sizeof set, &set), "cannot pin");
}

int epoll_on(int fd, std::uint32_t events) {
  const int epoll = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
  epoll_event event{};
  event.events = events;
  checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll");
  return epoll;
}

void wait_on(int epoll) {
  epoll_event event{};
  while (epoll_wait(epoll, &event, 1, -1) != 1) continue;
}

/// The raw channel: a word in shared memory and an eventfd, made before the fork.
struct Raw {
  int read_fd = checked(eventfd(0, EFD_CLOEXEC), "eventfd");
  int epoll_fd = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  int nested_fd = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
};

/// Takes the edge that a ring left, as a library does whose descriptor is an epoll itself.
void take_edge(int epoll) {
  epoll_event event{};
  epoll_wait(epoll, &event, 1, 0);
}

class Receiver {
 public:
  Receiver(Page& page, const Raw& raw, const std::string& socket)
      : page_(page),
        raw_(raw),
        link_(Connection::open({.socket = socket, .start_daemon = false})),
        sleeping_(link_.open_queue("bench/sleep").consumer({.wait = WaitStrategy::sleep})),
        events_(link_.open_queue("bench/events").consumer()),
        epoll_(epoll_on(raw.epoll_fd, EPOLLIN | EPOLLET)),
        inner_(epoll_on(raw.nested_fd, EPOLLIN | EPOLLET)),
        nested_(epoll_on(inner_, EPOLLIN)),
        loop_(epoll_on(events_.poll_fd(), EPOLLIN)) {}

  /// Sleeps until the message of `way` is there; returns how long it was on its way.
  std::uint64_t receive(Way way) {
    page_.asleep.value.fetch_add(1);
    const std::uint64_t sent_ns = way == beltway_receive  ? time_in(sleeping_.receive())
                                  : way == beltway_events ? receive_in_loop()
                                                          : receive_raw(way);
    return now_ns() - sent_ns;
  }

 private:
  static std::uint64_t time_in(Result<Message> message) {
    std::uint64_t sent_ns = 0;
    std::memcpy(&sent_ns, message->bytes().data(), sizeof sent_ns);
    return sent_ns;
  }
  std::uint64_t receive_in_loop() {
    for (;;) {
      if (Result<Message> message = events_.try_receive()) return time_in(std::move(message));
      wait_on(loop_);
    }
  }
  std::uint64_t receive_raw(Way way) {
    if (way == raw_read) {
      eventfd_t count = 0;
      checked(eventfd_read(raw_.read_fd, &count), "eventfd");
    } else if (way == raw_epoll) {
      wait_on(epoll_);
    } else {
      wait_on(nested_);
      take_edge(inner_);
    }
    return page_.sent.value.load(std::memory_order_acquire);  // pairs with the release in Sender::send()
  }

  Page& page_;
  const Raw& raw_;
  const Connection link_;
  Consumer sleeping_;
  Consumer events_;
  const int epoll_;
  const int inner_;
  const int nested_;
  const int loop_;
};

class Sender {
 public:
  Sender(Page& page, const Raw& raw, const Connection& link)
      : page_(page),
        raw_(raw),
        sleeping_(link.open_queue("bench/sleep").producer()),
        events_(link.open_queue("bench/events").producer()) {}

  void send(Way way) {
    const std::uint64_t now = now_ns();
    if (way == beltway_receive) {
      sleeping_.publish(Bytes(&now, sizeof now));
    } else if (way == beltway_events) {
      events_.publish(Bytes(&now, sizeof now));
    } else {
      page_.sent.value.store(now, std::memory_order_release);  // pairs with the acquire in receive_raw()
      checked(eventfd_write(way == raw_read    ? raw_.read_fd
                            : way == raw_epoll ? raw_.epoll_fd
                                               : raw_.nested_fd,
                            1),
              "eventfd");
    }
  }

 private:
  Page& page_;
  const Raw& raw_;
  Producer sleeping_;
  Producer events_;
};

/// Memory of both processes.
template <class T>
T* shared(std::size_t count) {
  void* const memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

std::uint64_t quantile(std::vector<std::uint64_t> times, double share) {
  std::ranges::sort(times);
  return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
}

Json to_json(const std::uint64_t* times_ns, const Settings& settings) {
  std::vector<std::uint64_t> of[k_ways];
  for (unsigned turn = k_warm_up_rounds * k_ways; turn < settings.rounds * k_ways; ++turn) {
    of[turn % k_ways].push_back(times_ns[turn]);
  }
  Json json;
  for (unsigned way = 0; way < k_ways; ++way) {
    const double p50 = static_cast<double>(quantile(of[way], 0.5));
    json[k_names[way]] = {{"p50", p50},
                          {"p90", quantile(of[way], 0.9)},
                          {"p99", quantile(of[way], 0.99)},
                          {"to_raw", p50 / static_cast<double>(quantile(of[k_raw_of[way]], 0.5))}};
  }
  return json;
}

/// The receiver's process; returns its exit code.
int receive_all(const Settings& settings, Page& page, const Raw& raw, const std::string& socket,
                tool::BenchShared& probes, std::uint64_t* times_ns) try {
  pin(settings.receiver_cpu);
  Receiver receiver(page, raw, socket);
  probes.attached.value = 1;
  tool::answer_probe(probes);
  for (unsigned turn = 0; turn < settings.rounds * k_ways; ++turn) {
    times_ns[turn] = receiver.receive(static_cast<Way>(turn % k_ways));
  }
  tool::answer_probe(probes);
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

Json measure(const Settings& settings) {
  const OwnDaemon daemon;
  tool::BenchShared& probes = tool::make_bench_shared();
  Page& page = *new (shared<Page>(1)) Page;
  auto* const times_ns = shared<std::uint64_t>(std::size_t{settings.rounds} * k_ways);
  const Raw raw;
  const Connection link = Connection::open({.socket = daemon.socket(), .start_daemon = false});
  for (const char* name : {"bench/sleep", "bench/events"}) {
    static_cast<void>(link.declare(name, {.slot_bytes = 64, .lane_bytes = 0, .max_producers = 1}));
  }
  const pid_t child = fork();
  if (child == 0) _exit(receive_all(settings, page, raw, daemon.socket(), probes, times_ns));
  pin(settings.sender_cpu);
  Sender sender(page, raw, link);
  int status = 0;
  while (probes.attached.value == 0) {
    if (waitpid(child, &status, WNOHANG) == child) throw std::runtime_error("bench: the receiver failed");
    usleep(1000);
  }
  const double before_ns = tool::probe(probes);
  for (unsigned turn = 0; turn < settings.rounds * k_ways; ++turn) {
    while (page.asleep.value.load() != turn + 1) continue;
    const std::uint64_t due_ns = now_ns() + settings.gap_ns;
    while (now_ns() < due_ns) continue;
    sender.send(static_cast<Way>(turn % k_ways));
  }
  const double after_ns = tool::probe(probes);
  waitpid(child, &status, 0);
  Json json{{"rounds", settings.rounds - k_warm_up_rounds},
            {"gap_ns", settings.gap_ns},
            {"raw_half_round_trip_ns", {before_ns, after_ns}}};
  json["wake_ns"] = to_json(times_ns, settings);
  return json;
}

}  // namespace
}  // namespace beltway::bench

int main(int argc, char** argv) try {
  beltway::bench::Settings settings;
  CLI::App app("From publish to a running consumer that was asleep, against a bare eventfd, as JSON");
  app.add_option("--rounds", settings.rounds, "messages of each way")->check(CLI::Range(100U, 1'000'000U));
  app.add_option("--gap-ns", settings.gap_ns, "how long the receiver has been asleep at least");
  app.add_option("--sender-cpu", settings.sender_cpu, "processor of the sender");
  app.add_option("--receiver-cpu", settings.receiver_cpu, "processor of the receiver");
  CLI11_PARSE(app, argc, argv);
  std::cout << beltway::bench::measure(settings).dump(2) << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
