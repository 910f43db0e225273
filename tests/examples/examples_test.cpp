// The examples do what they say, each against a daemon of its own.
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "daemon.hpp"

namespace beltway::test {
namespace {

Outcome run_example(const TestDaemon& daemon, const std::vector<std::string>& argv) {
  std::vector<std::string> command = argv;
  command[0] = program(argv[0]);
  return run(command, daemon.client_options());
}

long count(const std::string& text, const std::string& part) {
  long found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

void expect_done(const Outcome& result) { EXPECT_TRUE(result.exit.ok()) << result.out << result.err; }

TEST(Examples, hello_consumer_prints_what_hello_producer_says_until_ctrl_c) {
  const TestDaemon daemon;
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "heard";
  auto consumer = Child::spawn({program("hello_consumer")}, options);
  // Two producers, one after the other: the consumer goes on when the first has left.
  expect_done(run_example(daemon, {"hello_producer", "5"}));
  const auto heard = [&] { return read_file(options.standard_output); };
  EXPECT_TRUE(eventually([&] { return heard().ends_with("hello 5\n"); })) << heard();
  expect_done(run_example(daemon, {"hello_producer", "7"}));
  EXPECT_TRUE(eventually([&] { return heard().ends_with("hello 7\n"); })) << heard();
  consumer.kill(SIGINT);
  EXPECT_EQ(consumer.wait(), (Exit{.code = 0, .signal = 0}));
  EXPECT_EQ(count(heard(), "hello "), 12) << heard();
  EXPECT_NE(heard().find("ended: stopped"), std::string::npos) << heard();
}

TEST(Examples, jobs_that_fail_come_again_after_a_pause_or_are_dropped) {
  const TestDaemon daemon;
  const Outcome result = run_example(daemon, {"failing_jobs"});
  expect_done(result);
  EXPECT_EQ(count(result.out, "broken, delivery "), 3) << result.out;
  EXPECT_EQ(count(result.out, "not a job, delivery 1: rejected\n"), 1) << result.out;
  EXPECT_LT(result.out.find("good, delivery 1: done\n"), result.out.find("broken, delivery 3")) << result.out;
  EXPECT_LT(result.out.find("server away, delivery 1: later\n"), result.out.find("server away, delivery 2: done\n"));
  EXPECT_TRUE(result.out.ends_with("2 done, 2 dropped\n")) << result.out;
}

TEST(Examples, jobs_that_are_given_up_are_read_in_the_dead_letter_queue_with_their_reason) {
  const TestDaemon daemon;
  const Outcome result = run_example(daemon, {"job_queue"});
  expect_done(result);
  EXPECT_EQ(count(result.out, "resize a.png: done, delivery 2\n"), 1) << result.out;
  EXPECT_EQ(count(result.out, "not a job: rejected in job_queue/workers after 1 deliveries\n"), 1) << result.out;
  EXPECT_EQ(count(result.out, "broken: too_many_deliveries in job_queue/workers after 3 deliveries\n"), 1)
      << result.out;
}

TEST(Examples, long_job_stops_neither_workers_nor_producer) {
  const TestDaemon daemon;
  const Outcome result = run_example(daemon, {"long_jobs"});
  expect_done(result);
  EXPECT_TRUE(result.out.starts_with("1000 jobs done, 9")) << result.out;
}

TEST(Examples, resumed_import_stores_no_line_twice) {
  const TestDaemon daemon;
  const Outcome result = run_example(daemon, {"resumed_import"});
  expect_done(result);
  EXPECT_EQ(result.out, "100 lines received, 60 not stored again\n");
}

TEST(Examples, hello_producer_finds_its_consumer_later) {
  const TestDaemon daemon;
  expect_done(run_example(daemon, {"hello_producer", "3"}));
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "heard";
  auto consumer = Child::spawn({program("hello_consumer")}, options);
  EXPECT_TRUE(eventually([&] { return read_file(options.standard_output).ends_with("hello 3\n"); }));
  consumer.kill(SIGTERM);
  EXPECT_TRUE(consumer.wait().ok());
}

TEST(Examples, the_properties_server_answers_each_question_where_it_was_asked) {
  const TestDaemon daemon;
  auto server = Child::spawn({program("properties"), "serve"}, daemon.client_options());
  const Outcome one = run_example(daemon, {"properties", "ask", "who", "what"});
  expect_done(one);
  EXPECT_EQ(one.out, "0: you asked: who\n1: you asked: what\n");
  EXPECT_EQ(run_example(daemon, {"properties", "ask", "when"}).out, "0: you asked: when\n");
  server.kill(SIGTERM);
  EXPECT_TRUE(server.wait().ok());
}

TEST(Examples, the_work_queue_gives_each_job_to_one_worker_until_it_is_done) {
  const TestDaemon daemon;
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "one";
  auto one = Child::spawn({program("work_queue"), "work"}, options);
  options.standard_output = daemon.dir().path() / "two";
  auto two = Child::spawn({program("work_queue"), "work"}, options);
  expect_done(run_example(daemon, {"work_queue", "submit", "100"}));
  EXPECT_TRUE(one.wait().ok());
  EXPECT_TRUE(two.wait().ok());
  // What is still there (the workers may have left before the first job came) is done by a third.
  const auto rest = run_example(daemon, {"work_queue", "work"});
  expect_done(rest);
  const auto log = read_file(daemon.dir().path() / "one") + read_file(daemon.dir().path() / "two") + rest.out;
  EXPECT_EQ(count(log, "done job "), 100) << log;
  EXPECT_EQ(count(log, "failed job "), 10) << log;
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(count(log, "done job " + std::to_string(i) + '\n'), 1) << i;
}

TEST(Examples, broadcast_shows_all_messages_to_all_and_losses_to_lossy_consumers) {
  const TestDaemon daemon;
  const auto result = run_example(daemon, {"broadcast"});
  expect_done(result);
  EXPECT_EQ(count(result.out, "first saw 10, lost 0\n"), 2) << result.out;
  EXPECT_EQ(count(result.out, "second saw 10, lost 0\n"), 2) << result.out;
  EXPECT_NE(result.out.find("tap saw 16, lost 4\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("a full queue answers: full\n"), std::string::npos) << result.out;
}

TEST(Examples, newest_value_skips_what_the_display_is_too_slow_for_and_ends_with_the_last_value) {
  const TestDaemon daemon;
  const auto result = run_example(daemon, {"newest_value"});
  expect_done(result);
  EXPECT_NE(result.out.find(", the last value is 2000\n"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("skipped 0,"), std::string::npos) << result.out;
}

TEST(Examples, image_loan_hands_over_whole_images) {
  const TestDaemon daemon;
  const auto result = run_example(daemon, {"image_loan"});
  expect_done(result);
  EXPECT_EQ(result.out, "30 of 30 images arrived as drawn\n");
}

TEST(Examples, epoll_loop_receives_beside_a_timer) {
  const TestDaemon daemon;
  const auto result = run_example(daemon, {"epoll_loop"});
  expect_done(result);
  EXPECT_EQ(count(result.out, "tick "), 10) << result.out;
}

TEST(Examples, typed_messages_arrive_and_other_types_are_refused) {
  const TestDaemon daemon;
  const auto result = run_example(daemon, {"typed_messages"});
  expect_done(result);
  EXPECT_NE(result.out.find("3: 30 at 101.5\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("refused: open \"ticks\""), std::string::npos) << result.out;
}

TEST(Examples, examples_name_the_remedy_when_no_daemon_answers) {
  const TempDir dir;
  const auto result = run({program("hello_producer")}, {.environment = {{"BELTWAY_SOCKET", dir.socket()}}});
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_NE(result.err.find(dir.socket().string()), std::string::npos) << result.err;
}

}  // namespace
}  // namespace beltway::test
