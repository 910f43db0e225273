// Named producers through a daemon: a name belongs to one producer at a time, and its sequence numbers survive any death.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::SupervisedDaemon;

constexpr std::uint64_t k_messages = 20'000;

QueueOptions small(unsigned producers) {
  QueueOptions options = test::k_small;
  options.max_producers = producers;
  options.lane_bytes = 65536;
  return options;
}

/// Publishes the numbers 1 to k_messages, those that are missing yet; every fifth lies in the lane.
int publish_all(const SupervisedDaemon& daemon) {
  const Connection link = daemon.connect();
  Producer out = link.open_queue("numbers").producer({.name = "loader"});
  for (std::uint64_t i = 1; i <= k_messages; ++i) {
    std::string text = std::to_string(i);
    if (i % 5 == 0) text.resize(300, ' ');
    static_cast<void>(out.publish(text, {.sequence = i}));
  }
  return 0;
}

class ProducerName : public testing::TestWithParam<unsigned> {};

TEST_P(ProducerName, killed_producer_that_starts_again_stores_each_message_once) {
  SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("numbers", small(GetParam()));
  Consumer in = queue.consumer();
  std::uint64_t next = 1;
  const auto drain = [&](std::chrono::milliseconds patience) {
    while (const Result<Message> message = in.receive(patience)) {
      ASSERT_EQ(std::stoull(std::string(message->text())), next) << "none is missing, none came twice";
      ++next;
    }
  };
  for (unsigned round = 0;; ++round) {
    Child loader = Child::fork([&] { return publish_all(daemon); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(3 + round % 17);
    while (std::chrono::steady_clock::now() < until) drain(1ms);
    if (round == 10) daemon.kill_daemon();
    if (round < 40) loader.kill();
    while (!loader.poll()) drain(1ms);
    if (next > k_messages || round >= 40) break;
  }
  drain(200ms);
  EXPECT_EQ(next, k_messages + 1);
  const QueueInfo info = link.describe("numbers");
  ASSERT_EQ(info.producer_names.size(), 1U);
  EXPECT_EQ(info.producer_names[0].name, "loader");
  EXPECT_EQ(info.producer_names[0].last_sequence, k_messages);
}

INSTANTIATE_TEST_SUITE_P(All, ProducerName, testing::Values(1U, 3U),
                         [](const auto& each) { return each.param == 1 ? "alone" : "of_several"; });

TEST(ProducerNames, name_in_use_is_refused_with_the_process_that_has_it) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("numbers", small(4));
  const Producer first = queue.producer({.name = "loader"});
  const Producer other = queue.producer({.name = "another"});
  const Producer unnamed = queue.producer();
  try {
    static_cast<void>(queue.producer({.name = "loader"}));
    FAIL() << "two producers have one name";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), Errc::already_exists);
    EXPECT_NE(std::string(error.what()).find(std::to_string(::getpid())), std::string::npos) << error.what();
  }
  EXPECT_EQ(link.describe("numbers").endpoints[0].name, "loader");
}

TEST(ProducerNames, attach_that_finds_no_place_uses_up_no_name) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("numbers", small(1));
  const Producer first = queue.producer({.name = "loader"});
  EXPECT_THROW(static_cast<void>(queue.producer({.name = "another"})), Error);
  EXPECT_EQ(link.describe("numbers").producer_names.size(), 1U);
}

TEST(ProducerNames, queue_knows_sixty_four_names_and_keeps_them) {
  SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("numbers", small(4));
  Consumer in = queue.consumer();
  for (std::uint32_t i = 0; i < k_max_producer_names; ++i) {
    static_cast<void>(queue.producer({.name = "p" + std::to_string(i)}).publish("x", {.sequence = i + 1}));
    EXPECT_TRUE(in.receive(20s));
  }
  EXPECT_THROW(static_cast<void>(queue.producer({.name = "one-more"})), Error);
  EXPECT_THROW(static_cast<void>(queue.producer({.name = "no spaces"})), Error);
  const int before = daemon.pid();
  daemon.kill_daemon();
  daemon.wait_for_another(before);
  EXPECT_EQ(link.open_queue("numbers").producer({.name = "p63"}).last_sequence(), 64U);
  EXPECT_EQ(link.describe("numbers").producer_names.size(), 64U);
}

}  // namespace
}  // namespace beltway
