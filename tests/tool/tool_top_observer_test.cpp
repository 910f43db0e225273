// The threads behind the screen of `beltway top`: what they fetch arrives, and nothing of it holds up a key.
#include <gtest/gtest.h>

#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

#include "support/child.hpp"
#include "support/fake_fleet.hpp"
#include "tool/top/observer.hpp"

namespace {

using namespace beltway;
using namespace beltway::tool;
using std::chrono::hours;

class FakeSource final : public TopSource {
 public:
  std::shared_ptr<const watch::Fleet> sample() override {
    ++samples;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    return test::fake_fleet();
  }
  LookResult look(const std::string& queue) override {
    if (queue != "orders") {
      ++looks_elsewhere;
      return {.open = nullptr, .trouble = "no such queue"};
    }
    return {.open = test::fake_open_queue(), .trouble = {}};
  }
  MessageList messages(const std::string& queue, const std::string& group, std::optional<std::uint64_t> from) override {
    return {.queue = queue, .group = group, .from = from, .messages = {test::fake_message(from.value_or(5), "hello")}};
  }
  OpenMessage message(const std::string&, const std::string&, std::uint64_t position) override {
    return {.message = test::fake_message(position, "hello")};
  }
  SearchResult search(const std::string&, const std::string&, const std::string& text, std::uint64_t after) override {
    if (text == "none") return {};
    return {.position = after, .trouble = {}};
  }
  ActResult perform(const Act& act, const std::stop_token& stop) override {
    if (act.kind == Act::Kind::requeue) {  // goes on until it is stopped
      std::unique_lock lock(mutex_);
      std::condition_variable_any never;
      never.wait(lock, stop, [] { return false; });
    }
    ++acts;
    return {.done = true, .text = "purged"};
  }

  /// A daemon that does not answer.
  void hold(bool held) {
    {
      const std::lock_guard lock(mutex_);
      held_ = held;
    }
    changed_.notify_all();
  }

  std::atomic<int> samples = 0;
  std::atomic<int> looks_elsewhere = 0;  ///< not at orders
  std::atomic<int> acts = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

class TopObserver : public testing::Test {
 protected:
  TopObserver() { state_.open_queue = "orders"; }

  /// Takes news, as the loop of the screen does, until the condition holds.
  template <class Condition>
  bool comes(Observer& observer, const Condition& condition) {
    return test::eventually([&] {
      pollfd watched{observer.poll_fd(), POLLIN, 0};
      if (poll(&watched, 1, 0) == 1) observer.take(state_, data_);
      return condition();
    });
  }

  FakeSource source_;
  TopState state_;
  TopData data_;
};

TEST_F(TopObserver, first_sample_comes_at_once_and_others_when_asked_for) {
  Observer observer(source_, hours(1));
  EXPECT_TRUE(comes(observer, [&] { return data_.fleet->queues.size() == 5; }));
  EXPECT_GT(data_.at_s, 0);
  observer.ask(screen_request::Refresh{});
  EXPECT_TRUE(test::eventually([&] { return source_.samples == 2; }));
}

TEST_F(TopObserver, samples_come_again_and_again) {
  Observer observer(source_, std::chrono::milliseconds(1));
  EXPECT_TRUE(test::eventually([&] { return source_.samples > 3; }));
}

TEST_F(TopObserver, open_queue_is_looked_at_and_another_one_not_mistaken_for_it) {
  Observer observer(source_, hours(1));
  observer.ask(screen_request::Watch{"orders"});
  EXPECT_TRUE(comes(observer, [&] { return data_.open != nullptr; }));
  observer.ask(screen_request::Watch{"gone"});
  EXPECT_TRUE(test::eventually([&] { return source_.looks_elsewhere == 1; }));
  observer.take(state_, data_);
  EXPECT_NE(data_.open, nullptr) << "the screen shows orders";
  state_.open_queue = "gone";
  observer.ask(screen_request::Watch{"gone"});
  EXPECT_TRUE(comes(observer, [&] { return data_.open == nullptr && data_.open_trouble == "no such queue"; }));
}

TEST_F(TopObserver, messages_and_searches_arrive) {
  Observer observer(source_, hours(1));
  observer.ask(screen_request::Messages{"orders", ""});
  EXPECT_TRUE(comes(observer, [&] { return data_.messages != nullptr; }));
  observer.ask(screen_request::Message{"orders", "", 5});
  EXPECT_TRUE(comes(observer, [&] { return data_.message != nullptr; }));
  observer.ask(screen_request::Search{"orders", "", "hello", 5});
  EXPECT_TRUE(comes(observer, [&] { return state_.status == "found at position 5"; })) << state_.status;
  observer.ask(screen_request::Search{"orders", "", "none", 5});
  EXPECT_TRUE(comes(observer, [&] { return state_.status.starts_with("no message"); })) << state_.status;
}

TEST_F(TopObserver, act_is_done_while_the_daemon_holds_up_a_sample) {
  source_.hold(true);
  Observer observer(source_, hours(1));
  EXPECT_TRUE(test::eventually([&] { return source_.samples == 1; }));
  state_.acting = true;
  observer.ask(screen_request::Perform{});
  EXPECT_TRUE(comes(observer, [&] { return !state_.acting; }));
  EXPECT_EQ(state_.status, "done: purged");
  source_.hold(false);
  EXPECT_TRUE(test::eventually([&] { return source_.samples == 2; })) << "it looks again after an act";
}

TEST_F(TopObserver, end_of_the_screen_stops_a_long_act) {
  {
    Observer observer(source_, hours(1));
    observer.ask(screen_request::Perform{.act = {.kind = Act::Kind::requeue}});
  }
  EXPECT_EQ(source_.acts, 1);
}

}  // namespace
