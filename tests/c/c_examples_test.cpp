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

TEST(CExamples, c_broadcast_shows_all_messages_to_all_and_losses_to_lossy_consumers) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "broadcast").out,
            "first saw 10, lost 0\nsecond saw 10, lost 0\nfirst saw 10, lost 0\nsecond saw 10, lost 0\n"
            "tap saw 16, lost 4\na full queue answers: full\n");
}

TEST(CExamples, c_newest_value_ends_with_the_last_value_and_counts_what_it_skipped) {
  const TestDaemon daemon;
  const Outcome result = run_example(daemon, "newest_value");
  EXPECT_TRUE(result.exit.ok()) << result.err;
  EXPECT_TRUE(result.out.ends_with(", the last value is 2000\n")) << result.out;
}

TEST(CExamples, c_long_jobs_go_on_beside_short_ones) {
  const TestDaemon daemon;
  const Outcome result = run_example(daemon, "long_jobs");
  EXPECT_TRUE(result.out.starts_with("1000 jobs done, 9")) << result.out << result.err;
}

TEST(CExamples, c_resumed_import_stores_no_line_twice) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "resumed_import").out, "100 lines received, 60 not stored again\n");
}

TEST(CExamples, c_thread_pool_handles_each_job_once_and_ends_at_a_signal) {
  const TestDaemon daemon;
  EXPECT_EQ(run_example(daemon, "thread_pool").out, "sum: 50005000\n");
  auto pool = Child::spawn({program("c/thread_pool"), "1000000000"}, daemon.client_options());
  const Queue queue = Connection::open({.socket = daemon.socket()}).open_queue("c_pool");
  const std::uint64_t before = queue.snapshot().position;
  EXPECT_TRUE(eventually([&] { return queue.snapshot().position > before; }));
  pool.kill(SIGTERM);
  EXPECT_TRUE(pool.wait().ok());
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
