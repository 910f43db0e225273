// A queue that is declared again, without sockets: what is compared, what is told, and what is changed while it lives.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "registry_support.hpp"

namespace beltway::daemon {
namespace {

using namespace std::chrono_literals;
using wire::AttachRequest;
using wire::Role;

TEST(RegistryDeclare, a_declare_names_every_option_that_differs_and_changes_nothing_then) {
  TestRegistry registry({});
  const Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  QueueOptions other = k_small;
  other.slots = 8;
  other.max_groups = 1;
  other.evict_after = 5s;
  const Error all = error_of([&] { registry.declare(k_alice, "a", other); });
  EXPECT_NE(std::string(all.what()).find("slots 4, not 8; max_groups 2, not 1; evict_after_ms 0, not 5000; these are"),
            std::string::npos)
      << all.what();
  const Error some = error_of([&] { registry.declare(k_alice, "a", other, {{"slots", "evict_after_ms"}}); });
  EXPECT_NE(std::string(some.what()).find("it exists with slots 4, not 8; these are"), std::string::npos)
      << some.what();
  EXPECT_EQ(queue.record().options.evict_after, 0ms);
}

TEST(RegistryDeclare, a_declare_compares_only_the_options_that_are_given) {
  TestRegistry registry({});
  registry.declare(k_alice, "a", k_small);
  const std::vector<std::string> nothing;
  EXPECT_NO_THROW(registry.declare(k_alice, "a", {}, nothing)) << "no option was named";
  EXPECT_NO_THROW(registry.declare(k_alice, "a", {.slots = 4}, {{"slots"}}));
  EXPECT_EQ(error_of([&] { registry.declare(k_alice, "a", {.slots = 8}, {{"slots"}}); }).reason(),
            Errc::already_exists);
}

TEST(RegistryDeclare, a_declare_changes_evict_after_for_the_owner_and_root_only) {
  TestRegistry registry({});
  QueueOptions options = k_small;
  options.mode = 0666;
  options.groups = {"plain", {"own", {.evict_after = 5s}}};
  Queue& queue = registry.declare(k_alice, "a", options).queue;
  const std::vector<std::string> said{"evict_after_ms"};
  const QueueOptions wanted{.groups = {{"own", {.evict_after = 9s}}}, .evict_after = 7s};
  const Error refused = error_of([&] { registry.declare(k_bob, "a", wanted, said); });
  EXPECT_EQ(refused.reason(), Errc::no_permission);
  EXPECT_NE(std::string(refused.what()).find("change evict_after_ms of"), std::string::npos) << refused.what();
  EXPECT_EQ(queue.shortest_evict_after(), 5s) << "nothing was changed";
  const auto changed = registry.declare(k_root, "a", wanted, said).changed;
  ASSERT_EQ(changed.size(), 2U);
  EXPECT_EQ(changed[0].from + " " + changed[0].to + changed[0].group, "0 7000");
  EXPECT_EQ(changed[1].from + " " + changed[1].to + changed[1].group, "5000 9000own");
  EXPECT_EQ(queue.shortest_evict_after(), 7s);
  EXPECT_TRUE(registry.declare(k_alice, "a", wanted, said).changed.empty()) << "it is so already";
  EXPECT_NO_THROW(registry.declare(k_bob, "a", wanted, said)) << "who asks for what is changes nothing";
  EXPECT_EQ(registry.declare(k_alice, "a", {}, said).changed.size(), 1U) << "0 was said";
  EXPECT_EQ(queue.record().options.evict_after, 0ms);
}

TEST(RegistryDeclare, a_declare_changes_nothing_if_a_group_finds_no_place) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "a", k_small).queue;
  const QueueOptions wanted{.max_groups = 3, .groups = {"one", "two", "three"}, .evict_after = 7s};
  const auto call = [&] { registry.declare(k_alice, "a", wanted, {{"evict_after_ms"}}); };
  EXPECT_EQ(error_of(call).reason(), Errc::limit_reached);
  EXPECT_EQ(queue.record().options.evict_after, 0ms);
  EXPECT_FALSE(queue.find_group("one"));
}

TEST(RegistryDeclare, a_consumer_that_attached_without_a_time_is_never_evictable_and_later_ones_are) {
  TestRegistry registry({});
  QueueOptions options = k_small;
  options.groups = {"g"};
  Queue& queue = registry.declare(k_alice, "a", options).queue;
  const AttachGrant before = attach(queue, Role::consumer, "g");
  registry.declare(k_alice, "a", {.evict_after = 5s}, {{"evict_after_ms"}});
  const AttachGrant after = attach(queue, Role::consumer, "g");
  EXPECT_FALSE(before.reply.evictable);
  EXPECT_TRUE(after.reply.evictable);
  const std::vector<EndpointInfo> told = queue.description(true).info.endpoints;
  EXPECT_EQ(told.size(), 2U);
  EXPECT_FALSE(told[0].evictable);
  EXPECT_TRUE(told[1].evictable);
}

}  // namespace
}  // namespace beltway::daemon
