#include "staged_troubles.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "beltway/beltway.hpp"
#include "client/attach.hpp"
#include "client/session.hpp"
#include "wire/options_schema.hpp"
#include "wire/protocol.hpp"

namespace beltway::test {

namespace {

using namespace std::chrono_literals;

/// What an actor knows of its stage.
struct Scene {
  std::string socket;
  std::string queue;

  [[nodiscard]] Connection connect() const { return Connection::open({.socket = socket, .start_daemon = false}); }
  [[nodiscard]] Queue open() const { return connect().open_queue(queue); }
};

Scene scene_of(const TestDaemon& daemon, const std::string& queue) { return {daemon.socket().string(), queue}; }

Queue declare(const Scene& scene, QueueOptions options) { return scene.connect().declare(scene.queue, options); }

QueueOptions small_ring(std::uint32_t slots = 16) {
  return {.slots = slots, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .groups = {"g"}};
}

bool is_stopped(pid_t pid) {
  return read_file("/proc/" + std::to_string(pid) + "/stat").find(") T ") != std::string::npos;
}

void require(const std::function<bool()>& condition, const char* what) {
  if (!eventually(condition)) throw std::runtime_error(std::string("a trouble cannot be staged: ") + what);
}

/// Takes `messages`, stops itself while it holds them, and works on as usual when it is continued.
int hold_and_stop(const Scene& scene, std::size_t messages) {
  auto in = scene.open().consumer({.group = "g"});
  std::vector<Message> held;
  while (held.size() < messages) held.push_back(std::move(*in.receive()));
  ::raise(SIGSTOP);
  for (Message& each : held) each.ack();
  held.clear();
  while (auto message = in.receive()) message->ack();
  return 0;
}

/// Publishes until a publish had to wait, and then no more, but stays attached.
int publish_until_it_waited(const Scene& scene, std::size_t bytes) {
  auto out = scene.open().producer();
  const std::string message(bytes, 'x');
  while (out.try_publish(message) == Status::ok) continue;
  out.publish(message);
  ::pause();
  return 0;
}

int publish_steadily(const Scene& scene, std::chrono::milliseconds pause) {
  auto out = scene.open().producer();
  for (;;) {
    out.publish("steady");
    std::this_thread::sleep_for(pause);
  }
}

int consume(const Scene& scene, std::chrono::milliseconds time_for_each) {
  auto in = scene.open().consumer({.group = "g"});
  while (auto message = in.receive()) {
    std::this_thread::sleep_for(time_for_each);
    message->ack();
  }
  return 0;
}

std::uint64_t depth(const Queue& queue) { return queue.snapshot().groups.at(0).depth; }

void wait_for_sleeping_producer(const Queue& queue) {
  require(
      [&queue] {
        const QueueSnapshot snapshot = queue.snapshot();
        return !snapshot.producers.empty() && snapshot.producers[0].sleep == SleepState::asleep;
      },
      "no producer waits");
}

StagedTrouble stage_full_ring_by_stopped_consumer(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  queue.producer().publish("held");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return hold_and_stop(scene, 1); }));
  require([&] { return is_stopped(staged.actors[0].pid()); }, "no consumer is stopped");
  staged.actors.push_back(Child::fork([scene] { return publish_until_it_waited(scene, 1); }));
  wait_for_sleeping_producer(queue);
  return staged;
}

StagedTrouble stage_full_lane(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring(64));
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return publish_until_it_waited(scene, 1000); }));
  wait_for_sleeping_producer(queue);
  return staged;
}

StagedTrouble stage_group_without_consumer(const TestDaemon& daemon, const std::string& name) {
  const Queue queue = declare(scene_of(daemon, name), small_ring());
  auto out = queue.producer();
  for (int i = 0; i < 10; ++i) out.publish("kept");
  return {};
}

StagedTrouble stage_paused_group(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  queue.pause_group("g");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return consume(scene, 0ms); }));
  staged.actors.push_back(Child::fork([scene] { return publish_until_it_waited(scene, 1); }));
  wait_for_sleeping_producer(queue);
  return staged;
}

StagedTrouble stage_open_claim(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return consume(scene, 0ms); }));
  staged.actors.push_back(Child::fork([scene] {
    auto out = scene.open().producer();
    out.publish(8, [](std::span<std::byte>) { ::raise(SIGSTOP); });
    ::pause();
    return 0;
  }));
  require([&] { return is_stopped(staged.actors[1].pid()); }, "no producer is stopped");
  return staged;
}

StagedTrouble stage_growing_lag(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  static_cast<void>(declare(scene, small_ring(4096)));
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return consume(scene, 200ms); }));
  staged.actors.push_back(Child::fork([scene] { return publish_steadily(scene, 10ms); }));
  return staged;
}

StagedTrouble stage_poison_message(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  queue.producer().publish("poison");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    auto in = scene.open().consumer({.group = "g"});
    while (auto message = in.receive()) message->nack();
    return 0;
  }));
  require([&] { return queue.snapshot().consumers.size() == 1 && queue.snapshot().consumers[0].counters.nacks > 5; },
          "nothing is delivered again");
  return staged;
}

StagedTrouble stage_retries(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  QueueOptions options = small_ring(256);
  options.retry_delay_max = 100ms;
  const Queue queue = declare(scene, options);
  auto out = queue.producer();
  for (int i = 0; i < 40; ++i) out.publish("bad");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    auto in = scene.open().consumer({.group = "g"});
    while (auto message = in.receive()) message->nack();
    return 0;
  }));
  return staged;
}

StagedTrouble stage_dead_letters(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  // Large enough that the dead letters of a slow machine do not fill it.
  const std::string failed = name + ".failed";
  static_cast<void>(scene.connect().declare(failed, {.slots = 1U << 16, .groups = {"operators"}}));
  // Large, too: while the group is paused, its lag grows.
  QueueOptions options = small_ring(1U << 14);
  options.dead_letter = failed;
  static_cast<void>(declare(scene, options));
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    auto in = scene.open().consumer({.group = "g"});
    while (auto message = in.receive()) message->reject();
    return 0;
  }));
  staged.actors.push_back(Child::fork([scene] { return publish_steadily(scene, 50ms); }));
  return staged;
}

StagedTrouble stage_eviction(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  QueueOptions options = small_ring();
  options.evict_after = 20ms;
  const Queue queue = declare(scene, options);
  queue.producer().publish("held");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return hold_and_stop(scene, 1); }));
  require([&] { return is_stopped(staged.actors[0].pid()); }, "no consumer is stopped");
  staged.actors.push_back(Child::fork([scene] { return publish_until_it_waited(scene, 1); }));
  require(
      [&] {
        const auto endpoints = queue.describe().endpoints;
        return std::ranges::any_of(endpoints, [](const EndpointInfo& each) { return each.evicted; });
      },
      "no consumer is evicted");
  staged.actors.push_back(Child::fork([scene] { return consume(scene, 0ms); }));
  require([&] { return depth(queue) == 0; }, "the other consumer gets nothing");
  return staged;
}

/// A producer whose process writes over the sizes of its messages.
int scribble(const Scene& scene) {
  const QueueInfo info = scene.connect().describe(scene.queue);
  const auto session =
      std::make_shared<client::Session>(ConnectionOptions{.socket = scene.socket, .start_daemon = false});
  const endpoint::Attachment attachment = client::attach_endpoint(
      session, {info.name, info.id, wire::geometry_of(info.options)}, {.role = wire::Role::producer}, {});
  auto out = scene.open().producer();
  for (std::uint64_t position = 0;; position += 2) {
    out.publish("good");
    out.publish("bad");
    attachment.memory.slot(position + 1).meta.store_relaxed(~std::uint64_t{0});
    std::this_thread::sleep_for(100ms);
  }
}

StagedTrouble stage_corrupt_messages(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  static_cast<void>(declare(scene, small_ring()));
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return consume(scene, 20ms); }));
  staged.actors.push_back(Child::fork([scene] { return scribble(scene); }));
  return staged;
}

StagedTrouble stage_parked_job(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  queue.producer().publish("long job");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return hold_and_stop(scene, 1); }));
  require([&] { return is_stopped(staged.actors[0].pid()); }, "no consumer is stopped");
  staged.actors.push_back(Child::fork([scene] { return consume(scene, 0ms); }));
  staged.actors.push_back(Child::fork([scene] { return publish_steadily(scene, 20ms); }));
  require([&] { return queue.snapshot().groups.at(0).parked == 1; }, "the job is not parked");
  return staged;
}

StagedTrouble stage_stopped_consumer(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  static_cast<void>(declare(scene, small_ring()));
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return hold_and_stop(scene, 0); }));
  require([&] { return is_stopped(staged.actors[0].pid()); }, "no consumer is stopped");
  return staged;
}

StagedTrouble stage_few_descriptors(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    auto out = scene.open().producer();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto folder = std::filesystem::directory_iterator("/proc/self/fd");
    // The folder's own descriptor is closed again: as many as are open now.
    limit.rlim_cur = static_cast<rlim_t>(std::distance(begin(folder), end(folder)) - 1);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    out.publish("ready");
    ::pause();
    return 0;
  }));
  require([&] { return queue.snapshot().position == 1; }, "no producer is ready");
  return staged;
}

}  // namespace

const std::vector<TroubleKind>& trouble_kinds() {
  static const std::vector<TroubleKind> kinds{
      {"full_ring_by_stopped_consumer", "ring_full_by_consumer", true, &stage_full_ring_by_stopped_consumer},
      {"full_lane", "lane_full_by_group_without_consumer", true, &stage_full_lane},
      {"group_without_consumer", "group_without_consumer", true, &stage_group_without_consumer},
      {"full_ring_by_paused_group", "ring_full_by_paused_group", true, &stage_paused_group},
      {"open_claim", "claim_not_finished", true, &stage_open_claim},
      {"growing_lag", "lag_grows", true, &stage_growing_lag},
      {"poison_message", "poison_message", true, &stage_poison_message},
      {"many_retries", "retries_grow", true, &stage_retries},
      {"dead_letters", "dead_letters_grow", true, &stage_dead_letters},
      {"evicted_consumer", "evicted_endpoint", true, &stage_eviction},
      {"corrupt_messages", "corrupt_messages", true, &stage_corrupt_messages},
      {"parked_job", "parked", true, &stage_parked_job},
      {"stopped_consumer", "consumer_stopped", true, &stage_stopped_consumer},
      {"few_descriptors", "descriptors_low", false, &stage_few_descriptors},
  };
  return kinds;
}

namespace {

/// Sends `pieces` messages at once, and rests.
int publish_in_bursts(const Scene& scene, int pieces, std::chrono::milliseconds rest) {
  auto out = scene.open().producer();
  for (;;) {
    for (int i = 0; i < pieces; ++i) out.publish("burst");
    std::this_thread::sleep_for(rest);
  }
}

/// Stops and continues the process again and again, for less than a second each time.
int stop_now_and_then(pid_t pid) {
  for (;;) {
    std::this_thread::sleep_for(1500ms);
    ::kill(pid, SIGSTOP);
    std::this_thread::sleep_for(500ms);
    ::kill(pid, SIGCONT);
  }
}

/// Keeps a worker that is killed each few seconds and started again.
int restart_now_and_then(const Scene& scene) {
  for (;;) {
    Child worker = Child::fork([&scene] {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      return consume(scene, 5ms);
    });
    std::this_thread::sleep_for(3s);
    worker.kill();
    worker.wait();
    std::this_thread::sleep_for(300ms);
  }
}

}  // namespace

StagedTrouble stage_healthy_load(const TestDaemon& daemon) {
  StagedTrouble load;
  const auto add = [&load](const std::function<int()>& body) { load.actors.push_back(Child::fork(body)); };
  const auto make = [&daemon](const std::string& name, std::uint32_t slots) {
    const Scene scene = scene_of(daemon, name);
    QueueOptions options = small_ring(slots);
    options.max_consumers = 8;
    static_cast<void>(declare(scene, options));
    return scene;
  };
  const Scene steady = make("steady", 256);
  add([steady] { return publish_steadily(steady, 5ms); });
  add([steady] { return consume(steady, 0ms); });
  const Scene bursts = make("bursts", 1024);
  add([bursts] { return publish_in_bursts(bursts, 300, 2s); });
  add([bursts] { return consume(bursts, 2ms); });
  const Scene slow = make("slow", 256);
  add([slow] { return publish_steadily(slow, 60ms); });
  add([slow] { return consume(slow, 30ms); });
  // Workers that hold a job for seconds; there are enough of them.
  const Scene jobs = make("jobs", 64);
  add([jobs] { return publish_steadily(jobs, 1s); });
  for (int i = 0; i < 5; ++i) add([jobs] { return consume(jobs, 3s); });
  const Scene stops = make("stops", 1024);
  add([stops] { return publish_steadily(stops, 20ms); });
  add([stops] { return consume(stops, 0ms); });
  const pid_t stopped = load.actors.back().pid();
  add([stopped] { return stop_now_and_then(stopped); });
  const Scene restarts = make("restarts", 1024);
  add([restarts] { return publish_steadily(restarts, 50ms); });
  add([restarts] { return restart_now_and_then(restarts); });
  return load;
}

}  // namespace beltway::test
