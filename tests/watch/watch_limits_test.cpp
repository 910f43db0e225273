// Watcher at its limits: many queues, few descriptors, queues of another user.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/watcher_options.hpp"
#include "watch/watcher.hpp"

namespace beltway::test {
namespace {

using watch::QueueView;
using watch::Watcher;

const QueueOptions k_tiny{.slots = 4, .lane_bytes = 0, .max_producers = 1, .max_consumers = 1, .max_groups = 1};

std::ptrdiff_t count_readable(const Watcher& watcher) {
  return std::ranges::count(watcher.fleet().queues, true, &QueueView::readable);
}

TEST(WatchLimits, a_thousand_queues_are_watched) {
  const TestDaemon daemon;
  const Connection connection = connect(daemon);
  for (int i = 0; i < 1000; ++i) static_cast<void>(connection.declare("q" + std::to_string(i), k_tiny));
  Watcher watcher(at(daemon.socket()));
  EXPECT_TRUE(eventually([&] {
    watcher.sample();
    return count_readable(watcher) == 1000;
  }));
  EXPECT_EQ(watcher.fleet().queues.size(), 1000U);
  EXPECT_LT(open_descriptors(::getpid()), 64U) << "a mapping keeps no descriptor";
}

TEST(WatchLimits, queues_beyond_the_limit_are_known_by_what_the_daemon_says) {
  const TestDaemon daemon;
  const Connection connection = connect(daemon);
  for (const char* name : {"a", "b", "c"}) static_cast<void>(connection.declare(name, k_tiny));
  watch::WatcherOptions options = at(daemon.socket());
  options.max_mapped = 2;
  Watcher watcher(options);
  watcher.sample();
  EXPECT_EQ(count_readable(watcher), 2);
  const auto& queues = watcher.fleet().queues;
  const auto rest = std::ranges::find(queues, false, &QueueView::readable);
  ASSERT_NE(rest, queues.end());
  EXPECT_EQ(rest->why_unreadable, "more than 2 queues are watched");
  EXPECT_EQ(rest->info.options.slots, 4U);
  // A place that comes free is used.
  connection.remove(std::ranges::find(queues, true, &QueueView::readable)->info.name);
  watcher.sample();
  EXPECT_EQ(count_readable(watcher), 2);
  EXPECT_EQ(watcher.fleet().queues.size(), 2U);
}

TEST(WatchLimits, a_full_descriptor_table_is_told_and_the_queues_that_are_open_go_on) {
  const TestDaemon daemon;
  const Connection connection = connect(daemon);
  auto out = connection.declare("open", k_tiny).producer();
  Watcher watcher(at(daemon.socket()));
  watcher.sample();
  static_cast<void>(connection.declare("later", k_tiny));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  const int lowest_free = ::dup(STDERR_FILENO);
  ASSERT_GE(lowest_free, 0);
  ::close(lowest_free);
  // Two are left: UndefinedBehaviorSanitizer makes a pipe when it looks at an exception. A queue needs more.
  few.rlim_cur = static_cast<rlim_t>(lowest_free) + 2;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  out.publish("x");
  watcher.sample();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  const auto& queues = watcher.fleet().queues;
  ASSERT_EQ(queues.size(), 2U);
  const auto later = std::ranges::find(queues, false, &QueueView::readable);
  ASSERT_NE(later, queues.end());
  EXPECT_NE(later->why_unreadable.find("no room for its"), std::string::npos) << later->why_unreadable;
  const auto open = std::ranges::find(queues, true, &QueueView::readable);
  ASSERT_NE(open, queues.end());
  EXPECT_EQ(open->position, 1U);
}

class WatchedByNobody : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  }
  /// Runs `body` as user 65534 with a watcher that has sampled once; its result.
  int as_nobody(const std::function<int(Watcher&)>& body) {
    return Child::fork([&] {
             if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             Watcher watcher(at(daemon_.socket().filename()));
             watcher.sample();
             return body(watcher);
           })
        .wait()
        .code;
  }
  void declare(const std::string& name, std::uint32_t mode) const {
    QueueOptions options = k_tiny;
    options.mode = mode;
    static_cast<void>(connect(daemon_).declare(name, options));
  }

  TestDaemon daemon_;
};

TEST_F(WatchedByNobody, another_user_does_not_see_a_queue_that_it_may_neither_read_nor_write) {
  declare("closed", 0600);
  EXPECT_EQ(as_nobody([](Watcher& watcher) { return static_cast<int>(watcher.fleet().queues.size()); }), 0);
}

TEST_F(WatchedByNobody, another_user_who_may_only_write_sees_what_the_daemon_says_and_why_no_more) {
  declare("inbox", 0602);
  EXPECT_EQ(as_nobody([](Watcher& watcher) {
              if (watcher.fleet().queues.size() != 1) return 1;
              const QueueView& view = watcher.fleet().queues[0];
              if (view.readable || view.info.options.slots != 4) return 2;
              if (watcher.detail("inbox")) return 3;
              return view.why_unreadable.find("inbox") == std::string::npos ? 4 : 0;
            }),
            0);
}

TEST_F(WatchedByNobody, another_user_who_may_read_sees_all) {
  declare("open", 0604);
  EXPECT_EQ(as_nobody([](Watcher& watcher) {
              const auto& queues = watcher.fleet().queues;
              return queues.size() == 1 && queues[0].readable && watcher.detail("open") ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace beltway::test
