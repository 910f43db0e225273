// The daemon's queues without its sockets: rights, quotas, and places that are kept as long as their lock.
#include "registry_support.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "os/mark.hpp"
#include "ring/groups.hpp"
#include "ring/queue_setup.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

using namespace beltway::os;
using namespace beltway::ring;
using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;
using wire::AttachRequest;
using wire::Role;

bool is_attached(const Queue& queue, unsigned place) { return queue.record().endpoints[place].attached; }

TEST(Registry, the_registry_finds_queues_by_name_and_id_and_never_gives_an_id_again) {
  TestRegistry registry({});
  const std::uint64_t first = registry.declare(k_alice, "a", k_small).queue.record().id;
  EXPECT_EQ(&registry.find("a", "open"), &registry.find(first, "open"));
  registry.remove("a");
  EXPECT_EQ(error_of([&] { static_cast<void>(registry.find("a", "open")); }).reason(), Errc::not_found);
  EXPECT_EQ(error_of([&] { static_cast<void>(registry.find(first, "open")); }).reason(), Errc::removed);
  EXPECT_NE(registry.declare(k_alice, "a", k_small).queue.record().id, first);
  EXPECT_NE(TestRegistry({}).declare(k_alice, "a", k_small).queue.record().id, first);
}

TEST(Registry, the_registry_opens_a_queue_declared_again_and_makes_the_groups_that_are_missing) {
  TestRegistry registry({});
  QueueOptions options = k_small;
  options.groups = {"one"};
  EXPECT_TRUE(registry.declare(k_alice, "a", options).created);
  options.groups = {"one", "two"};
  const Registry::Declared again = registry.declare(k_alice, "a", options);
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.queue.description(false).info.options.groups, (std::vector<NamedGroup>{"one", "two"}));
  options.groups = {"three"};
  EXPECT_EQ(error_of([&] { registry.declare(k_alice, "a", options); }).reason(), Errc::limit_reached);
}

TEST(Registry, the_registry_keeps_own_options_of_a_group_and_only_its_owner_sets_them) {
  TestRegistry registry({});
  QueueOptions options = k_small;
  options.mode = 0644;
  options.evict_after = 60s;
  options.groups = {"plain", {"own", {.evict_after = 5s}}};
  Queue& queue = registry.declare(k_alice, "a", options).queue;
  EXPECT_EQ(queue.description(false).info.options.groups, options.groups);
  EXPECT_EQ(queue.shortest_evict_after(), 5s);
  EXPECT_NO_THROW(registry.declare(k_bob, "a", options)) << "the same options";
  options.groups = {"own", {"plain", {.evict_after = 60s}}};
  EXPECT_NO_THROW(registry.declare(k_bob, "a", options)) << "no options ask for nothing, and it has the queue's";
  options.groups = {{"own", {.evict_after = 0s}}};
  const Error differs = error_of([&] { registry.declare(k_alice, "a", options); });
  EXPECT_EQ(differs.reason(), Errc::already_exists);
  EXPECT_NE(std::string(differs.what()).find("group \"own\" evict_after_ms 5000, not 0"), std::string::npos)
      << differs.what();
  queue.remove_group("own");
  EXPECT_EQ(queue.shortest_evict_after(), 60s);
  const auto add = [&](const Peer& peer, const NamedGroup& group) {
    return error_of([&] { registry.add_groups(peer, queue, {group}, Start::latest, "test"); }).reason();
  };
  EXPECT_EQ(add(k_bob, {"own", {.evict_after = 0s}}), Errc::no_permission) << "it would hold producers back for ever";
  EXPECT_EQ(add(k_bob, "own"), Errc{});
  EXPECT_EQ(add(k_alice, {"own", {.evict_after = 0s}}), Errc::already_exists);
}

TEST(Registry, the_registry_names_the_option_that_differs_and_both_values) {
  TestRegistry registry({});
  registry.declare(k_alice, "a", k_small);
  QueueOptions other = k_small;
  other.slots = 8;
  const Error error = error_of([&] { registry.declare(k_alice, "a", other); });
  EXPECT_EQ(error.reason(), Errc::already_exists);
  EXPECT_NE(std::string(error.what()).find("declare \"a\": it exists with slots 4, not 8"), std::string::npos)
      << error.what();
}

TEST(Registry, the_registry_holds_each_user_to_its_quota) {
  const std::uint64_t bytes = shared_bytes_of(geometry_of(k_small));
  TestRegistry by_count({.queues_per_user = 1});
  by_count.declare(k_alice, "a", k_small);
  EXPECT_EQ(error_of([&] { by_count.declare(k_alice, "b", k_small); }).reason(), Errc::limit_reached);
  EXPECT_NO_THROW(by_count.declare(k_bob, "b", k_small)) << "another user has its own";
  by_count.remove("a");
  EXPECT_NO_THROW(by_count.declare(k_alice, "c", k_small));
  TestRegistry by_bytes({.bytes_per_user = 2 * bytes});
  by_bytes.declare(k_alice, "a", k_small);
  by_bytes.declare(k_alice, "b", k_small);
  const Error error = error_of([&] { by_bytes.declare(k_alice, "c", k_small); });
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  EXPECT_NE(std::string(error.what()).find(std::to_string(2 * bytes)), std::string::npos) << error.what();
}

TEST(Rights, rights_of_a_queue_are_those_of_a_file) {
  QueueRecord queue;
  queue.owner_uid = k_alice.uid;
  queue.owner_gid = k_alice.gid;
  const Peer member{.pid = 1, .uid = 1003, .gid = 9, .groups = {5, k_alice.gid}};
  const auto may = [&](const Peer& peer, std::uint32_t mode) {
    queue.options.mode = mode;
    return std::string(allowed(peer, queue, Right::consume) ? "r" : "-") +
           (allowed(peer, queue, Right::produce) ? "w" : "-") + (allowed(peer, queue, Right::own) ? "o" : "-");
  };
  EXPECT_EQ(may(k_alice, 0600), "rwo");
  EXPECT_EQ(may(k_alice, 0400), "r-o");
  EXPECT_EQ(may(k_alice, 0066), "--o") << "the owner is not one of the others";
  EXPECT_EQ(may(member, 0640), "r--");
  EXPECT_EQ(may(member, 0620), "-w-");
  EXPECT_EQ(may(member, 0606), "---") << "a member is not one of the others";
  EXPECT_EQ(may(k_bob, 0660), "---");
  EXPECT_EQ(may(k_bob, 0664), "r--");
  EXPECT_EQ(may(k_bob, 0602), "-w-");
  EXPECT_EQ(may(k_root, 0000), "rwo");
  queue.options.mode = 0002;
  EXPECT_TRUE(allowed(k_bob, queue, Right::see));
  queue.options.mode = 0660;
  EXPECT_FALSE(allowed(k_bob, queue, Right::see));
}

TEST(Endpoint, an_endpoint_keeps_its_place_exactly_as_long_as_its_lock) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachGrant held = attach(queue, Role::producer);
  EXPECT_FALSE(queue.reap_if_dead(0));
  EXPECT_TRUE(is_attached(queue, 0));
  held = {};
  EXPECT_TRUE(queue.reap_if_dead(0));
  EXPECT_FALSE(is_attached(queue, 0));
}

TEST(Endpoint, an_endpoint_keeps_its_place_through_its_mapping_when_all_descriptors_are_closed) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachGrant held = attach(queue, Role::consumer);
  Mapping mapping(held.borrowed[0], {0, 4096}, Access::read_write, "test");
  held = {};
  EXPECT_FALSE(queue.reap_if_dead(2)) << "consumers' places come after the two producers'";
  mapping = {};
  EXPECT_TRUE(queue.reap_if_dead(2));
}

TEST(Endpoint, an_endpoint_gets_another_incarnation_at_each_attach) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachGrant first = attach(queue, Role::producer);
  const auto incarnation = first.reply.incarnation;
  first = {};
  ASSERT_TRUE(queue.reap_if_dead(0));
  const AttachGrant second = attach(queue, Role::producer);
  EXPECT_EQ(second.reply.endpoint, 0U);
  EXPECT_EQ(second.reply.incarnation, incarnation + 1);
  EXPECT_FALSE(queue.find_endpoint(0, incarnation).has_value());
  EXPECT_TRUE(queue.find_endpoint(0, incarnation + 1).has_value());
  EXPECT_FALSE(queue.find_endpoint(200, 1).has_value());
}

TEST(Endpoint, an_attach_without_a_free_place_checks_all_endpoints) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachGrant first = attach(queue, Role::producer);
  const AttachGrant second = attach(queue, Role::producer);
  const Error error = error_of([&] { static_cast<void>(attach(queue, Role::producer)); });
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  EXPECT_NE(std::string(error.what()).find("max_producers is 2"), std::string::npos) << error.what();
  first = {};  // dies, and nobody tells
  EXPECT_EQ(attach(queue, Role::producer).reply.endpoint, 0U);
}

TEST(Endpoint, an_endpoint_cannot_have_a_place_whose_byte_a_neighbour_has_locked) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  const AttachGrant first = attach(queue, Role::producer);
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_start = 1;
  lock.l_len = 1;
  ASSERT_EQ(::fcntl(first.borrowed[0], F_OFD_SETLK, &lock), 0);
  EXPECT_EQ(error_of([&] { static_cast<void>(attach(queue, Role::producer)); }).reason(), Errc::limit_reached);
}

TEST(Endpoint, an_endpoint_of_an_ended_connection_is_awaited_until_its_memory_is_gone) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachGrant mapped = attach(queue, Role::producer);
  const AttachGrant others = attach(queue, Role::producer, "", k_session + 1);
  std::vector<wire::EndpointName> endpoints;
  const auto note = [&](const AttachGrant& handout) {
    endpoints.push_back({queue.record().id, handout.reply.endpoint, handout.reply.incarnation});
  };
  note(mapped);
  note(others);
  {
    const AttachGrant gone = attach(queue, Role::consumer);
    note(gone);
  }
  registry.session_ended(k_session, endpoints);
  EXPECT_FALSE(is_attached(queue, 2)) << "its memory was gone at once";
  EXPECT_EQ(registry.pending_deaths(), 1U);
  EXPECT_EQ(registry.reap_pending(), 1U);
  mapped = {};
  EXPECT_EQ(registry.reap_pending(), 0U);
  EXPECT_FALSE(is_attached(queue, 0));
  EXPECT_TRUE(is_attached(queue, 1)) << "of another connection";
}

TEST(Endpoint, an_endpoint_can_be_taken_over_only_by_the_next_connection_of_its_process) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  const AttachGrant held = attach(queue, Role::producer);
  const wire::EndpointName name{queue.record().id, held.reply.endpoint, held.reply.incarnation};
  registry.session_ended(k_session, {name});
  using enum Registry::Resumed;
  EXPECT_EQ(registry.resume(k_bob, 9, name), refused);
  EXPECT_EQ(registry.resume({.pid = 555, .uid = k_alice.uid}, 9, name), refused);
  EXPECT_EQ(registry.resume(k_alice, 9, {name.queue + 1, name.endpoint, name.incarnation}), gone);
  EXPECT_EQ(registry.resume(k_alice, 9, {name.queue, name.endpoint, name.incarnation + 1}), gone);
  EXPECT_EQ(queue.record().endpoints[0].session, 0U) << "nobody's until its own process asks";
  EXPECT_EQ(registry.resume({.pid = k_alice.pid, .uid = k_bob.uid}, 9, name), ok) << "it has become another user";
  EXPECT_EQ(registry.reap_pending(), 0U) << "it is the new connection's care";
  EXPECT_EQ(queue.record().endpoints[0].session, 9U);
}

TEST(Endpoint, an_endpoint_is_detached_when_its_lock_is_gone_and_not_by_a_mere_request) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachGrant held = attach(queue, Role::producer);
  const wire::EndpointName name{queue.record().id, held.reply.endpoint, held.reply.incarnation};
  registry.detach(k_session + 1, name);
  EXPECT_TRUE(is_attached(queue, 0));
  EXPECT_EQ(registry.pending_deaths(), 0U) << "another connection's word changes nothing";
  held = {};
  registry.detach(k_session + 1, name);
  EXPECT_FALSE(is_attached(queue, 0)) << "a connection made after the daemon's restart may say it, too";
}

TEST(Groups, places_of_groups_are_used_again_when_no_consumer_remains) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  queue.add_groups({"one", "two"}, Start::latest, "test");
  AttachGrant member = attach(queue, Role::consumer, "one");
  EXPECT_EQ(member.reply.kind, GroupKind::named);
  queue.remove_group("one");
  EXPECT_FALSE(queue.find_group("one").has_value());
  EXPECT_EQ(error_of([&] { queue.add_groups({"three"}, Start::latest, "test"); }).reason(), Errc::limit_reached)
      << "a consumer is still attached to the removed group";
  member = {};
  ASSERT_TRUE(queue.reap_if_dead(2));
  EXPECT_NO_THROW(queue.add_groups({"three"}, Start::latest, "test"));
  EXPECT_EQ(queue.find_group("three"), 0U);
  const AttachGrant later = attach(queue, Role::consumer, "three");
  EXPECT_NE(later.reply.group_incarnation, 0U);
  EXPECT_EQ(error_of([&] { queue.remove_group("one"); }).reason(), Errc::not_found);
}

/// Nobody is attached who would drain it, and producers would wait for it for ever.
TEST(Groups, groups_whose_removal_a_killed_daemon_had_begun_are_drained_by_the_next) {
  for (const GroupPhase found : {GroupPhase::active, GroupPhase::leaving}) {
    const Geometry geometry = geometry_of(k_small);
    SavedQueues::SavedQueue left;
    left.descriptors.ring = make_segment("ring", geometry.ring_bytes(), "test");
    left.descriptors.control = make_segment("control", geometry.control_bytes(), "test");
    for (unsigned i = 0; i < k_bells; ++i) left.descriptors.bells.push_back(make_bell("test"));
    const Mapping ring(left.descriptors.ring.get(), {0, geometry.ring_bytes()}, Access::read_write, "test");
    const Mapping control(left.descriptors.control.get(), {0, geometry.control_bytes()}, Access::read_write, "test");
    const QueueMemory memory{.geometry = geometry, .ring = ring.data(), .control = control.data()};
    initialize_queue(memory, 1, false);
    join(memory, 0, GroupKind::named, Start::latest);
    GroupStateWord word = GroupStateWord::of(memory.group(0).state.load_relaxed());
    word.phase = found;
    memory.group(0).state.store_relaxed(word.word());

    left.record.name = "a";
    left.record.options = k_small;
    left.record.groups.resize(geometry.max_groups);
    left.record.groups[0].state = GroupRecord::State::leaving;
    left.record.endpoints.resize(geometry.endpoints());
    EmptySavedQueues next;
    const Queue queue(std::move(left), next.saved_queues);
    EXPECT_EQ(GroupStateWord::of(memory.group(0).state.load_relaxed()).phase, GroupPhase::drained)
        << "found " << static_cast<unsigned>(found);
  }
}

/// Else consumers would get messages that producers may overwrite: they have limits of the floor before the reset.
TEST(Groups, a_reset_that_a_killed_daemon_had_begun_is_finished_by_the_next) {
  const Geometry geometry = geometry_of(k_small);
  SavedQueues::SavedQueue left;
  left.descriptors.ring = make_segment("ring", geometry.ring_bytes(), "test");
  left.descriptors.control = make_segment("control", geometry.control_bytes(), "test");
  for (unsigned i = 0; i < k_bells; ++i) left.descriptors.bells.push_back(make_bell("test"));
  const Mapping ring(left.descriptors.ring.get(), {0, geometry.ring_bytes()}, Access::read_write, "test");
  const Mapping control(left.descriptors.control.get(), {0, geometry.control_bytes()}, Access::read_write, "test");
  const QueueMemory memory{.geometry = geometry, .ring = ring.data(), .control = control.data()};
  initialize_queue(memory, 1, false);
  join(memory, 0, GroupKind::named, Start::latest);
  // Two messages, acknowledged, which the daemon has leased; the floor has not gone back yet.
  for (Position p = 0; p < 2; ++p) {
    memory.slot(p).state.store_relaxed(SlotState{p, 0, SlotPhase::ready}.word());
    memory.lease(0, p).store_relaxed(Lease{p, k_no_owner, 0, LeasePhase::leased}.word());
  }
  memory.tail().store_relaxed(Tail{2, 0, 0}.word());
  memory.group(0).floor.store_relaxed(Floor{1, 2}.word());

  left.record.name = "a";
  left.record.options = k_small;
  left.record.groups.resize(geometry.max_groups);
  left.record.groups[0] = {.state = GroupRecord::State::active, .name = "g", .incarnation = 1, .reset_to = 0};
  left.record.endpoints.resize(geometry.endpoints());
  EmptySavedQueues next;
  const Queue queue(std::move(left), next.saved_queues);
  EXPECT_EQ(wrap(memory.group(0).floor.load_relaxed()), 0U);
  for (Position p = 0; p < 2; ++p) {
    const Lease lease = Lease::of(memory.lease(0, p).load_relaxed());
    EXPECT_EQ(lease.phase, LeasePhase::retry) << p;
    EXPECT_EQ(lease.tries, 0U) << "healed before the reset was finished";
  }
  EXPECT_NE(Tail::of(memory.tail().load_relaxed()).generation, 0U) << "producers may use their old limits";
  EXPECT_EQ(queue.record().groups[0].reset_to, std::nullopt);
}

TEST(Groups, groups_that_are_missing_are_made_at_attach_if_asked_for) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  AttachRequest request{.role = Role::consumer, .barriers = true, .consumer = {.group = "new"}};
  EXPECT_EQ(error_of([&] { static_cast<void>(queue.attach(k_alice, k_session, request)); }).reason(), Errc::not_found);
  request.consumer.create_group = true;
  EXPECT_EQ(queue.attach(k_alice, k_session, request).reply.group, 0U);
}

TEST(Groups, groups_of_private_consumers_lie_behind_the_named_ones) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  const AttachGrant first = attach(queue, Role::consumer);
  const AttachGrant second = attach(queue, Role::consumer);
  EXPECT_EQ(first.reply.group, 2U);
  EXPECT_EQ(second.reply.group, 3U);
  EXPECT_EQ(second.reply.kind, GroupKind::private_reliable);
}

TEST(Queue, a_queue_hands_out_writable_memory_to_producers_only) {
  TestRegistry registry({});
  QueueOptions options = k_small;
  options.lane_bytes = 4096;
  Queue& queue = registry.declare(k_alice, "a", options).queue;
  const auto access = [](int descriptor) { return ::fcntl(descriptor, F_GETFL) & O_ACCMODE; };
  const AttachGrant producer = attach(queue, Role::producer);
  const AttachGrant consumer = attach(queue, Role::consumer);
  const AttachGrant inspector = attach(queue, Role::inspector);
  ASSERT_EQ(producer.borrowed.size(), 3U);
  ASSERT_EQ(consumer.borrowed.size(), 3U);
  ASSERT_EQ(inspector.borrowed.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(access(producer.borrowed[i]), O_RDWR) << i;
    EXPECT_EQ(access(consumer.borrowed[i]), i == 0 ? O_RDWR : O_RDONLY) << i;
    EXPECT_EQ(access(inspector.borrowed[i]), O_RDONLY) << i;
  }
}

TEST(Queue, a_queue_turns_to_symmetric_fences_for_a_process_without_membarrier) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  const AttachGrant with = attach(queue, Role::producer);
  const Mapping control(with.borrowed[0], {0, geometry_of(k_small).control_bytes()}, Access::read_only, "test");
  const QueueMemory memory{.geometry = geometry_of(k_small), .control = control.data()};
  EXPECT_EQ(Notice::of(memory.shared_status().notice.load_relaxed()).flags & k_notice_symmetric, 0U);
  const AttachGrant without = queue.attach(k_alice, k_session, {.role = Role::producer, .barriers = false});
  EXPECT_NE(Notice::of(memory.shared_status().notice.load_relaxed()).flags & k_notice_symmetric, 0U);
  EXPECT_EQ(memory.shared_status().live_producers.load_relaxed(), 3U);
  EXPECT_EQ(memory.shared_status().producers_ever.load_relaxed(), 2U);
  registry.remove("a");
  EXPECT_NE(Notice::of(memory.shared_status().notice.load_relaxed()).flags & k_notice_removed, 0U);
}

}  // namespace
}  // namespace beltway::daemon
