// A process with every right that the daemon gave it turns against the others: scribbles over real segments while they are
// used, inspected and repaired, tries to write where it may only read, fills and silences bells, stops inside a claim.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "hostile/intruder.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/watch.hpp"

namespace beltway {

using namespace beltway::os;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using test::Child;
using test::connect;
using test::eventually;
using test::Intruder;
using test::Neighbour;
using test::Scribbler;
using test::TestDaemon;
using test::Watch;
using test::WatchKind;

const QueueOptions k_options{.slots = 16,
                             .slot_bytes = 64,
                             .lane_bytes = 4096,
                             .max_producers = 3,
                             .max_consumers = 6,
                             .max_groups = 2,
                             .groups = {"workers"}};
const Geometry k_geometry{
    .slots = 16, .slot_bytes = 64, .lane_bytes = 4096, .max_producers = 3, .max_consumers = 6, .max_groups = 2};

/// What honest processes do, whatever it gives.
void use(const Queue& queue, int turns) {
  const std::array<std::byte, 900> data{};
  Producer producer = queue.producer();
  Consumer reader = queue.consumer();
  Consumer worker = queue.consumer({.group = "workers"});
  for (int i = 0; i < turns; ++i) {
    (void)producer.try_publish(Bytes(data.data(), i % 2 == 0 ? 20 : data.size()));
    (void)producer.publish_until(Bytes(data.data(), 8), 1ms);
    if (Result<Message> received = reader.receive(1ms))
      std::vector<std::byte>(received->bytes().begin(), received->bytes().end());
    if (Result<Message> received = worker.receive(1ms)) (void)received->ack();
  }
}
void use_all_requests(const Queue& queue) {
  (void)queue.snapshot();
  (void)queue.peek(100);
  (void)queue.peek(100, 64, "workers");
  (void)queue.peek({.count = 100, .group = "workers", .from = 3});
  (void)queue.purge("workers");
}

class HostileQueue : public testing::TestWithParam<Neighbour> {};

TEST_P(HostileQueue, a_queue_is_used_inspected_repaired_and_removed_while_a_peer_overwrites_it) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Queue queue = link.declare("q", k_options);
    {
      const Intruder intruder(daemon, queue, k_geometry, GetParam());
      Scribbler scribbler(intruder.memory(), GetParam(), test::random_numbers(seed));
      for (int round = 0; round < 8; ++round) {
        try {
          use(queue, 3);
          use_all_requests(queue);
        } catch (const Error&) {  // an answer like another: evicted, removed, no room
        }
        for (int i = 0; i < 5; ++i) scribbler.scribble();
      }
    }
    link.remove("q");
  }
  // Nobody else has noticed.
  const Queue other = link.declare("other", k_options);
  Producer producer = other.producer();
  Consumer consumer = other.consumer();
  producer.publish(std::string_view("well"));
  EXPECT_EQ(consumer.receive(20s)->text(), "well");
}

INSTANTIATE_TEST_SUITE_P(By, HostileQueue, testing::Values(Neighbour::consumer, Neighbour::producer),
                         [](const auto& of) { return of.param == Neighbour::consumer ? "a_consumer" : "a_producer"; });

TEST(HostileConsumer, a_hostile_consumer_cannot_change_a_message) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", k_options);
  const Intruder intruder(daemon, queue, k_geometry, Neighbour::consumer);
  for (const auto& [descriptor, base, bytes] :
       {std::tuple{intruder.ring_descriptor(), intruder.memory().ring, k_geometry.ring_bytes()},
        std::tuple{intruder.heap_descriptor(), intruder.memory().heap, k_geometry.heap_bytes()}}) {
    EXPECT_EQ(::mprotect(base, bytes, PROT_READ | PROT_WRITE), -1);
    EXPECT_EQ(errno, EACCES);
    EXPECT_EQ(::mmap(nullptr, bytes, PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED);
    EXPECT_EQ(::pwrite(descriptor, "x", 1, 0), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_NE(::ftruncate(descriptor, 0), 0);
    EXPECT_NE(::fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
  }
}

TEST(HostileConsumer, a_header_that_a_consumer_overwrote_is_healed_at_the_next_attach) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", k_options);
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  const Intruder intruder(daemon, queue, k_geometry, Neighbour::consumer);
  const Header sound = intruder.memory().header();
  for (std::size_t at = 0; at + 8 <= offsetof(Header, max_groups); at += 8) {
    auto* const word = reinterpret_cast<std::uint64_t*>(intruder.memory().control + at);
    *word ^= 0x0101;
    // Who only looks heals nothing; but the end of the consumer of the turn before may just be repaired, which does.
    const Errc failure = test::error_of([&] { (void)queue.snapshot(); }).reason();
    EXPECT_TRUE(failure == Errc::incompatible || (at != 0 && failure == Errc{})) << at;
    producer.publish(std::string_view("on"));
    EXPECT_EQ(consumer.receive(20s)->text(), "on");
    EXPECT_EQ(test::error_of([&] { (void)queue.consumer(); }).reason(), Errc{}) << at;
    EXPECT_EQ(std::memcmp(&intruder.memory().header(), &sound, sizeof sound), 0) << at;
  }
  (void)queue.consumer();
}

/// Full, and in a mode in which writing to it would block.
void silence(int bell) {
  const std::uint64_t most = ~0ULL - 1;
  ASSERT_EQ(::fcntl(bell, F_SETFL, 0), 0);
  std::uint64_t before = 0;
  if (pollfd readable{bell, POLLIN, 0}; ::poll(&readable, 1, 0) == 1) (void)::read(bell, &before, sizeof before);
  ASSERT_EQ(::write(bell, &most, sizeof most), static_cast<ssize_t>(sizeof most));
}

TEST(HostileBells, bells_that_are_full_and_would_block_are_rung_all_the_same) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", k_options);
  Producer producer = queue.producer();
  Consumer in_a_loop = queue.consumer();
  const Intruder intruder(daemon, queue, k_geometry, Neighbour::consumer);
  const Watch watch(WatchKind::edge, in_a_loop.poll_fd());
  for (int i = 0; i < 3; ++i) {
    while (in_a_loop.try_receive()) {
    }
    for (unsigned bell = 0; bell < k_bells; ++bell) silence(intruder.bell(bell));
    while (watch.wait()) {  // the edges of the filling
      (void)in_a_loop.try_receive();
    }
    producer.publish(std::string_view("news"));
    EXPECT_TRUE(watch.wait(20s));
    EXPECT_EQ(in_a_loop.try_receive()->text(), "news");
  }
}

TEST(HostileProducer, a_producer_that_stops_inside_a_claim_delays_no_call_past_its_deadline) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", k_options);
  Consumer consumer = queue.consumer();
  Child stopped = Child::fork([&] {
    Producer producer = connect(daemon).open_queue("q").producer();
    producer.publish(8, [](std::span<std::byte>) { ::raise(SIGSTOP); });
    return 0;
  });
  const auto claimed = [&] { return queue.snapshot().position == 1; };
  ASSERT_TRUE(eventually(claimed));
  Producer producer = queue.producer();
  // Behind the claim there is room for others' messages; they are only not delivered before it is over.
  for (unsigned i = 0; i < k_options.slots - 1; ++i) producer.publish(std::string_view("behind"));
  EXPECT_EQ(producer.publish_until(std::string_view("full"), 5ms), Status::timeout);
  EXPECT_EQ(consumer.receive(5ms).status(), Status::timeout);
  stopped.kill();
  EXPECT_EQ(stopped.wait().signal, SIGKILL);
  for (unsigned i = 0; i < k_options.slots - 1; ++i) EXPECT_EQ(consumer.receive(20s)->text(), "behind");
}

}  // namespace
}  // namespace beltway
