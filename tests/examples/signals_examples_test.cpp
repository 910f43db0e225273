// Each example that runs for long ends in order at SIGTERM: soon, with exit code 0, whatever it is waiting for.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "daemon.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

struct LongRun {
  std::vector<std::string> argv;
  bool stays_idle;  // it has nothing to do: the signal hits it while it waits
};

const std::string k_endless = "1000000000";

/// Each is one of the examples' programs with so much to do that it does not end by itself.
const std::vector<LongRun> k_long_runs{{{"hello_consumer"}, true},
                                       {{"hello_producer", k_endless}, true},  // until the ring is full
                                       {{"work_queue", "submit", k_endless}, true},
                                       {{"graceful_shutdown"}, true},
                                       {{"asio_server", k_endless}, false},
                                       {{"epoll_loop", k_endless}, false},
                                       {{"event_loop", k_endless}, false},
                                       {{"image_loan", k_endless}, false},
                                       {{"thread_pool", k_endless}, false}};

class LongRunning : public testing::TestWithParam<LongRun> {};

TEST_P(LongRunning, example_ends_at_sigterm) {
  const TestDaemon daemon;
  std::vector<std::string> argv = GetParam().argv;
  argv[0] = program(argv[0]);
  Child::Options options = daemon.client_options();
  options.standard_output = "/dev/null";
  auto child = Child::spawn(argv, options);
  const Connection link = Connection::open({.socket = daemon.socket()});
  // It handles the signal before it connects: who is attached is ready for it.
  EXPECT_TRUE(eventually([&] {
    const auto queues = link.list();
    return !queues.empty() && !link.describe(queues.front().name).endpoints.empty();
  }));
  std::this_thread::sleep_for(GetParam().stays_idle ? 200ms : 50ms);  // it is in the middle of what it does
  EXPECT_FALSE(child.poll()) << "it ended by itself";
  child.kill(SIGTERM);
  EXPECT_EQ(child.wait(10s), (Exit{.code = 0, .signal = 0}));
}

INSTANTIATE_TEST_SUITE_P(Examples, LongRunning, testing::ValuesIn(k_long_runs), [](const auto& run) {
  return run.param.argv[0] + (run.param.argv.size() > 2 ? "_" + run.param.argv[1] : "");
});

TEST(LongRunningWorker, a_worker_with_jobs_in_the_queue_ends_at_sigterm) {
  const TestDaemon daemon;
  const Connection link = Connection::open({.socket = daemon.socket()});
  auto out = link.declare("jobs", {.groups = {"workers"}}).producer();
  Child::Options options = daemon.client_options();
  options.standard_output = "/dev/null";
  auto child = Child::spawn({program("work_queue"), "work"}, options);
  std::atomic<bool> over = false;
  std::atomic<int> published = 0;
  std::jthread feeder([&] {  // it never has to wait for a job
    while (!over) published += out.publish_until("job", 10ms) == Status::ok ? 1 : 0;
  });
  EXPECT_TRUE(eventually([&] { return published > 2000; })) << "more than the ring holds";
  child.kill(SIGTERM);
  EXPECT_EQ(child.wait(10s), (Exit{.code = 0, .signal = 0}));
  over = true;
}

}  // namespace
}  // namespace beltway::test
