// A daemon's work on its queues, killed between any two instructions and taken over by the next daemon: whatever the record and
// the memory say at that moment, the queue is there whole or not at all, and no group, place or descriptor is left over.
//
// The one who dies is a child that does the registry's work in a tight loop, without sockets, so that most of its time
// lies in what is to be tested; the one who takes over is the real daemon, under systemd's rules.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "os/kernel.hpp"
#include "queues/registry.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/fake_systemd.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::eventually;
using test::FakeSystemd;
using wire::Role;

constexpr std::uint32_t k_slots = 4;

/// How often the child has done what it does, for its parent: a loaded machine makes it slow, but not idle.
class Progress {
 public:
  Progress() {
    void* const memory = ::mmap(nullptr, sizeof *steps_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    steps_ = new (memory) std::atomic<int>(0);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { ::munmap(steps_, sizeof *steps_); }

  void step() const { ++*steps_; }
  [[nodiscard]] int steps() const { return *steps_; }

 private:
  std::atomic<int>* steps_ = nullptr;
};

/// A process that makes an exclusive queue, gets its lock and ends.
void own_for_a_moment(daemon::Registry& registry, const daemon::Peer& peer, std::uint64_t session) {
  const QueueOptions options{.slots = k_slots, .lane_bytes = 0, .exclusive = true, .expire_after = 1h};
  daemon::Queue& queue = registry.declare(peer, "reply", options, {}, session).queue;
  const wire::EndpointName owner{queue.record().id, wire::k_queue_owner, 0};
  queue.take_owner_lock().reset();
  registry.session_ended(session, {owner});
  while (registry.reap_pending() != 0) continue;
}

[[noreturn]] void work_for_ever(const std::filesystem::path& notify_socket, const Progress& progress) {
  ::setenv("NOTIFY_SOCKET", notify_socket.c_str(), 1);
  ::raise(SIGSTOP);  // until the fake listens to us
  spdlog::set_level(spdlog::level::off);
  static_cast<void>(os::register_for_barriers());
  daemon::DescriptorStore store = daemon::DescriptorStore::from_environment();
  daemon::SavedQueues keep(store);
  daemon::Registry registry({}, keep);
  const daemon::Peer peer{.pid = ::getpid(), .uid = ::getuid(), .gid = ::getgid()};
  const QueueOptions options{.slots = k_slots,
                             .lane_bytes = 0,
                             .max_producers = 2,
                             .max_consumers = 3,
                             .max_groups = 2,
                             .groups = {"lasting"},
                             .evict_after = 1h};
  for (std::uint64_t session = 1;; ++session) {
    daemon::Queue& queue = registry.declare(peer, "orders", options).queue;
    progress.step();
    for (int i = 0; i < 8; ++i) {
      queue.add_groups({"passing"}, i % 2 == 0 ? Start::oldest : Start::latest, "work");
      progress.step();
      std::vector<daemon::AttachGrant> held;
      held.push_back(queue.attach(peer, session, {.role = Role::producer, .barriers = true}));
      held.push_back(
          queue.attach(peer, session, {.role = Role::consumer, .barriers = true, .consumer = {.group = "passing"}}));
      held.push_back(queue.attach(peer, session,
                                  {.role = Role::consumer, .barriers = true, .consumer = {.start = Start::oldest}}));
      progress.step();
      queue.evict_consumer(0, "the test asked for it");
      progress.step();
      queue.remove_group("passing");
      progress.step();
      std::vector<wire::EndpointName> names;
      for (const daemon::AttachGrant& each : held) {
        names.push_back({queue.record().id, each.reply.endpoint, each.reply.incarnation});
      }
      held.clear();
      registry.session_ended(session, names);
      // On a loaded machine there is no time for all of them at once, and who is left keeps the group's place.
      while (registry.reap_pending() != 0) continue;
      progress.step();
    }
    registry.remove("orders");
    own_for_a_moment(registry, peer, session);
    progress.step();
  }
}

/// All groups that the daemon knows get everything; one that it does not know would hold the ring full.
void use(const Queue& queue) {
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
  std::vector<Consumer> consumers;
  for (const NamedGroup& group : queue.describe().options.groups) {
    consumers.push_back(queue.consumer({.group = group.name, .ack = Ack::automatic}));
  }
  consumers.push_back(queue.consumer());
  Producer out = queue.producer();
  Producer other = queue.producer();
  for (std::uint32_t i = 0; i < 3 * k_slots; ++i) {
    ASSERT_EQ((i % 2 == 0 ? out : other).publish_until("x", 10s), Status::ok) << i;
    for (Consumer& in : consumers) ASSERT_TRUE(in.receive(10s)) << i << " of " << in.group();
  }
}

/// The events of the daemon that was killed are whole, and those of the next one follow.
void check_events(const Connection& link) {
  std::uint64_t last = 0;
  std::string last_start;
  EventPage page;
  do {
    page = link.events(page.next);
    for (const Event& event : page.events) {
      EXPECT_GT(event.sequence, last);
      last = event.sequence;
      if (event.queue.empty()) last_start = event.kind;
    }
  } while (page.more);
  EXPECT_EQ(last, page.last);
  EXPECT_EQ(last_start, "taken_over");
}

TEST(DaemonWork, work_of_a_daemon_killed_between_any_two_instructions_is_taken_over_in_order) {
  int found = 0;
  for (int turn = 0; turn < 24; ++turn) {
    const test::TempDir dir;
    const Progress progress;
    FakeSystemd systemd({test::program("beltwayd"), "--socket", dir.socket(), "--log-level", "debug"});
    Child worker = Child::fork([&]() -> int { work_for_ever(systemd.notify_socket(), progress); });
    const std::string stat = "/proc/" + std::to_string(worker.pid()) + "/stat";
    ASSERT_TRUE(eventually([&] { return test::read_file(stat).find(") T ") != std::string::npos; }));
    systemd.hear(worker.pid());
    worker.kill(SIGCONT);
    ASSERT_TRUE(eventually([&] { return systemd.stored().contains("REG2") && progress.steps() >= 3 * turn; }));
    std::this_thread::sleep_for(std::chrono::microseconds(97 * turn));
    worker.kill(SIGKILL);
    EXPECT_EQ(worker.wait().signal, SIGKILL) << "it ended by itself";
    std::this_thread::sleep_for(5ms);  // what it sent is read as its own, before another is the service
    systemd.start();
    const Connection link = Connection::open({.socket = dir.socket(), .start_daemon = false});
    check_events(link);
    for (const QueueInfo& info : link.list()) {
      ++found;
      EXPECT_FALSE(info.options.exclusive) << "its process is dead";
      use(link.open_queue(info.name));
      link.remove(info.name);
    }
    EXPECT_TRUE(eventually([&] { return systemd.stored().size() == 5; })) << "registry, events, program, lock and door";
    if (HasFailure()) {
      ADD_FAILURE() << "in turn " << turn << ":\n" << systemd.log();
      return;
    }
  }
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace beltway
