// The end of an endpoint while another thread waits for the daemon.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

/// A thread that waits for the answer of a stopped daemon.
class EndpointEnd : public testing::Test {
 protected:
  void stop_daemon_and_ask() {
    daemon_.process().kill(SIGSTOP);
    answer_ = std::async(std::launch::async, [this] { (void)link_.ping(); });
    // The request is on its way: another one would have to wait for it.
    std::this_thread::sleep_for(200ms);
    ASSERT_EQ(answer_.wait_for(0s), std::future_status::timeout);
  }
  [[nodiscard]] std::size_t endpoints() const { return connect(daemon_).describe("orders").endpoints.size(); }

  TestDaemon daemon_;
  Connection link_ = connect(daemon_);
  Queue queue_ = link_.declare("orders", {.slots = 16, .max_producers = 2, .groups = {"g"}});
  std::future<void> answer_;
};

TEST_F(EndpointEnd, ends_of_endpoints_do_not_wait_for_the_answer_of_another_thread_and_are_told_behind_it) {
  std::optional<Producer> out = queue_.producer();
  std::optional<Consumer> in = queue_.consumer({.group = "g"});
  stop_daemon_and_ask();
  out.reset();
  in.reset();
  EXPECT_EQ(answer_.wait_for(0s), std::future_status::timeout) << "both ends waited for the answer";
  daemon_.process().kill(SIGCONT);
  EXPECT_NO_THROW(answer_.get());
  EXPECT_TRUE(eventually([&] { return endpoints() == 0; }));
}

TEST_F(EndpointEnd, ends_of_many_threads_at_once_are_all_told) {
  constexpr int k_rounds = 50;
  const auto come_and_go = [&](auto attach) {
    return std::async(std::launch::async, [attach] {
      for (int i = 0; i < k_rounds; ++i) (void)attach();
    });
  };
  std::vector<std::future<void>> threads;
  threads.push_back(come_and_go([&] { return queue_.producer(); }));
  threads.push_back(come_and_go([&] { return queue_.consumer({.group = "g"}); }));
  threads.push_back(come_and_go([&] { return link_.ping(); }));
  for (std::future<void>& thread : threads) EXPECT_NO_THROW(thread.get());
  EXPECT_EQ(endpoints(), 0U);
}

}  // namespace
}  // namespace beltway::test
