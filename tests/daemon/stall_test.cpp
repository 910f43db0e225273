// evict_after_ms counts time in which the daemon ran. The clock is the test's.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "client/channel.hpp"
#include "queues/registry.hpp"
#include "queues/run_clock.hpp"
#include "support/child.hpp"
#include "support/temp_dir.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

using namespace beltway::client;
using namespace beltway::os;
using namespace beltway::ring;
using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;
using wire::Role;
using Time = RunClock::TimePoint;

TEST(RunClock, the_run_clock_leaves_out_the_delay_of_a_tick) {
  RunClock clock;
  const Time start{};
  EXPECT_EQ(clock.tick(start).now, start);
  clock.plan(start, 100ms);
  EXPECT_EQ(clock.tick(start + 100ms).now, start + 100ms);
  clock.plan(start + 100ms, 100ms);
  const RunClock::Tick late = clock.tick(start + 10s);
  EXPECT_TRUE(late.is_late);
  EXPECT_EQ(late.now, start + 200ms);
  clock.plan(start + 10s, 100ms);
  const RunClock::Tick next = clock.tick(start + 10s + 110ms);
  EXPECT_FALSE(next.is_late) << "a little late is usual";
  EXPECT_EQ(next.now, start + 300ms);
}

TEST(RunClock, the_run_clock_does_not_count_a_rest_as_late) {
  RunClock clock;
  clock.plan(Time{}, 100ms);
  clock.rest();
  EXPECT_FALSE(clock.tick(Time{} + 1h).is_late);
  EXPECT_EQ(clock.tick(Time{} + 1h).now, Time{} + 1h);
}

/// A group whose consumer holds the first message of a full ring, and a producer that waits.
class Stall : public testing::Test {
 protected:
  Stall() {
    QueueOptions options{.slots = 4, .lane_bytes = 0, .max_producers = 2, .max_consumers = 2, .max_groups = 1};
    options.evict_after = 1s;
    options.groups = {"g"};
    queue_ = &registry_.declare(peer_, "orders", options).queue;
    producer_ = queue_->attach(peer_, 1, {.role = Role::producer, .barriers = true});
    consumer_ = queue_->attach(peer_, 2, {.role = Role::consumer, .barriers = true, .consumer = {.group = "g"}});
    const Geometry geometry = geometry_of(options);
    ring_ = Mapping(producer_.borrowed[1], {0, geometry.ring_bytes()}, Access::read_write, "test");
    control_ = Mapping(producer_.borrowed[0], {0, geometry.control_bytes()}, Access::read_write, "test");
    const QueueMemory memory{.geometry = geometry, .ring = ring_.data(), .control = control_.data()};
    for (Position p = 0; p < geometry.slots; ++p)
      memory.slot(p).state.store_relaxed(SlotState{p, 0, SlotPhase::ready}.word());
    memory.tail().store_relaxed(Tail{geometry.slots, 0, 0}.word());
    memory.lease(0, 0).store_release(
        Lease{0, static_cast<std::uint8_t>(consumer_.reply.endpoint), 0, LeasePhase::leased}.word());
  }
  /// One look of the daemon; when it wants the next one.
  std::chrono::milliseconds tick() { return registry_.evict_stalled_consumers(wall_); }
  [[nodiscard]] bool is_evicted() const { return queue_->record().endpoints[2].evicted; }
  /// Looks when it was asked to, until the consumer is thrown out; how long that took.
  std::chrono::milliseconds time_to_eviction() {
    std::chrono::milliseconds passed{0};
    while (!is_evicted() && passed < 60s) {
      const auto pause = tick();
      if (is_evicted()) break;
      wall_ += pause;
      passed += pause;
    }
    return passed;
  }

  const Peer peer_{.pid = 101, .uid = 1001, .gid = 2001};
  DescriptorStore store_;
  SavedQueues saved_queues_{store_};
  Registry registry_{{}, saved_queues_};
  Queue* queue_ = nullptr;
  AttachGrant producer_;
  AttachGrant consumer_;
  Mapping ring_;
  Mapping control_;
  Time wall_ = Time{} + 1h;
};

TEST_F(Stall, a_stall_of_one_consumer_ends_after_its_span) {
  const auto passed = time_to_eviction();
  EXPECT_GE(passed, 1s);
  EXPECT_LE(passed, 1250ms);
}

TEST_F(Stall, a_stall_of_all_processes_does_not_count) {
  auto pause = tick();
  for (int freeze = 0; freeze < 5; ++freeze) {
    wall_ += pause + 1h;
    pause = tick();
    EXPECT_FALSE(is_evicted()) << "at once after freeze " << freeze;
  }
}

TEST_F(Stall, a_stall_counts_on_from_where_the_freeze_began) {
  wall_ += tick();
  wall_ += tick();
  wall_ += 1h;
  EXPECT_FALSE(is_evicted());
  const auto passed = time_to_eviction();
  EXPECT_GE(passed, 250ms) << "one more period, in which others may run";
  EXPECT_LE(passed, 1s) << "and not all of it anew";
}

/// The answer comes after the deadline on the wall, and in time for a process that was frozen together with the daemon.
TEST(Waiting, a_wait_for_the_daemon_does_not_count_time_in_which_the_client_was_stopped) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  Channel theirs{Fd(ends[1])};
  const Fd ours(ends[0]);
  test::Child client = test::Child::fork([&] {
    Channel channel{Fd(::dup(ours.get()))};
    if (!channel.send({{"n", 1}}, std::chrono::steady_clock::now() + 5s)) return 2;
    Packet packet;
    return channel.receive(packet, std::chrono::steady_clock::now() + 2s) ? 0 : 1;
  });
  Packet packet;
  ASSERT_TRUE(theirs.receive(packet, std::chrono::steady_clock::now() + 20s));
  // Before it waits, the client has no wait that could be extended.
  const std::string stat = "/proc/" + std::to_string(client.pid()) + "/stat";
  ASSERT_TRUE(test::eventually([&] { return test::read_file(stat).find(") S ") != std::string::npos; }));
  client.kill(SIGSTOP);
  std::this_thread::sleep_for(3s);
  client.kill(SIGCONT);
  std::this_thread::sleep_for(300ms);
  ASSERT_TRUE(theirs.send({{"n", 2}}, std::chrono::steady_clock::now() + 5s));
  EXPECT_EQ(client.wait(), (test::Exit{.code = 0, .signal = 0}));
}

}  // namespace
}  // namespace beltway::daemon
