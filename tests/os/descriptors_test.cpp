// What queues cost in file descriptors, what happens when there are none left, and when a program closes ours.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "daemon.hpp"
#include "os/fd.hpp"
#include "raw_client.hpp"
#include "watch.hpp"

namespace beltway::test {

using namespace beltway::os;

namespace {

using namespace std::chrono_literals;

const QueueOptions k_small{.slots = 4, .lane_bytes = 0, .max_producers = 2, .max_consumers = 4, .max_groups = 1};

/// Of a process; 0: this one.
std::size_t open_descriptors(pid_t process = 0) {
  const std::string name = process == 0 ? "self" : std::to_string(process);
  const std::filesystem::directory_iterator all("/proc/" + name + "/fd");
  return static_cast<std::size_t>(std::count_if(begin(all), end(all), [](const auto&) { return true; })) -
         (process == 0 ? 1 : 0);  // the iterator's own
}

/// Lowers the soft limit of open files while it lives.
class OpenFilesLimit {
 public:
  explicit OpenFilesLimit(rlim_t soft) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{soft, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  }
  OpenFilesLimit(const OpenFilesLimit&) = delete;
  OpenFilesLimit& operator=(const OpenFilesLimit&) = delete;
  ~OpenFilesLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Descriptors, descriptors_of_a_process_are_four_a_queue_and_two_more_an_endpoint_in_event_mode) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", k_small);
  const std::size_t before = open_descriptors();
  std::optional<Producer> out = queue.producer();
  EXPECT_EQ(open_descriptors(), before + k_descriptors_per_queue);
  std::optional<Consumer> in = queue.consumer();
  std::optional<Consumer> other = queue.consumer();
  EXPECT_EQ(open_descriptors(), before + k_descriptors_per_queue) << "endpoints of one queue share them";
  EXPECT_EQ(in->receive(1ms).status(), Status::timeout);
  EXPECT_EQ(open_descriptors(), before + k_descriptors_per_queue) << "a wait needs none";
  static_cast<void>(in->poll_fd());
  EXPECT_EQ(open_descriptors(), before + k_descriptors_per_queue + k_descriptors_per_event_endpoint);
  static_cast<void>(out->poll_fd());
  EXPECT_LE(open_descriptors(), before + 8);
  in.reset(), other.reset(), out.reset();
  EXPECT_EQ(open_descriptors(), before);
  queue.add_group("g");
  std::optional<Consumer> of_group = queue.consumer({.group = "g"});
  static_cast<void>(of_group->poll_fd());
  EXPECT_EQ(open_descriptors(), before + k_descriptors_per_queue + k_descriptors_per_event_group_consumer);
  of_group.reset();
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Descriptors, descriptors_that_run_out_or_are_closed_give_an_error_that_names_poll_fd) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", k_small);
  Consumer in = queue.consumer();
  Producer out = queue.producer();
  const auto text_of_error = [](const auto& call) { return std::string(test::error_of(call).what()); };
  // The limit ends with the call: what reads the error may need descriptors, as sanitizers do.
  const auto text_at_limit = [&](auto& endpoint) {
    return text_of_error([&endpoint] {
      const OpenFilesLimit limit(3);
      static_cast<void>(endpoint.poll_fd());
    });
  };
  const std::string consumers = text_at_limit(in);
  const std::string producers = text_at_limit(out);
  EXPECT_NE(consumers.find("poll_fd of a consumer of \"q\""), std::string::npos) << consumers;
  EXPECT_NE(consumers.find("endpoint whose poll_fd() was called"), std::string::npos) << consumers;
  EXPECT_NE(producers.find("poll_fd of a producer of \"q\""), std::string::npos) << producers;
  ASSERT_EQ(::close(in.poll_fd()), 0);
  const std::string closed = text_of_error([&] { (void)in.try_receive(); });
  EXPECT_NE(closed.find("do not close the descriptor of poll_fd()"), std::string::npos) << closed;
}

TEST(Descriptors, descriptors_for_a_hundred_queues_fit_a_process_that_may_have_1024) {
  const TestDaemon daemon;
  const OpenFilesLimit limit(1024);
  const Connection link = connect(daemon);
  std::vector<Producer> producers;
  std::vector<Consumer> consumers;
  for (int i = 0; i < 100; ++i) {
    const Queue queue = link.declare("q" + std::to_string(i), k_small);
    producers.push_back(queue.producer());
    consumers.push_back(queue.consumer());
    static_cast<void>(consumers.back().poll_fd());
  }
  for (Producer& out : producers) out.publish("x");
  for (Consumer& in : consumers) EXPECT_EQ(in.receive(20s)->text(), "x");
}

TEST(Descriptors, descriptors_that_have_run_out_are_added_up_and_the_queue_is_named) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", k_small);
  Consumer in = queue.consumer();
  const auto expect_told = [](const Error& error, const std::string& object, std::size_t limit) {
    const std::string what = error.what();
    EXPECT_EQ(error.reason(), Errc::limit_reached);
    for (const std::string& part : {object, std::to_string(limit), std::string("Beltway keeps 4 for each queue"),
                                    std::string("RLIMIT_NOFILE"), std::string("the hard limit is ")}) {
      EXPECT_NE(what.find(part), std::string::npos) << part << " is missing in: " << what;
    }
  };
  const Queue second = link.declare("second", k_small);
  {
    const OpenFilesLimit limit(64);
    std::vector<Fd> others;
    do others.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    while (others.back());
    others.pop_back();
    const Error no_bells = error_of([&] { static_cast<void>(in.poll_fd()); });
    others.resize(others.size() - 5);  // ring and control, and not all of the bells
    const Error no_endpoint = error_of([&] { static_cast<void>(second.producer()); });
    others.clear();
    expect_told(no_bells, "\"orders\"", 64);
    expect_told(no_endpoint, "\"second\"", 64);
  }
  EXPECT_NO_THROW(static_cast<void>(second.producer())) << "the place was given back, and the connection made anew";
  EXPECT_GE(in.poll_fd(), 0) << "asked again when there is room";
}

TEST(Descriptors, descriptors_of_a_thousand_queues_fit_the_daemon_at_the_limits_of_debian) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 8192) GTEST_SKIP() << "the hard limit here is " << limit.rlim_max;
  std::optional<OpenFilesLimit> soft(1024);  // which the daemon inherits
  TestDaemon daemon;
  soft.reset();
  const Connection link = connect(daemon);
  const std::size_t before = open_descriptors(daemon.process().pid());
  for (int i = 0; i < 1000; ++i) static_cast<void>(link.declare("q" + std::to_string(i), k_small));
  EXPECT_LE(open_descriptors(daemon.process().pid()) - before, 12 * 1000U);
  Producer out = link.open_queue("q999").producer();
  Consumer in = link.open_queue("q999").consumer();
  out.publish("x");
  EXPECT_EQ(in.receive(20s)->text(), "x");
}

/// In a process that closes whatever it does not know and then has files of its own at those numbers.
int publish_after_closefrom(const TestDaemon& daemon) {
  const std::string folder = daemon.dir().path().string();
  std::optional<Connection> link = connect(daemon);
  std::optional<Producer> out = link->open_queue("q").producer();
  std::optional<Consumer> in = link->open_queue("q").consumer();
  static_cast<void>(in->poll_fd());
  EventLoop loop;
  const int end = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::closefrom(3);
  std::vector<int> files;
  for (int i = 3; i < end + 1; ++i) {
    files.push_back(::open((folder + "/file" + std::to_string(i)).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (files.back() != i) return 1;
  }
  // Somebody sleeps in event mode, somebody in a blocking call.
  for (int i = 0; i < 2; ++i) out->publish("x");
  in->interrupt();
  loop.stop();
  if (in->receive(20s)->text() != "x") return 2;
  in.reset();
  out.reset();
  link.reset();
  for (const int file : files) {
    if (::lseek(file, 0, SEEK_END) != 0) return 3;  // written to, or closed
  }
  return 0;
}

TEST(Descriptors, descriptors_that_a_program_closed_are_neither_written_to_nor_closed_again) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", k_small);
  Consumer looper = queue.consumer();
  Consumer sleeper = queue.consumer();
  static_cast<void>(looper.poll_fd());
  EXPECT_EQ(looper.try_receive().status(), Status::empty);
  Child careless = Child::fork([&] { return publish_after_closefrom(daemon); });
  EXPECT_EQ(sleeper.receive(20s)->text(), "x") << "a blocking call needs no descriptor of anybody";
  EXPECT_EQ(careless.wait().code, 0);
  EXPECT_EQ(looper.try_receive()->text(), "x");
}

}  // namespace
}  // namespace beltway::test
