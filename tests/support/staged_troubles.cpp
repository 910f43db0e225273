// The troubles. The load without any: staged_load.cpp.
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
#include "staged_orphan.hpp"
#include "staging.hpp"
#include "wire/options_schema.hpp"
#include "wire/protocol.hpp"

namespace beltway::test {

namespace {

using namespace std::chrono_literals;
using namespace staging;

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

/// Its worker takes a message and hangs; when that one has ended, it works itself, as one that a supervisor starts.
int hang_and_be_replaced(const Scene& scene) {
  Child worker = Child::fork([&scene]() -> int {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto in = scene.open().consumer({.group = "g"});
    const Result<Message> held = in.receive();
    for (;;) ::pause();
  });
  while (!worker.poll()) std::this_thread::sleep_for(10ms);
  return consume(scene, 0ms);
}

StagedTrouble stage_full_ring_by_hung_consumer(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  queue.producer().publish("held");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] { return hang_and_be_replaced(scene); }));
  require([&] { return queue.snapshot().groups.at(0).leased == 1; }, "no message is held");
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

StagedTrouble stage_missing_dead_letter_queue(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const std::string failed = name + ".failed";
  // A lane of the default size: the dead letters need a larger one.
  QueueOptions options{.slots = 16, .groups = {"g"}, .dead_letter = failed};
  static_cast<void>(
      scene.connect().declare(failed, {.slots = 16, .lane_bytes = 2 * options.lane_bytes, .groups = {"operators"}}));
  static_cast<void>(declare(scene, options));
  if (!daemon.tool({"remove", failed, "--force"}).exit.ok()) throw std::runtime_error("its target is not removed");
  return {};
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

/// A group that is removed while a consumer hangs and holds a message of it.
StagedTrouble stage_leaving_group(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  queue.producer().publish("held");
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    auto in = scene.open().consumer({.group = "g"});
    const Result<Message> held = in.receive();
    ::pause();
    return 0;
  }));
  require([&] { return queue.snapshot().groups.at(0).leased == 1; }, "no message is held");
  queue.remove_group("g");
  return staged;
}

/// A process that shares the memory of a consumer lives on after it.
StagedTrouble stage_kept_memory(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  static_cast<void>(declare(scene, small_ring()));
  StagedTrouble staged;
  staged.actors.push_back(stage_orphan(scene, 0));
  return staged;
}

/// The memory of the queue as a producer of this process maps it.
endpoint::Attachment map_as_producer(const Scene& scene) {
  const QueueInfo info = scene.connect().describe(scene.queue);
  const auto session =
      std::make_shared<client::Session>(ConnectionOptions{.socket = scene.socket, .start_daemon = false});
  return client::attach_endpoint(session, {info.name, info.id, wire::geometry_of(info.options)},
                                 {.role = wire::Role::producer}, {});
}

/// A process writes over the state of a slot that a reader still needs.
StagedTrouble stage_broken_words(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  const Queue queue = declare(scene, small_ring());
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    const endpoint::Attachment attachment = map_as_producer(scene);
    auto out = scene.open().producer();
    for (int i = 0; i < 5; ++i) out.publish("message");
    attachment.memory.slot(1).state.store_relaxed(~std::uint64_t{0});
    ::pause();
    return 0;
  }));
  require([&] { return queue.snapshot().broken != 0; }, "no word is broken");
  return staged;
}

/// A producer whose process writes over the sizes of its messages.
int scribble(const Scene& scene) {
  const endpoint::Attachment attachment = map_as_producer(scene);
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

StagedTrouble stage_stopped_producer(const TestDaemon& daemon, const std::string& name) {
  const Scene scene = scene_of(daemon, name);
  static_cast<void>(declare(scene, small_ring()));
  StagedTrouble staged;
  staged.actors.push_back(Child::fork([scene] {
    auto out = scene.open().producer();
    ::raise(SIGSTOP);
    ::pause();
    return 0;
  }));
  require([&] { return is_stopped(staged.actors[0].pid()); }, "no producer is stopped");
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
      {"full_ring_by_hung_consumer", "ring_full_by_consumer", true, &stage_full_ring_by_hung_consumer},
      {"full_lane", "lane_full_by_group_without_consumer", true, &stage_full_lane},
      {"group_without_consumer", "group_without_consumer", true, &stage_group_without_consumer},
      {"full_ring_by_paused_group", "ring_full_by_paused_group", true, &stage_paused_group},
      {"open_claim", "claim_not_finished", true, &stage_open_claim},
      {"growing_lag", "lag_grows", true, &stage_growing_lag},
      {"poison_message", "poison_message", true, &stage_poison_message},
      {"many_retries", "retries_grow", true, &stage_retries},
      {"dead_letters", "dead_letters_grow", true, &stage_dead_letters},
      {"missing_dead_letter_queue", "dead_letter_queue_missing", true, &stage_missing_dead_letter_queue},
      {"evicted_consumer", "evicted_endpoint", true, &stage_eviction},
      {"group_that_cannot_leave", "leaving_group", true, &stage_leaving_group},
      {"memory_kept_by_a_child", "orphan", true, &stage_kept_memory},
      {"broken_words", "broken_words", true, &stage_broken_words},
      {"corrupt_messages", "corrupt_messages", true, &stage_corrupt_messages},
      {"parked_job", "parked", true, &stage_parked_job},
      {"stopped_consumer", "consumer_stopped", true, &stage_stopped_consumer},
      {"stopped_producer", "producer_stopped", true, &stage_stopped_producer},
      {"few_descriptors", "descriptors_low", false, &stage_few_descriptors},
  };
  return kinds;
}

}  // namespace beltway::test
