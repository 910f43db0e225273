// Where queues may send their dead letters, without sockets: each condition at each call that makes a link, and what keeps a
// target from being removed.
#include <gtest/gtest.h>

#include <chrono>

#include "registry_support.hpp"

namespace beltway::daemon {
namespace {

using namespace std::chrono_literals;

/// A declare that asks for no option of the queue.
const Registry::Said k_only_groups = std::vector<std::string>();

QueueOptions with(QueueOptions options, std::vector<NamedGroup> groups) {
  options.groups = std::move(groups);
  return options;
}
QueueOptions sending_to(const std::string& target) {
  QueueOptions options = k_small;
  options.dead_letter = target;
  return options;
}
/// Large enough for k_small, with a group.
QueueOptions target_options() {
  QueueOptions options = with(k_small, {"all"});
  options.lane_bytes = 4096;
  return options;
}

/// How a link from queue "source" to a target is made: each of these must check it.
struct Way {
  std::string name;
  std::function<void(Registry&, const std::string& target)> link;
};
const std::vector<Way> k_ways{
    {"declare of a new queue",
     [](Registry& registry, const std::string& target) { registry.declare(k_alice, "source", sending_to(target)); }},
    {"declare of a new queue with a group of its own",
     [](Registry& registry, const std::string& target) {
       registry.declare(k_alice, "source", with(k_small, {{"g", {.dead_letter = target}}}));
     }},
    {"add_group",
     [](Registry& registry, const std::string& target) {
       Queue& queue = registry.declare(k_alice, "source", k_small).queue;
       registry.add_groups(k_alice, queue, {{"g", {.dead_letter = target}}}, Start::latest, "add a group to");
     }},
    {"declare that makes a group",
     [](Registry& registry, const std::string& target) {
       registry.declare(k_alice, "source", k_small);
       registry.declare(k_alice, "source", with(k_small, {{"g", {.dead_letter = target}}}));
     }},
    {"change of the queue",
     [](Registry& registry, const std::string& target) {
       registry.declare(k_alice, "source", k_small);
       registry.declare(k_alice, "source", sending_to(target), {{"dead_letter"}});
     }},
    {"change of a group",
     [](Registry& registry, const std::string& target) {
       registry.declare(k_alice, "source", with(k_small, {"g"}));
       registry.declare(k_alice, "source", with({}, {{"g", {.dead_letter = target}}}), k_only_groups);
     }},
};

/// Each way must refuse a link to `target`, in a registry that `prepare` has filled, and the error must say all of `says`.
void expect_refused(const std::function<void(Registry&)>& prepare, const std::string& target, Errc reason,
                    const std::vector<std::string>& says) {
  for (const Way& way : k_ways) {
    SCOPED_TRACE(way.name);
    TestRegistry registry({});
    prepare(registry);
    const Error refused = error_of([&] { way.link(registry, target); });
    EXPECT_EQ(refused.reason(), reason) << refused.what();
    for (const std::string& text : says) {
      EXPECT_NE(std::string(refused.what()).find(text), std::string::npos) << text << "\n" << refused.what();
    }
    if (registry.queues().contains("source")) {
      const QueueRecord& source = registry.find("source", "open").record();
      EXPECT_EQ(source.options.dead_letter, "") << "nothing was changed";
      for (const GroupRecord& group : source.groups) EXPECT_EQ(group.options.dead_letter, std::nullopt);
    }
  }
}

TEST(RegistryDeadLetters, good_target_is_taken_by_each_call_that_makes_a_link) {
  for (const Way& way : k_ways) {
    SCOPED_TRACE(way.name);
    TestRegistry registry({});
    registry.declare(k_bob, "failed", target_options());
    EXPECT_NO_THROW(way.link(registry, "failed")) << "the caller needs no right there";
    EXPECT_EQ(error_of([&] { registry.require_no_sources(k_bob, registry.find("failed", "remove")); }).reason(),
              Errc::misuse);
  }
}

TEST(RegistryDeadLetters, target_that_does_not_exist_is_refused_by_each_call_that_makes_a_link) {
  expect_refused([](Registry&) {}, "failed", Errc::not_found,
                 {"\"source\"", "dead_letter is \"failed\"", "no such queue", "beltway declare failed --group all"});
}

TEST(RegistryDeadLetters, command_that_a_refusal_names_makes_a_target_that_is_large_enough) {
  TestRegistry registry({});
  QueueOptions options = sending_to("failed");
  options.lane_bytes = QueueOptions{}.lane_bytes;
  const std::string refused = error_of([&] { registry.declare(k_alice, "source", options); }).what();
  static const std::string k_option = "beltway declare failed --group all --lane-bytes ";
  ASSERT_NE(refused.find(k_option), std::string::npos) << refused;
  QueueOptions target = target_options();
  target.lane_bytes = std::stoull(refused.substr(refused.find(k_option) + k_option.size()));
  registry.declare(k_alice, "failed", target);
  EXPECT_NO_THROW(registry.declare(k_alice, "source", options));
}

TEST(RegistryDeadLetters, command_that_a_refusal_names_makes_a_target_that_is_large_enough_for_others_that_wait) {
  TestRegistry registry({});
  QueueOptions target = target_options();
  target.lane_bytes = 2 * QueueOptions{}.lane_bytes;
  registry.declare(k_alice, "failed", target);
  QueueOptions large = sending_to("failed");
  large.lane_bytes = QueueOptions{}.lane_bytes;
  registry.declare(k_alice, "large", large);
  registry.remove("failed");
  const std::string refused = error_of([&] { registry.declare(k_alice, "small", sending_to("failed")); }).what();
  static const std::string k_option = "beltway declare failed --group all --lane-bytes ";
  ASSERT_NE(refused.find(k_option), std::string::npos) << refused;
  target.lane_bytes = std::stoull(refused.substr(refused.find(k_option) + k_option.size()));
  EXPECT_NO_THROW(registry.declare(k_alice, "failed", target));
  EXPECT_NO_THROW(registry.declare(k_alice, "small", sending_to("failed")));
}

TEST(RegistryDeadLetters, queue_is_refused_as_its_own_target_by_each_call_that_makes_a_link) {
  expect_refused([](Registry&) {}, "source", Errc::invalid_option,
                 {"\"source\" cannot be its own dead letter queue", "name another one"});
}

TEST(RegistryDeadLetters, target_without_a_named_group_is_refused_by_each_call_that_makes_a_link) {
  const auto prepare = [](Registry& registry) { registry.declare(k_alice, "failed", with(target_options(), {})); };
  expect_refused(prepare, "failed", Errc::invalid_option,
                 {"\"failed\" has no named group", "of \"source\"", "beltway group add failed all"});
}

TEST(RegistryDeadLetters, target_whose_messages_are_too_small_is_refused_by_each_call_that_makes_a_link) {
  const auto prepare = [](Registry& registry) {
    QueueOptions options = target_options();
    options.lane_bytes = 0;  // as the source
    registry.declare(k_alice, "failed", options);
  };
  expect_refused(prepare, "failed", Errc::invalid_option,
                 {"a message of \"source\" may have 112 bytes and takes up to " +
                      std::to_string(k_max_dead_letter_bytes) + " more",
                  "\"failed\" takes at most 112", "\"failed\" anew with lane_bytes of at least 4096"});
}

TEST(RegistryDeadLetters, typed_target_is_refused_by_each_call_that_makes_a_link) {
  const auto prepare = [](Registry& registry) {
    QueueOptions options = target_options();
    options.type = {.name = "Order", .size = 16, .alignment = 8};
    registry.declare(k_alice, "failed", options);
  };
  expect_refused(prepare, "failed", Errc::invalid_option,
                 {"\"failed\" has a type", "bytes of \"source\"", "declare \"failed\" without a type"});
}

TEST(RegistryDeadLetters, target_that_expires_or_is_exclusive_is_refused_by_each_call_that_makes_a_link) {
  const auto expiring = [](Registry& registry) {
    QueueOptions options = target_options();
    options.expire_after = 60s;
    registry.declare(k_alice, "failed", options);
  };
  expect_refused(expiring, "failed", Errc::invalid_option, {"\"failed\" is removed when it was unused", "\"source\""});
  TestRegistry registry({});
  QueueOptions options = target_options();
  options.exclusive = true;
  const os::Fd lock = registry.declare(k_alice, "failed", options, {}, k_session).queue.take_owner_lock();
  const Error refused = error_of([&] { registry.declare(k_alice, "source", sending_to("failed")); });
  EXPECT_NE(std::string(refused.what()).find("\"failed\" ends with its process"), std::string::npos) << refused.what();
}

TEST(RegistryDeadLetters, circle_of_two_queues_is_refused) {
  TestRegistry registry({});
  registry.declare(k_alice, "a", target_options());
  registry.declare(k_alice, "b", with(sending_to("a"), {"all"}));
  const QueueOptions back = sending_to("b");
  const Error refused = error_of([&] { registry.declare(k_alice, "a", back, {{"dead_letter"}}); });
  EXPECT_EQ(refused.reason(), Errc::invalid_option);
  EXPECT_NE(std::string(refused.what())
                .find("already go from \"b\" to \"a\", so they would go round in a circle; name "
                      "another queue, or change dead_letter of \"b\" first"),
            std::string::npos)
      << refused.what();
}

TEST(RegistryDeadLetters, circle_of_three_queues_through_groups_is_refused) {
  TestRegistry registry({});
  registry.declare(k_alice, "a", target_options());
  QueueOptions b = with(k_small, {{"plain"}, {"g", {.dead_letter = "a"}}});
  b.slot_bytes = 1024;  // larger than those of c, and smaller than those of a
  registry.declare(k_alice, "b", b);
  registry.declare(k_alice, "c", with(sending_to("b"), {"all"}));
  const QueueOptions back = with({}, {{"all", {.dead_letter = "c"}}});
  const Error refused = error_of([&] { registry.declare(k_alice, "a", back, k_only_groups); });
  EXPECT_EQ(refused.reason(), Errc::invalid_option);
  EXPECT_NE(std::string(refused.what()).find("\"a\": group \"all\""), std::string::npos) << refused.what();
  EXPECT_NE(std::string(refused.what()).find("from \"c\" to \"b\" to \"a\""), std::string::npos) << refused.what();
  EXPECT_NO_THROW(registry.declare(k_alice, "b", with({}, {{"g", {.dead_letter = ""}}}), k_only_groups));
  const Error size = error_of([&] { registry.declare(k_alice, "a", back, k_only_groups); });
  EXPECT_NE(std::string(size.what()).find("may have 4096 bytes"), std::string::npos)
      << "the circle is open, and the next condition counts: " << size.what();
}

TEST(RegistryDeadLetters, targets_of_several_queues_that_meet_are_no_circle) {
  TestRegistry registry({});
  QueueOptions last = target_options();
  last.lane_bytes = 8192;
  registry.declare(k_alice, "last", last);
  QueueOptions middle = target_options();
  middle.dead_letter = "last";
  registry.declare(k_alice, "middle", middle);
  EXPECT_NO_THROW(registry.declare(k_alice, "a", with(sending_to("middle"), {{"g", {.dead_letter = "last"}}})));
  EXPECT_NO_THROW(registry.declare(k_alice, "b", sending_to("middle")));
}

TEST(RegistryDeadLetters, queue_that_cannot_be_a_target_is_not_declared_under_the_name_that_others_wait_for) {
  TestRegistry registry({});
  registry.declare(k_alice, "failed", target_options());
  registry.declare(k_alice, "source", sending_to("failed"));
  registry.remove("failed");
  EXPECT_EQ(registry.description_of(registry.find("source", "describe")).info.missing_dead_letter_queues,
            std::vector<std::string>{"failed"});
  const auto refused = [&](QueueOptions options) {
    return std::string(error_of([&] { registry.declare(k_alice, "failed", options, {}, k_session); }).what());
  };
  QueueOptions options = target_options();
  options.expire_after = 60s;
  EXPECT_NE(refused(options).find("queue \"source\" sends its dead letters here: \"failed\" is removed when"),
            std::string::npos)
      << refused(options);
  options = target_options();
  options.exclusive = true;
  EXPECT_NE(refused(options).find("\"failed\" ends with its process"), std::string::npos) << refused(options);
  EXPECT_NE(refused(with(target_options(), {})).find("has no named group"), std::string::npos);
  EXPECT_NE(refused(k_small).find("may have 112 bytes"), std::string::npos);
  options = target_options();
  options.dead_letter = "source";
  EXPECT_NE(refused(options).find("from \"source\" to \"failed\", so they would go round"), std::string::npos)
      << refused(options);
  EXPECT_NO_THROW(registry.declare(k_alice, "failed", target_options()));
  EXPECT_TRUE(registry.description_of(registry.find("source", "describe")).info.missing_dead_letter_queues.empty());
}

TEST(RegistryDeadLetters, queue_whose_target_is_missing_may_be_declared_again_and_changed_otherwise) {
  TestRegistry registry({});
  registry.declare(k_alice, "failed", target_options());
  registry.declare(k_alice, "source", sending_to("failed"));
  registry.remove("failed");
  EXPECT_NO_THROW(registry.declare(k_alice, "source", sending_to("failed")));
  EXPECT_NO_THROW(registry.declare(k_alice, "source", {.retry_delay = 5ms}, {{"retry_delay_ms"}}));
  EXPECT_NO_THROW(registry.declare(k_alice, "source", with(k_small, {"g"}), k_only_groups));
  EXPECT_NO_THROW(registry.declare(k_alice, "source", {}, {{"dead_letter"}})) << "the link is taken away";
}

TEST(RegistryDeadLetters, refusal_to_remove_a_target_names_the_queues_that_the_caller_may_see_and_counts_the_others) {
  TestRegistry registry({});
  registry.declare(k_alice, "failed", target_options());
  registry.declare(k_alice, "orders", sending_to("failed"));
  registry.declare(k_alice, "jobs", with(k_small, {{"g", {.dead_letter = "failed"}}}));
  const auto refusal = [&] {
    return std::string(
        error_of([&] { registry.require_no_sources(k_alice, registry.find("failed", "remove")); }).what());
  };
  EXPECT_NE(refusal().find("remove \"failed\": it gets the dead letters of \"jobs\", \"orders\"; change"),
            std::string::npos)
      << refusal();
  EXPECT_NE(refusal().find("beltway remove failed --force"), std::string::npos) << refusal();
  registry.declare(k_bob, "secret", sending_to("failed"));
  EXPECT_NE(refusal().find("of \"jobs\", \"orders\" and 1 queue of another user;"), std::string::npos) << refusal();
  EXPECT_EQ(refusal().find("secret"), std::string::npos);
  registry.remove("orders");
  registry.remove("secret");
  registry.remove_group(k_alice, registry.find("jobs", "remove"), "g", false);
  EXPECT_EQ(refusal(), "nothing was thrown") << "a group that is removed sends nothing";
}

TEST(RegistryDeadLetters, last_group_of_a_target_is_removed_by_force_only) {
  TestRegistry registry({});
  QueueOptions options = target_options();
  options.groups = {"one", "two"};
  Queue& failed = registry.declare(k_alice, "failed", options).queue;
  registry.declare(k_alice, "source", sending_to("failed"));
  registry.remove_group(k_alice, failed, "one", false);
  const Error refused = error_of([&] { registry.remove_group(k_alice, failed, "two", false); });
  EXPECT_EQ(refused.reason(), Errc::misuse);
  EXPECT_NE(std::string(refused.what()).find("group \"two\" is its last one and keeps the dead letters of \"source\""),
            std::string::npos)
      << refused.what();
  EXPECT_NE(std::string(refused.what()).find("beltway group remove failed two --force"), std::string::npos);
  EXPECT_TRUE(failed.find_group("two"));
  EXPECT_EQ(error_of([&] { registry.remove_group(k_alice, failed, "three", false); }).reason(), Errc::not_found);
  registry.add_groups(k_alice, failed, {"three"}, Start::latest, "add a group to");
  EXPECT_NO_THROW(registry.remove_group(k_alice, failed, "two", false));
  EXPECT_NO_THROW(registry.remove_group(k_alice, failed, "three", true));
  EXPECT_FALSE(failed.find_group("three"));
}

TEST(RegistryDeadLetters, last_group_of_a_queue_that_is_no_target_is_removed_without_force) {
  TestRegistry registry({});
  Queue& queue = registry.declare(k_alice, "q", target_options()).queue;
  EXPECT_NO_THROW(registry.remove_group(k_alice, queue, "all", false));
}

TEST(RegistryDeadLetters, names_of_the_targets_of_all_groups_are_bounded_so_that_records_keep_their_size) {
  TestRegistry registry({});
  const std::string name(k_max_name_length, 'x');
  registry.declare(k_alice, name, target_options());
  QueueOptions options = k_small;
  options.max_groups = k_max_groups;
  auto add_group = [&, i = 0](std::size_t count) mutable {
    for (; count > 0; --count) options.groups.push_back({std::to_string(i++), {.dead_letter = name}});
  };
  add_group(k_max_target_names_bytes / k_max_name_length);
  EXPECT_NO_THROW(registry.declare(k_alice, "q", options));
  Queue& queue = registry.find("q", "open");
  const NamedGroup one_more{"one-more", {.dead_letter = name}};
  EXPECT_EQ(
      error_of([&] { registry.add_groups(k_alice, queue, {one_more}, Start::latest, "add a group to"); }).reason(),
      Errc::limit_reached);
  EXPECT_NO_THROW(registry.add_groups(k_alice, queue, {"one-more"}, Start::latest, "add a group to"));
  EXPECT_EQ(error_of([&] { registry.declare(k_alice, "q", with({}, {one_more}), k_only_groups); }).reason(),
            Errc::limit_reached);
  add_group(1);
  EXPECT_EQ(error_of([&] { registry.declare(k_alice, "other", options); }).reason(), Errc::limit_reached);
}

TEST(RegistryDeadLetters, queue_without_a_lane_that_could_take_its_messages_is_told_to_make_them_smaller) {
  TestRegistry registry({});
  registry.declare(k_alice, "failed", target_options());
  QueueOptions options = sending_to("failed");
  options.lane_bytes = k_max_lane_bytes;
  const Error refused = error_of([&] { registry.declare(k_alice, "source", options); });
  EXPECT_NE(std::string(refused.what()).find("declare \"source\" with smaller lane_bytes"), std::string::npos)
      << refused.what();
  EXPECT_EQ(std::string(refused.what()).find("anew"), std::string::npos) << refused.what();
}

}  // namespace
}  // namespace beltway::daemon
