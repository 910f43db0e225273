// What staged troubles and the healthy load are made of: a queue of their own, and processes that work on it.
// Thread safety: functions of their arguments.
#pragma once

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "daemon.hpp"

namespace beltway::test::staging {

/// What an actor knows of its stage.
struct Scene {
  std::string socket;
  std::string queue;

  [[nodiscard]] Connection connect() const { return Connection::open({.socket = socket, .start_daemon = false}); }
  [[nodiscard]] Queue open() const { return connect().open_queue(queue); }
};

inline Scene scene_of(const TestDaemon& daemon, const std::string& queue) { return {daemon.socket().string(), queue}; }

inline Queue declare(const Scene& scene, QueueOptions options) { return scene.connect().declare(scene.queue, options); }

inline QueueOptions small_ring(std::uint32_t slots = 16) {
  return {.slots = slots, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .groups = {"g"}};
}

inline bool is_stopped(pid_t pid) {
  return read_file("/proc/" + std::to_string(pid) + "/stat").find(") T ") != std::string::npos;
}

inline void require(const std::function<bool()>& condition, const char* what) {
  if (!eventually(condition)) throw std::runtime_error(std::string("a trouble cannot be staged: ") + what);
}

/// Takes `messages`, stops itself while it holds them, and works on as usual when it is continued.
inline int hold_and_stop(const Scene& scene, std::size_t messages) {
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
inline int publish_until_it_waited(const Scene& scene, std::size_t bytes) {
  auto out = scene.open().producer();
  const std::string message(bytes, 'x');
  while (out.try_publish(message) == Status::ok) continue;
  out.publish(message);
  ::pause();
  return 0;
}

inline int publish_steadily(const Scene& scene, std::chrono::milliseconds pause) {
  auto out = scene.open().producer();
  for (;;) {
    out.publish("steady");
    std::this_thread::sleep_for(pause);
  }
}

inline int consume(const Scene& scene, std::chrono::milliseconds time_for_each) {
  auto in = scene.open().consumer({.group = "g"});
  while (auto message = in.receive()) {
    std::this_thread::sleep_for(time_for_each);
    message->ack();
  }
  return 0;
}

inline std::uint64_t depth(const Queue& queue) { return queue.snapshot().groups.at(0).depth; }

inline void wait_for_sleeping_producer(const Queue& queue) {
  require(
      [&queue] {
        const QueueSnapshot snapshot = queue.snapshot();
        return !snapshot.producers.empty() && snapshot.producers[0].sleep == SleepState::asleep;
      },
      "no producer waits");
}

}  // namespace beltway::test::staging
