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

long count(const std::string& text, const std::string& part) {
  long found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(CExamples, c_jobs_that_fail_come_again_after_a_pause_or_are_dropped) {
  const TestDaemon daemon;
  const std::string out = run_example(daemon, "failing_jobs").out;
  EXPECT_EQ(count(out, "broken, delivery "), 3) << out;
  EXPECT_EQ(count(out, "not a job, delivery 1: rejected\n"), 1) << out;
  EXPECT_LT(out.find("good, delivery 1: done\n"), out.find("broken, delivery 3")) << out;
  EXPECT_LT(out.find("server away, delivery 1: later\n"), out.find("server away, delivery 2: done\n")) << out;
  EXPECT_TRUE(out.ends_with("2 done, 2 dropped\n")) << out;
}

TEST(CExamples, c_work_queue_gives_each_job_to_one_worker_until_it_is_done_and_ends_at_a_signal) {
  const TestDaemon daemon;
  const auto start = [&](const std::string& name) {
    auto options = daemon.client_options();
    options.standard_output = daemon.dir().path() / name;
    return Child::spawn({program("c/work_queue"), "work"}, options);
  };
  auto one = start("one");
  auto two = start("two");
  EXPECT_TRUE(run({program("c/work_queue"), "submit", "100"}, daemon.client_options()).exit.ok());
  EXPECT_TRUE(one.wait().ok());  // when nothing came for a second
  EXPECT_TRUE(two.wait().ok());
  // What is still there (the workers may have left before the first job came) is done by a third.
  auto three = start("three");
  const Queue queue = Connection::open({.socket = daemon.socket()}).open_queue("c_work");
  queue.producer().publish("job 101");  // so that it is ready for the signal when all is done
  EXPECT_TRUE(eventually([&] { return queue.snapshot().groups.at(0).depth == 0; }));
  three.kill(SIGTERM);
  EXPECT_TRUE(three.wait().ok());
  std::string said;
  for (const char* const worker : {"one", "two", "three"}) said += read_file(daemon.dir().path() / worker);
  EXPECT_EQ(count(said, "failed job "), 10) << said;
  for (int i = 1; i <= 101; ++i) EXPECT_EQ(count(said, "done job " + std::to_string(i) + '\n'), 1) << i << said;
  EXPECT_EQ(run({program("c/work_queue")}, daemon.client_options()).exit.code, 2);
}

TEST(CExamples, c_worker_leaves_in_order_at_a_signal_and_the_rest_stays_for_another) {
  const TestDaemon daemon;
  auto options = daemon.client_options();
  options.standard_output = daemon.dir().path() / "first";
  auto first = Child::spawn({program("c/graceful_shutdown")}, options);
  const auto said_by = [&](const std::string& worker) { return read_file(daemon.dir().path() / worker); };
  const Connection link = Connection::open({.socket = daemon.socket()});
  Producer out = link.open_queue("c_shutdown", std::chrono::seconds(20)).producer();
  for (int i = 1; i <= 12; ++i) out.publish("job " + std::to_string(i));
  EXPECT_TRUE(eventually([&] { return count(said_by("first"), "done ") >= 3; }));
  first.kill(SIGTERM);
  EXPECT_TRUE(first.wait().ok());
  EXPECT_TRUE(said_by("first").ends_with("left in order\n")) << said_by("first");
  options.standard_output = daemon.dir().path() / "second";
  auto second = Child::spawn({program("c/graceful_shutdown")}, options);
  const auto done = [&] { return count(said_by("first") + said_by("second"), "done job "); };
  EXPECT_TRUE(eventually([&] { return done() == 12; })) << said_by("first") << said_by("second");
  second.kill(SIGINT);
  EXPECT_TRUE(second.wait().ok());
  EXPECT_EQ(done(), 12) << said_by("first") << said_by("second");
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
