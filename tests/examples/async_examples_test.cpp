// The asynchronous examples do what they say, each against a daemon of its own.
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "daemon.hpp"

namespace beltway::test {
namespace {

std::string run_example(const TestDaemon& daemon, const std::string& name) {
  const Outcome result = run({program(name)}, daemon.client_options());
  EXPECT_TRUE(result.exit.ok()) << result.out << result.err;
  return result.out;
}

long count(const std::string& text, const std::string& part) {
  long found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(AsyncExamples, callbacks_get_results_and_errors) {
  const TestDaemon daemon;
  const std::string said = run_example(daemon, "asio_callback");
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(count(said, "greeting " + std::to_string(i) + '\n'), 1) << said;
  EXPECT_EQ(count(said, "not sent: too large\n"), 1) << said;
  EXPECT_EQ(count(said, "no more: Operation canceled\n"), 1) << said;
}

TEST(AsyncExamples, futures_wait_time_out_and_are_cancelled) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "asio_future"), "nothing yet\nthe answer: forty-two\ncancelled: yes\n");
}

TEST(AsyncExamples, hundreds_of_coroutines_answer_every_request) {
  const TestDaemon daemon;
  const std::string said = run_example(daemon, "asio_server");
  EXPECT_EQ(count(said, "answer to request "), 3000);
  for (const int request : {0, 1, 1234, 2999}) {
    EXPECT_EQ(count(said, "answer to request " + std::to_string(request) + '\n'), 1) << request;
  }
}

TEST(AsyncExamples, one_loop_serves_a_timer_a_socket_and_two_queues) {
  const TestDaemon daemon;
  const std::string said = run_example(daemon, "event_loop");
  EXPECT_EQ(count(said, "hello over a socket\n"), 5) << said;
  EXPECT_GE(count(said, "tick "), 5) << said;
  EXPECT_NE(said.find("ended: stopped\n"), std::string::npos) << said;
}

TEST(AsyncExamples, a_pool_handles_every_job_once) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "thread_pool"), "sum: 50005000\n");
}

TEST(AsyncExamples, a_worker_told_to_leave_finishes_what_it_has_in_hand_and_leaves_the_rest) {
  const TestDaemon daemon;
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "first";
  auto first = Child::spawn({program("graceful_shutdown")}, options);
  const auto said_by = [&](const std::string& worker) { return read_file(daemon.dir().path() / worker); };
  // A tool call fails until the worker has declared the queue.
  const auto publish = [&](const std::string& job) { return daemon.tool({"pub", "long-jobs", job}).exit.ok(); };
  EXPECT_TRUE(eventually([&] { return publish("job 1"); }));
  for (int i = 2; i <= 12; ++i) EXPECT_TRUE(publish("job " + std::to_string(i)));
  EXPECT_TRUE(eventually([&] { return count(said_by("first"), "done ") >= 3; }));
  first.kill(SIGTERM);
  EXPECT_TRUE(first.wait().ok());
  EXPECT_NE(said_by("first").find("left in order\n"), std::string::npos) << said_by("first");
  // What is left is there for another, and nothing is done twice.
  options.standard_output = daemon.dir().path() / "second";
  auto second = Child::spawn({program("graceful_shutdown")}, options);
  EXPECT_TRUE(publish("job 13"));
  const auto done = [&] { return count(said_by("first") + said_by("second"), "done job "); };
  EXPECT_TRUE(eventually([&] { return done() == 13; })) << said_by("first") << said_by("second");
  second.kill(SIGINT);
  EXPECT_TRUE(second.wait().ok());
  EXPECT_EQ(done(), 13) << said_by("first") << said_by("second");
}

}  // namespace
}  // namespace beltway::test
