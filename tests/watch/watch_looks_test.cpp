// How often a queue in trouble is looked at in full, and what is told nevertheless. The time is made up: nothing waits.
#include <gtest/gtest.h>

#include <optional>

#include "beltway/beltway.hpp"
#include "client/attach.hpp"
#include "client/queries.hpp"
#include "client/session.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "watch/watched_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using watch::QueueView;
using watch::SampleTime;

class LooksTest : public testing::Test {
 protected:
  LooksTest() {
    out_ = queue_.producer();
    while (out_->try_publish("x") == Status::ok) continue;
    client::Session session({.socket = daemon_.socket(), .start_daemon = false});
    auto described = client::list_queues(session, Until(10s));
    watched_.emplace(described.at(0), watch::WatcherOptions{});
    watched_->describe(std::move(described.at(0)), view_);
    watched_->open(client::attach_inspector(session, watched_->queue_name()));
  }

  /// Samples as a watcher does, with this pause, for `time`. Returns the number of full looks.
  unsigned sample(std::chrono::nanoseconds pause, std::chrono::nanoseconds time) {
    unsigned looks = 0;
    for (const auto end = time_.monotonic + time; time_.monotonic < end; time_.monotonic += pause) {
      watched_->read(time_, view_);
      if (watched_->is_unknown() || watched_->is_overdue(time_) || watched_->is_suspicious(time_, view_)) {
        watched_->look(time_, view_);
        ++looks;
      } else {
        watched_->judge(time_, view_);
      }
    }
    return looks;
  }

  TestDaemon daemon_;
  Queue queue_ = connect(daemon_).declare("full", {.slots = 4, .groups = {"billing"}});
  std::optional<Producer> out_;
  std::optional<watch::WatchedQueue> watched_;
  QueueView view_;
  SampleTime time_ = SampleTime::now();
};

TEST_F(LooksTest, queue_in_trouble_is_looked_at_in_full_once_a_second_and_its_verdict_stays) {
  sample(100ms, 3s);
  for (int second = 0; second < 10; ++second) {
    EXPECT_LE(sample(100ms, 1s), 2U);
    ASSERT_FALSE(view_.verdicts.empty()) << second;
    EXPECT_EQ(view_.verdicts[0].kind, "ring_full_by_group_without_consumer");
  }
  EXPECT_LE(sample(100ms, 10s), 12U);
}

TEST_F(LooksTest, watcher_that_samples_once_a_second_looks_each_time) {
  EXPECT_EQ(sample(1s, 10s), 10U);
  EXPECT_FALSE(view_.verdicts.empty());
}

TEST_F(LooksTest, verdict_ends_with_the_first_look_that_does_not_show_it) {
  sample(100ms, 4s);
  ASSERT_FALSE(view_.verdicts.empty());
  queue_.purge("billing");
  EXPECT_LE(sample(100ms, 2s), 3U);
  EXPECT_TRUE(view_.verdicts.empty());
}

}  // namespace
}  // namespace beltway::test
