// The examples in C do what they say, each against a daemon of its own.
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "beltway/connection.hpp"
#include "daemon.hpp"

namespace beltway::test {
namespace {

Outcome run_example(const TestDaemon& daemon, const std::string& name, const std::string& argument = "") {
  std::vector<std::string> command{program("c/" + name)};
  if (!argument.empty()) command.push_back(argument);
  return run(command, daemon.client_options());
}

TEST(CExamples, c_hello_consumer_prints_what_c_hello_producer_says_until_ctrl_c) {
  const TestDaemon daemon;
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "heard";
  auto consumer = Child::spawn({program("c/hello_consumer")}, options);
  EXPECT_EQ(run_example(daemon, "hello_producer", "5").out, "sent 5 messages\n");
  const auto heard = [&] { return read_file(options.standard_output); };
  EXPECT_TRUE(eventually([&] { return heard().ends_with("hello 5\n"); })) << heard();
  consumer.kill(SIGINT);
  EXPECT_TRUE(consumer.wait().ok());
  EXPECT_EQ(heard(), "hello 1\nhello 2\nhello 3\nhello 4\nhello 5\nended: stopped\n");
}

TEST(CExamples, c_jobs_that_fail_for_good_are_read_in_the_dead_letter_queue) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "job_queue").out,
            "resize a.png: done\nnot a job: reason 1, deliveries 1\nbroken: reason 2, deliveries 3\n");
}

TEST(CExamples, c_properties_lead_an_answer_to_its_question) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "properties").out, "asked in en\nanswer to question 1: noon\n");
}

TEST(CExamples, c_image_loan_hands_over_whole_images) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "image_loan").out, "10 of 10 images arrived as drawn\n");
}

TEST(CExamples, c_event_loop_calls_back_until_nothing_is_left) {
  const TestDaemon daemon;
  const std::string out = run_example(daemon, "event_loop").out;
  EXPECT_NE(out.find("pipe says hello\n"), std::string::npos) << out;
  EXPECT_NE(out.find("order 7\norder 8\n"), std::string::npos) << out;
  EXPECT_NE(out.find("2 orders, then: end_of_stream\n"), std::string::npos) << out;
}

TEST(CExamples, c_epoll_loop_receives_beside_a_timer_and_ends_at_a_signal) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "epoll_loop", "3").out, "tick 1\ntick 2\ntick 3\n");
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "ticks";
  auto loop = Child::spawn({program("c/epoll_loop"), "1000000"}, options);
  // Its handlers are set before its first message.
  const Queue queue = Connection::open({.socket = daemon.socket()}).open_queue("c_events");
  const std::uint64_t before = queue.snapshot().position;
  EXPECT_TRUE(eventually([&] { return queue.snapshot().position > before; }));
  loop.kill(SIGTERM);
  EXPECT_TRUE(loop.wait().ok());
}

}  // namespace
}  // namespace beltway::test
