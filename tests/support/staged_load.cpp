// The healthy load of staged_troubles.hpp.
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "staged_troubles.hpp"
#include "staging.hpp"

namespace beltway::test {

namespace {

using namespace std::chrono_literals;
using namespace staging;

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
