// What takes long in the daemon (gigabytes to fill or to give back, a ring of a million slots to repair or to purge) is done
// beside its one thread: others are answered and the dead are repaired meanwhile.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "beltway/beltway.hpp"
#include "os/memory_probe.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "wire/protocol.hpp"
#include "wire/validate.hpp"

namespace beltway {

using namespace beltway::os;
using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::k_small;
using test::RawClient;
using test::TestDaemon;

constexpr std::uint64_t k_gigabyte = 1ULL << 30;

/// A ring of a gigabyte, or of as much as this machine can spare for several tests at once.
QueueOptions large() {
  const std::uint64_t spare = std::min(k_gigabyte, available_memory_bytes() / 8);
  QueueOptions options{.slots = 256, .slot_bytes = 65536, .lane_bytes = 0, .max_producers = 1, .max_consumers = 1};
  while (2ULL * options.slots * options.slot_bytes <= spare) options.slots *= 2;
  return options;
}

const std::vector<std::string> k_much{"--max-bytes-per-user", std::to_string(16 * k_gigabyte)};

QueueOptions small_with_group() {
  QueueOptions options = k_small;
  options.groups = {"g"};
  return options;
}

Child holder_of_a_message(const TestDaemon& daemon, const std::string& name) {
  return Child::fork([&] {
    auto in = connect(daemon).open_queue(name).consumer({.group = "g"});
    const Result<Message> held = in.receive(20s);
    ::pause();
    return held ? 0 : 1;
  });
}

json declare_request(const std::string& name, const QueueOptions& options) {
  return {{"op", "declare"}, {"n", 1}, {"name", name}, {"options", wire::encode(options)}};
}

TEST(LongWork, a_long_declare_delays_no_answer_and_no_repair) {
  const TestDaemon daemon(k_much);
  const Connection link = connect(daemon);
  const Queue jobs = link.declare("jobs", small_with_group());
  auto out = jobs.producer();
  out.publish("job");
  Child holder = holder_of_a_message(daemon, "jobs");
  ASSERT_TRUE(eventually([&] { return jobs.snapshot().groups[0].leased == 1; }));
  auto in = jobs.consumer({.group = "g"});

  std::atomic<bool> is_made = false;
  std::thread declaring([&] {
    (void)connect(daemon).declare("large", large());
    is_made = true;
  });
  // The memory is being filled while the daemon answers: it does not list what is not there yet.
  const Connection other = connect(daemon);
  int answers = 0;
  while (!is_made && answers < 5) {
    (void)other.ping();
    ++answers;
  }
  holder.kill(SIGKILL);
  Result<Message> again = in.receive(20s);
  const bool made_before = is_made;
  declaring.join();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_EQ(answers, 5);
  EXPECT_FALSE(made_before) << "the repair waited for the declare";
  EXPECT_EQ(link.open_queue("large").describe().options.slots, large().slots);
}

TEST(LongWork, two_declares_of_one_name_at_once_make_one_queue) {
  const TestDaemon daemon(k_much);
  std::array<RawClient, 3> clients{RawClient(daemon), RawClient(daemon), RawClient(daemon)};
  QueueOptions other = large();
  other.slots /= 2;
  for (RawClient& client : clients) client.say_hello();
  clients[0].say(declare_request("large", large()));
  clients[1].say(declare_request("large", large()));
  clients[2].say(declare_request("large", other));
  const json first = clients[0].hear();
  const json second = clients[1].hear();
  const json third = clients[2].hear();
  EXPECT_EQ(first["queue"]["id"], second["queue"]["id"]);
  EXPECT_EQ(first["created"], true);
  EXPECT_EQ(second["created"], false);
  EXPECT_EQ(third["error"]["errc"], "already_exists");
  EXPECT_EQ(connect(daemon).list().size(), 1U);
}

TEST(LongWork, a_declare_counts_for_the_quota_from_its_beginning) {
  const std::uint64_t bytes = shared_bytes_of(geometry_of(large()));
  const TestDaemon daemon({"--max-bytes-per-user", std::to_string(bytes + bytes / 2)});
  RawClient client(daemon);
  client.say_hello();
  client.say(declare_request("one", large()));
  EXPECT_EQ(error_of([&] { (void)connect(daemon).declare("two", large()); }).reason(), Errc::limit_reached);
  EXPECT_EQ(client.hear()["created"], true);
  connect(daemon).remove("one");
  EXPECT_NO_THROW((void)connect(daemon).declare("two", large())) << "what is removed does not count any more";
}

TEST(LongWork, a_declare_whose_client_has_gone_is_finished_and_can_be_used) {
  const TestDaemon daemon(k_much);
  {
    RawClient client(daemon);
    client.say_hello();
    client.say(declare_request("large", large()));
  }
  EXPECT_TRUE(eventually([&] { return !connect(daemon).list().empty(); }));
  connect(daemon).open_queue("large").producer().publish("x");
}

TEST(LongWork, a_declare_ends_with_the_daemon) {
  TestDaemon daemon(k_much);
  RawClient client(daemon);
  client.say_hello();
  client.say(declare_request("large", large()));
  (void)connect(daemon).ping();
  daemon.process().kill(SIGTERM);
  EXPECT_TRUE(daemon.process().wait().ok());
}

TEST(LongWork, a_long_removal_delays_no_answer_and_gives_all_memory_back) {
  TestDaemon daemon(k_much);
  const Connection link = connect(daemon);
  (void)link.ping();
  const std::size_t before = test::open_descriptors(daemon.process().pid());
  for (int turn = 0; turn < 2; ++turn) {
    (void)link.declare("large", large());
    link.remove("large");
    EXPECT_TRUE(link.list().empty());
  }
  EXPECT_TRUE(eventually([&] { return test::open_descriptors(daemon.process().pid()) <= before; }));
}

/// So many slots that a worker walks over them.
QueueOptions million() {
  QueueOptions options{.slots = 1U << 20, .slot_bytes = 64, .lane_bytes = 0, .max_producers = 2, .max_consumers = 4};
  options.max_groups = 2;
  options.groups = {"g"};
  return options;
}

TEST(LongWork, the_repair_of_a_million_slots_gives_each_message_back) {
  const TestDaemon daemon(k_much);
  const Connection link = connect(daemon);
  const Queue queue = link.declare("million", million());
  auto out = queue.producer();
  out.publish("one");
  out.publish("two");
  Child first = holder_of_a_message(daemon, "million");
  Child second = holder_of_a_message(daemon, "million");
  ASSERT_TRUE(eventually([&] { return queue.snapshot().groups[0].leased == 2; }));
  first.kill(SIGKILL);
  second.kill(SIGKILL);
  auto in = queue.consumer({.group = "g"});
  for (int i = 0; i < 2; ++i) {
    Result<Message> again = in.receive(20s);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->deliveries(), 2U);
    EXPECT_TRUE(again->ack());
  }
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; }));
}

TEST(LongWork, a_long_purge_delays_requests_of_its_queue_only) {
  const TestDaemon daemon(k_much);
  const Connection link = connect(daemon);
  const Queue queue = link.declare("million", million());
  auto out = queue.producer();
  constexpr int k_messages = 1000;
  for (int i = 0; i < k_messages; ++i) out.publish("x");
  std::array<RawClient, 4> clients{RawClient(daemon), RawClient(daemon), RawClient(daemon), RawClient(daemon)};
  for (RawClient& client : clients) client.say_hello();
  clients[0].say({{"op", "purge"}, {"n", 1}, {"queue", queue.id()}, {"group", "g"}});
  clients[1].say({{"op", "describe"}, {"n", 2}, {"queue", queue.id()}});
  clients[2].say({{"op", "attach"}, {"n", 3}, {"queue", queue.id()}, {"role", "consumer"}, {"group", "g"}});
  clients[3].say({{"op", "list"}, {"n", 4}});
  EXPECT_EQ(clients[1].hear()["queue"]["name"], "million");
  EXPECT_EQ(clients[2].hear()["endpoint"], 64);
  EXPECT_EQ(clients[3].hear()["queues"].size(), 1U);
  const json purged = clients[0].hear();
  EXPECT_EQ(purged["n"], 1);
  EXPECT_EQ(purged["messages"], k_messages) << purged;
  clients[0].say({{"op", "purge"}, {"n", 5}, {"queue", queue.id()}, {"group", "none"}});
  EXPECT_EQ(clients[0].hear()["error"]["errc"], "not_found");
  link.remove("million");
  EXPECT_EQ(out.try_publish("x"), Status::removed);
}

/// One process with many endpoints dies: all are repaired, in several turns.
TEST(LongWork, the_repair_of_a_process_with_many_queues_is_done_in_turns) {
  const TestDaemon daemon({"--max-queues-per-user", "1000"});
  const Connection link = connect(daemon);
  constexpr int k_queues = 60;
  std::vector<Queue> queues;
  for (int i = 0; i < k_queues; ++i) queues.push_back(link.declare("many/" + std::to_string(i), small_with_group()));
  Child owner = Child::fork([&] {
    const Connection own = connect(daemon);
    std::vector<Producer> outs;
    for (int i = 0; i < k_queues; ++i) outs.push_back(own.open_queue("many/" + std::to_string(i)).producer());
    outs.back().publish("all are there");
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queues.back().snapshot().position == 1; }));
  owner.kill(SIGKILL);
  owner.wait();
  for (const Queue& queue : queues) {
    EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); })) << queue.name();
  }
}

// -- hostile and careless clients ------------------------------------------------------------------------------------

/// To close such a socket takes as long as its owner likes, while what was sent is not acknowledged.
TEST(LongWork, the_daemon_does_not_wait_for_the_close_of_descriptors_that_a_stranger_sent) {
  TestDaemon daemon;
  const Connection link = connect(daemon);
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) GTEST_SKIP() << "no loopback";
  ::listen(listener.get(), 1);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  Fd lingering(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::connect(lingering.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const linger for_long{.l_onoff = 1, .l_linger = 10};
  ::setsockopt(lingering.get(), SOL_SOCKET, SO_LINGER, &for_long, sizeof for_long);
  const std::vector<char> much(1 << 20);
  while (::send(lingering.get(), much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
  }
  RawClient client(daemon);
  client.say_hello();
  const bool was_sent = client.say_with_descriptors({lingering.get()});
  if (was_sent) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(lingering.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    GTEST_SKIP() << "a kernel before 6.16 delivers descriptors to those who want none";
  }
  EXPECT_NO_THROW((void)link.ping());
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(lingering.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

TEST(LongWork, many_waiting_connections_are_accepted_in_turns_and_all_are_served) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue jobs = link.declare("jobs", small_with_group());
  auto out = jobs.producer();
  out.publish("job");
  Child holder = holder_of_a_message(daemon, "jobs");
  ASSERT_TRUE(eventually([&] { return jobs.snapshot().groups[0].leased == 1; }));
  auto in = jobs.consumer({.group = "g"});
  std::vector<RawClient> crowd;
  for (int i = 0; i < 200; ++i) crowd.emplace_back(daemon);
  holder.kill(SIGKILL);
  EXPECT_EQ(in.receive(20s)->deliveries(), 2U);
  for (RawClient& each : crowd) each.say_hello();
}

}  // namespace
}  // namespace beltway
