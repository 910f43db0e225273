// How long a queue lasts, without sockets: the process of an exclusive queue is a lock that the test holds, and time is what the
// test says it is.
#include <gtest/gtest.h>

#include <thread>

#include "registry_support.hpp"

namespace beltway::daemon {

using namespace beltway::os;

namespace {

using namespace std::chrono_literals;
using wire::k_queue_owner;
using wire::Role;
using Clock = Queue::Clock;

const Peer k_neighbour{.pid = 103, .uid = 1001, .gid = 2001};  ///< another process of Alice's
const Peer k_unseen{.pid = 0, .uid = 1001, .gid = 2001};       ///< of another pid namespace

QueueOptions exclusive(std::uint32_t mode = 0600) {
  QueueOptions options = k_small;
  options.exclusive = true;
  options.mode = mode;
  return options;
}
QueueOptions expiring(std::chrono::milliseconds time) {
  QueueOptions options = k_small;
  options.expire_after = time;
  return options;
}

/// An exclusive queue "a" of k_alice, whose process the test plays.
struct Owned {
  explicit Owned(Registry& registry, const QueueOptions& options = exclusive())
      : queue(registry.declare(k_alice, "a", options, {}, k_session).queue), lock(queue.take_owner_lock()) {}
  [[nodiscard]] wire::EndpointName name() const { return {queue.record().id, k_queue_owner, 0}; }

  Queue& queue;
  Fd lock;
};

TEST(RegistryLifetime, exclusive_queue_lasts_beyond_its_connection_and_ends_with_the_lock_of_its_process) {
  TestRegistry registry({});
  Owned owned(registry);
  ASSERT_TRUE(owned.lock);
  registry.session_ended(k_session, {owned.name()});
  EXPECT_EQ(registry.reap_pending(), 1U) << "its end is awaited";
  EXPECT_EQ(registry.orphans(), std::set<int>{k_alice.pid});
  EXPECT_NO_THROW(static_cast<void>(registry.find("a", "open")));
  owned.lock.reset();
  EXPECT_EQ(registry.reap_pending(), 0U);
  EXPECT_TRUE(registry.queues().empty());
}

TEST(RegistryLifetime, exclusive_queue_whose_answer_was_never_sent_ends_with_the_connection) {
  TestRegistry registry({});
  const Queue& queue = registry.declare(k_alice, "a", exclusive(), {}, k_session).queue;
  registry.session_ended(k_session, {{queue.record().id, k_queue_owner, 0}});
  EXPECT_TRUE(registry.queues().empty());
}

TEST(RegistryLifetime, exclusive_queue_of_a_client_that_could_not_keep_the_lock_ends_at_its_detach) {
  TestRegistry registry({});
  Owned owned(registry);
  owned.lock.reset();
  registry.detach(k_session, owned.name());
  EXPECT_TRUE(registry.queues().empty());
}

TEST(RegistryLifetime, detach_by_a_stranger_does_not_end_an_exclusive_queue) {
  TestRegistry registry({});
  const Owned owned(registry);
  registry.detach(k_session + 1, owned.name());
  EXPECT_EQ(registry.queues().size(), 1U);
  EXPECT_EQ(registry.pending_deaths(), 0U);
}

TEST(RegistryLifetime, exclusive_queue_is_declared_again_by_its_process_alone_and_opened_by_all_who_may) {
  TestRegistry registry({});
  const Owned owned(registry, exclusive(0606));
  const auto again = registry.declare(k_alice, "a", exclusive(0606), {}, k_session);
  EXPECT_FALSE(again.created);
  EXPECT_FALSE(again.queue.has_owner_lock()) << "the process has it";
  for (const Peer& other : {k_neighbour, k_bob, k_root}) {
    const Error refused = error_of([&] { registry.declare(other, "a", exclusive(0606)); });
    EXPECT_EQ(refused.reason(), Errc::already_exists);
    EXPECT_NE(std::string(refused.what()).find("exclusive to process 101"), std::string::npos) << refused.what();
    EXPECT_EQ(error_of([&] { registry.declare(other, "a", exclusive(0606), {{"exclusive"}}); }).reason(),
              Errc::already_exists);
    EXPECT_NO_THROW(registry.declare(other, "a", {}, std::vector<std::string>{})) << "no option was named";
  }
  EXPECT_NO_THROW(attach(owned.queue, Role::producer));
}

TEST(RegistryLifetime, another_lifetime_is_a_conflict_as_any_other_option) {
  TestRegistry registry({});
  const Owned owned(registry);
  const Error plain = error_of([&] { registry.declare(k_alice, "a", k_small); });
  EXPECT_EQ(plain.reason(), Errc::already_exists);
  EXPECT_NE(std::string(plain.what()).find("exclusive true, not false"), std::string::npos) << plain.what();
  registry.declare(k_alice, "b", expiring(60s));
  const Error other = error_of([&] { registry.declare(k_alice, "b", expiring(90s), {{"expire_after_ms"}}); });
  EXPECT_NE(std::string(other.what()).find("expire_after_ms 60000, not 90000"), std::string::npos) << other.what();
  EXPECT_EQ(error_of([&] { registry.declare(k_alice, "b", exclusive(), {{"exclusive"}}); }).reason(),
            Errc::already_exists);
}

TEST(RegistryLifetime, exclusive_queue_without_rights_for_others_tells_them_nothing) {
  TestRegistry registry({});
  const Owned owned(registry);
  EXPECT_EQ(error_of([&] { registry.declare(k_bob, "a", exclusive()); }).reason(), Errc::no_permission);
}

TEST(RegistryLifetime, name_of_a_dead_process_is_free_before_anybody_has_told_of_its_death) {
  TestRegistry registry({});
  Owned owned(registry);
  const std::uint64_t id = owned.queue.record().id;
  owned.lock.reset();
  const auto next = registry.declare(k_neighbour, "a", exclusive(), {}, k_session + 1);
  EXPECT_TRUE(next.created);
  EXPECT_EQ(error_of([&] { static_cast<void>(registry.find(id, "attach")); }).reason(), Errc::removed);
  next.queue.take_owner_lock().reset();
  EXPECT_EQ(error_of([&] { static_cast<void>(registry.find("a", "open")); }).reason(), Errc::not_found);
  EXPECT_TRUE(registry.queues().empty());
}

TEST(RegistryLifetime, queues_of_dead_processes_do_not_count_for_the_quota) {
  TestRegistry registry({.queues_per_user = 2});
  Owned owned(registry);
  registry.declare(k_alice, "b", k_small);
  EXPECT_EQ(error_of([&] { registry.declare(k_alice, "c", k_small); }).reason(), Errc::limit_reached);
  owned.lock.reset();
  EXPECT_TRUE(registry.declare(k_alice, "c", k_small).created);
}

TEST(RegistryLifetime, ownership_is_resumed_by_its_process_and_by_nobody_else) {
  TestRegistry registry({});
  const Owned owned(registry);
  EXPECT_EQ(registry.resume(k_neighbour, 8, owned.name()), Registry::Resumed::refused);
  EXPECT_EQ(registry.resume(k_unseen, 8, owned.name()), Registry::Resumed::refused);
  EXPECT_EQ(registry.resume(k_alice, 9, owned.name()), Registry::Resumed::ok);
  EXPECT_EQ(owned.queue.record().owner_process.session, 9U);
  const Queue& plain = registry.declare(k_alice, "b", k_small).queue;
  EXPECT_EQ(registry.resume(k_alice, 9, {plain.record().id, k_queue_owner, 0}), Registry::Resumed::gone);
}

TEST(RegistryLifetime, process_that_cannot_be_seen_is_known_by_its_connection) {
  TestRegistry registry({});
  const auto first = registry.declare(k_unseen, "a", exclusive(), {}, k_session);
  const Fd lock = first.queue.take_owner_lock();
  EXPECT_FALSE(registry.declare(k_unseen, "a", exclusive(), {}, k_session).created);
  const Error refused = error_of([&] { registry.declare(k_unseen, "a", exclusive(), {}, k_session + 1); });
  EXPECT_EQ(refused.reason(), Errc::already_exists);
  EXPECT_NE(std::string(refused.what()).find("of another pid namespace"), std::string::npos) << refused.what();
}

TEST(RegistryLifetime, exclusive_queue_is_removed_by_its_user_while_the_process_lives) {
  TestRegistry registry({});
  const Owned owned(registry);
  registry.session_ended(k_session, {owned.name()});
  registry.remove("a");
  EXPECT_TRUE(registry.queues().empty());
  EXPECT_EQ(registry.reap_pending(), 0U);
}

TEST(RegistryLifetime, unused_queue_expires_when_its_time_is_over_and_not_before) {
  TestRegistry registry({});
  registry.declare(k_alice, "a", expiring(60s));
  EXPECT_TRUE(registry.has_new_expiry());
  EXPECT_FALSE(registry.has_new_expiry());
  const auto now = Clock::now();
  const auto due = registry.remove_expired(now);
  ASSERT_TRUE(due);
  EXPECT_LE(*due, now + 60s);
  EXPECT_GT(*due, now + 59s);
  EXPECT_EQ(registry.remove_expired(*due - 1ms), due);
  EXPECT_EQ(registry.queues().size(), 1U);
  EXPECT_EQ(registry.remove_expired(*due), std::nullopt);
  EXPECT_TRUE(registry.queues().empty());
}

TEST(RegistryLifetime, attached_endpoint_keeps_a_queue_and_its_end_begins_the_time) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", expiring(60s)).queue;
  auto consumer = attach(queue, Role::consumer);
  EXPECT_EQ(queue.description(false).info.expires_in, std::nullopt);
  const auto now = Clock::now();
  EXPECT_EQ(registry.remove_expired(now), now + 60s) << "the earliest that it can be due";
  EXPECT_EQ(registry.remove_expired(now + 60s), now + 120s);
  registry.session_ended(k_session, {{queue.record().id, consumer.reply.endpoint, consumer.reply.incarnation}});
  EXPECT_EQ(queue.expires_at(), std::nullopt) << "its process closed the connection and lives";
  consumer.owned.clear();
  EXPECT_EQ(registry.reap_pending(), 0U);
  const auto left = queue.description(false).info.expires_in;
  ASSERT_TRUE(left);
  EXPECT_GT(*left, 59s);
  const auto due = registry.remove_expired(now + 59s);
  ASSERT_TRUE(due);
  EXPECT_GT(*due, now + 59s);
  static_cast<void>(registry.remove_expired(*due));
  EXPECT_TRUE(registry.queues().empty());
}

TEST(RegistryLifetime, inspector_does_not_keep_a_queue) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", expiring(60s)).queue;
  const auto end = queue.expires_at();
  const auto inspector = attach(queue, Role::inspector);
  EXPECT_EQ(queue.expires_at(), end);
}

TEST(RegistryLifetime, declare_begins_the_time_without_use_anew) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", expiring(60s)).queue;
  const auto before = queue.expires_at();
  std::this_thread::sleep_for(5ms);
  static_cast<void>(registry.find("a", "open"));
  EXPECT_EQ(queue.expires_at(), before) << "an open is no use";
  registry.declare(k_alice, "a", expiring(60s));
  EXPECT_GT(queue.expires_at(), before);
}

TEST(RegistryLifetime, late_look_gives_a_grace_since_nobody_could_attach_meanwhile) {
  TestRegistry registry({});
  registry.declare(k_alice, "long", expiring(60s));
  registry.declare(k_alice, "short", expiring(2s));
  ASSERT_TRUE(registry.remove_expired());
  const auto woken = Clock::now() + 10h;
  EXPECT_EQ(registry.remove_expired(woken), woken + 2s);
  EXPECT_EQ(registry.queues().size(), 2U);
  EXPECT_EQ(registry.remove_expired(woken + 2s), woken + 10s);
  EXPECT_EQ(registry.queues().size(), 1U);
  EXPECT_EQ(registry.remove_expired(woken + 10s), std::nullopt);
}

}  // namespace
}  // namespace beltway::daemon
