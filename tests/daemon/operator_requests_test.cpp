// What an operator asks of the daemon about groups, consumers and messages: the answers, the rights of a second user, and what
// a refusal says.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "beltway/error.hpp"
#include "daemon/registry_support.hpp"
#include "ring/readers/named_reader.hpp"
#include "service/requests.hpp"

namespace beltway::daemon {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A registry with the queue "orders" of alice, who has a consumer in its group "g".
class OperatorRequests : public testing::Test {
 protected:
  json ask(const Peer& peer, json request) {
    Caller caller{.registry = registry_, .peer = peer, .session = k_session, .socket = ""};
    caller.greeted = true;
    request["n"] = 1;
    return answer(caller, request)->body;
  }
  /// Of "orders".
  json ask_about(const Peer& peer, const std::string& op, json fields = json::object()) {
    fields["op"] = op;
    fields["name"] = "orders";
    return ask(peer, std::move(fields));
  }
  std::vector<Event> events(const Peer& peer) {
    std::vector<Event> events;
    const json page = ask(peer, {{"op", "events"}});
    for (const json& each : page["events"]) {
      Event event{.kind = each["kind"], .queue = each.value("queue", ""), .group = each.value("group", "")};
      event.pid = each.value("pid", 0);
      event.uid = each.value("uid", 0U);
      event.text = each.value("text", "");
      events.push_back(std::move(event));
    }
    return events;
  }
  std::vector<std::string> kinds(const Peer& peer) {
    std::vector<std::string> kinds;
    for (const Event& event : events(peer)) kinds.push_back(event.kind);
    return kinds;
  }
  Queue& declare(std::chrono::milliseconds evict_after = 1h, std::uint32_t mode = 0600) {
    QueueOptions options = k_small;
    options.groups = {"g"};
    options.mode = mode;
    options.evict_after = evict_after;
    return registry_.declare(k_alice, "orders", options).queue;
  }

  TestRegistry registry_{Quotas{}};
};

/// The administrative requests, each with what it needs.
const std::vector<std::pair<std::string, json>> k_owners_requests{
    {"remove", json::object()},
    {"remove_group", {{"group", "g"}}},
    {"purge", {{"group", "g"}}},
    {"pause_group", {{"group", "g"}}},
    {"resume_group", {{"group", "g"}}},
    {"reset_group", {{"group", "g"}, {"to", "oldest"}}},
    {"evict", {{"consumer", 0}}},
    {"ack_message", {{"group", "g"}, {"position", 0}}},
    {"hold_message", {{"group", "g"}, {"position", 0}, {"for_ms", 1000}}},
};

TEST_F(OperatorRequests, a_refusal_names_user_owner_mode_and_the_missing_right) {
  declare(1h, 0666);
  for (const auto& [op, fields] : k_owners_requests) {
    const json refused = ask_about(k_bob, op, fields);
    ASSERT_TRUE(refused.contains("error")) << op;
    EXPECT_EQ(refused["error"]["errc"], "no_permission") << op;
    const std::string message = refused["error"]["message"];
    for (const char* const part : {"\"orders\"", "needs to be its owner or root", "user 1002 asked",
                                   "the owner is user 1001", "the mode 0666"}) {
      EXPECT_NE(message.find(part), std::string::npos) << op << ": " << message;
    }
  }
  EXPECT_EQ(kinds(k_alice), (std::vector<std::string>{"started"})) << "no refusal did anything";
}

TEST_F(OperatorRequests, a_refusal_to_attach_or_to_look_names_the_right_that_is_missing) {
  declare(1h, 0600);
  const std::string look = ask_about(k_bob, "describe")["error"]["message"];
  EXPECT_NE(look.find("needs the right to read or write; user 1002 asked, the owner is user 1001, the mode 0600"),
            std::string::npos)
      << look;
  const std::string group = ask_about(k_bob, "add_group", {{"group", "h"}, {"start", "latest"}})["error"]["message"];
  EXPECT_NE(group.find("needs the right to read; user 1002"), std::string::npos) << group;
}

TEST_F(OperatorRequests, the_owner_evicts_a_consumer_and_so_does_root) {
  Queue& queue = declare();
  AttachGrant first = attach(queue, wire::Role::consumer, "g");
  AttachGrant second = attach(queue, wire::Role::consumer, "g");
  EXPECT_FALSE(ask_about(k_alice, "evict", {{"consumer", 0}}).contains("error"));
  EXPECT_FALSE(ask_about(k_root, "evict", {{"consumer", 1}}).contains("error"));
  EXPECT_FALSE(ask_about(k_root, "evict", {{"consumer", 1}}).contains("error")) << "it is evicted already";
  for (const unsigned place : {2U, 3U}) EXPECT_TRUE(queue.record().endpoints[place].evicted);
  std::vector<Event> evicted = events(k_alice);
  std::erase_if(evicted, [](const Event& event) { return event.kind != "evicted"; });
  ASSERT_EQ(evicted.size(), 2U);
  EXPECT_EQ(evicted[0].pid, k_alice.pid);
  EXPECT_EQ(evicted[0].group, "g");
  EXPECT_NE(evicted[1].text.find("user 0 asked for it, process 100"), std::string::npos) << evicted[1].text;
}

TEST_F(OperatorRequests, a_consumer_that_attached_without_evict_after_is_not_evicted_and_the_error_says_what_helps) {
  Queue& queue = declare(0ms);
  AttachGrant named = attach(queue, wire::Role::consumer, "g");
  const json refused = ask_about(k_alice, "evict", {{"consumer", 0}});
  EXPECT_EQ(refused["error"]["errc"], "misuse");
  const std::string message = refused["error"]["message"];
  EXPECT_NE(message.find("kill -KILL 101"), std::string::npos) << message;
  EXPECT_NE(message.find("\"beltway declare orders --evict-after 30s\""), std::string::npos) << message;
  EXPECT_FALSE(queue.record().endpoints[2].evicted);
}

TEST_F(OperatorRequests, a_private_reliable_consumer_is_evicted_as_well) {
  Queue& queue = declare();
  AttachGrant reader = attach(queue, wire::Role::consumer);
  EXPECT_FALSE(ask_about(k_alice, "evict", {{"consumer", 0}}).contains("error"));
  EXPECT_TRUE(queue.record().endpoints[2].evicted);
}

TEST_F(OperatorRequests, an_eviction_of_no_consumer_names_the_command_that_lists_them) {
  declare();
  for (const std::uint32_t consumer : {0U, 2U, 77U, 4294967295U}) {
    const json refused = ask_about(k_alice, "evict", {{"consumer", consumer}});
    EXPECT_EQ(refused["error"]["errc"], "not_found") << consumer;
    EXPECT_NE(std::string(refused["error"]["message"]).find("beltway show orders"), std::string::npos);
  }
}

TEST_F(OperatorRequests, a_consumer_whose_process_has_ended_is_reaped_instead_of_evicted) {
  Queue& queue = declare();
  {
    AttachGrant gone = attach(queue, wire::Role::consumer, "g");
  }
  EXPECT_EQ(ask_about(k_alice, "evict", {{"consumer", 0}})["error"]["errc"], "not_found");
  EXPECT_FALSE(queue.record().endpoints[2].attached);
}

TEST_F(OperatorRequests, a_message_that_is_not_there_is_neither_acknowledged_nor_held) {
  declare();
  for (const std::uint64_t position : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{99}}) {
    EXPECT_EQ(ask_about(k_alice, "ack_message", {{"group", "g"}, {"position", position}})["error"]["errc"],
              "not_found");
    EXPECT_EQ(
        ask_about(k_alice, "hold_message", {{"group", "g"}, {"position", position}, {"for_ms", 1}})["error"]["errc"],
        "not_found");
  }
  const json wrong = ask_about(k_alice, "ack_message", {{"group", "g"}, {"position", ~std::uint64_t{0}}});
  EXPECT_EQ(wrong["error"]["errc"], "invalid_option");
  EXPECT_EQ(ask_about(k_alice, "ack_message", {{"group", "h"}, {"position", 0}})["error"]["errc"], "not_found");
  EXPECT_EQ(
      ask_about(k_alice, "hold_message", {{"group", "g"}, {"position", 0}, {"for_ms", 86'400'001}})["error"]["errc"],
      "protocol");
}

TEST_F(OperatorRequests, events_of_a_queue_are_shown_to_those_who_may_read_or_write_it) {
  declare(1h, 0600);
  ask(k_alice,
      {{"op", "declare"}, {"name", "private"}, {"options", {{"slots", 4}, {"lane_bytes", 0}, {"mode", 0600}}}});
  ask(k_alice, {{"op", "declare"}, {"name", "open"}, {"options", {{"slots", 4}, {"lane_bytes", 0}, {"mode", 0602}}}});
  const std::vector<std::string> both{"started", "declared", "declared"};
  EXPECT_EQ(kinds(k_alice), both);
  EXPECT_EQ(kinds(k_root), both);
  ASSERT_EQ(kinds(k_bob), (std::vector<std::string>{"started", "declared"}));
  EXPECT_EQ(events(k_bob)[1].queue, "open");
  // The rights outlive the queue.
  ask(k_alice, {{"op", "remove"}, {"name", "private"}});
  ask(k_alice, {{"op", "remove"}, {"name", "open"}});
  EXPECT_EQ(kinds(k_bob), (std::vector<std::string>{"started", "declared", "removed"}));
  EXPECT_EQ(kinds(k_alice).size(), 5U);
}

TEST_F(OperatorRequests, events_tell_what_was_done_to_a_group_and_by_whom) {
  declare();
  ask_about(k_alice, "pause_group", {{"group", "g"}});
  ask_about(k_alice, "pause_group", {{"group", "g"}});
  ask_about(k_root, "resume_group", {{"group", "g"}});
  ask_about(k_alice, "add_group", {{"group", "h"}, {"start", "latest"}});
  ask_about(k_alice, "purge", {{"group", "h"}});
  ask_about(k_alice, "reset_group", {{"group", "h"}, {"to", "oldest"}});
  ask_about(k_alice, "remove_group", {{"group", "h"}});
  ask(k_alice,
      {{"op", "declare"}, {"name", "orders"}, {"options", {{"evict_after_ms", 50}}}, {"said", {"evict_after_ms"}}});
  EXPECT_EQ(kinds(k_alice), (std::vector<std::string>{"started", "group_paused", "group_resumed", "group_added",
                                                      "purged", "group_reset", "group_removed", "changed"}));
  const std::vector<Event> all = events(k_alice);
  EXPECT_EQ(all[1].group, "g");
  EXPECT_EQ(all[1].uid, k_alice.uid);
  EXPECT_EQ(all[2].pid, k_root.pid);
  EXPECT_EQ(all[7].text, "evict_after_ms is 50, it was 3600000");
}

TEST_F(OperatorRequests, events_tell_who_came_who_left_and_who_died) {
  Queue& queue = declare();
  const json came =
      ask(k_alice, {{"op", "attach"}, {"queue", queue.record().id}, {"role", "producer"}, {"barriers", true}});
  ASSERT_FALSE(came.contains("error")) << came;
  registry_.detach(k_session, {queue.record().id, 0, 1});  // the reply that held its lock is gone
  {
    AttachGrant gone = attach(queue, wire::Role::consumer, "g");
  }
  registry_.session_ended(k_session, {{queue.record().id, 64, 1}});
  EXPECT_EQ(kinds(k_alice), (std::vector<std::string>{"started", "attached", "left", "attached", "died"}));
}

}  // namespace
}  // namespace beltway::daemon
