// A process that speaks to the daemon as it likes: requests cut anywhere, fields of every wrong kind, connections that close
// half-way or come by the thousand, other people's endpoints. Others go on, and nothing is left behind.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/child.hpp"
#include "support/raw_client.hpp"

namespace beltway {
namespace {

using nlohmann::json;
using test::connect;
using test::eventually;
using test::k_small;
using test::open_descriptors;
using test::RawClient;
using test::TestDaemon;

/// An honest pair beside the hostile one: what it says must go through.
class HostileProtocol : public testing::Test {
 protected:
  HostileProtocol() {
    QueueOptions options = k_small;
    options.groups = {"g"};
    queue_.emplace(link_.declare("honest", options));
    producer_.emplace(queue_->producer());
    consumer_.emplace(queue_->consumer());
    descriptors_ = open_descriptors(daemon_.process().pid());
  }
  void expect_that_nobody_noticed() {
    producer_->publish(std::string_view("well"));
    EXPECT_EQ(consumer_->receive(std::chrono::seconds(20))->text(), "well");
    EXPECT_EQ(link_.ping().pid, daemon_.process().pid());
    EXPECT_TRUE(eventually([&] { return open_descriptors(daemon_.process().pid()) <= descriptors_; }))
        << open_descriptors(daemon_.process().pid()) << " descriptors, before " << descriptors_;
  }
  [[nodiscard]] std::vector<json> requests() const {
    const std::uint64_t id = queue_->id();
    return {{{"op", "hello"}, {"n", 1}, {"protocol", k_protocol_version}, {"version", k_version}},
            {{"op", "declare"},
             {"n", 1},
             {"name", "theirs"},
             {"options", {{"slots", 4}, {"groups", {"g"}}, {"lane_bytes", 0}, {"fence", "symmetric"}}}},
            {{"op", "open"}, {"n", 1}, {"name", "honest"}},
            {{"op", "describe"}, {"n", 1}, {"queue", id}},
            {{"op", "list"}, {"n", 1}, {"after", ""}},
            {{"op", "attach"}, {"n", 1}, {"queue", id}, {"role", "producer"}, {"barriers", true}, {"bells", true}},
            {{"op", "attach"}, {"n", 1}, {"queue", id}, {"role", "consumer"}, {"group", "g"}, {"start", "oldest"}},
            {{"op", "detach"}, {"n", 1}, {"queue", id}, {"endpoint", 0}, {"incarnation", 1}},
            {{"op", "filled"}, {"n", 1}, {"queue", id}, {"endpoint", 0}, {"incarnation", 1}},
            {{"op", "resume"}, {"n", 1}, {"endpoints", {{{"queue", id}, {"endpoint", 64}, {"incarnation", 9}}}}},
            {{"op", "add_group"}, {"n", 1}, {"queue", id}, {"group", "h"}, {"start", "latest"}},
            {{"op", "evict"}, {"n", 1}, {"queue", id}, {"consumer", 1}},
            {{"op", "ack_message"}, {"n", 1}, {"queue", id}, {"group", "g"}, {"position", 9}, {"moved_to", "theirs"}},
            {{"op", "hold_message"}, {"n", 1}, {"queue", id}, {"group", "g"}, {"position", 9}, {"for_ms", 10}},
            {{"op", "events"}, {"n", 1}, {"since", 1}, {"count", 9}}};
  }

  TestDaemon daemon_;
  Connection link_ = connect(daemon_);
  std::optional<Queue> queue_;
  std::optional<Producer> producer_;
  std::optional<Consumer> consumer_;
  std::size_t descriptors_ = 0;
};

TEST_F(HostileProtocol, a_request_may_be_cut_anywhere) {
  for (const json& request : requests()) {
    const std::string text = request.dump();
    for (std::size_t size = 1; size < text.size(); size += 3) {
      RawClient client(daemon_);
      client.say_hello();
      client.say_raw(text.substr(0, size));
      EXPECT_EQ(client.hear()["error"]["errc"], "protocol");
    }
  }
  expect_that_nobody_noticed();
}

TEST_F(HostileProtocol, any_field_may_be_of_any_kind) {
  const std::vector<json> wrong{
      nullptr,  true,           -1,           0, ~0ULL, 1e300, "", "honest", "\0", std::string(300, 'x'), json::array(),
      {1, "x"}, json::object(), {{"name", 1}}};
  for (const json& request : requests()) {
    for (const auto& field : request.items()) {
      for (const json& value : wrong) {
        RawClient client(daemon_);
        client.say_hello();
        json bad = request;
        bad[field.key()] = value;
        client.say(bad);
        client.say({{"op", "ping"}, {"n", 7}});
        for (json answer = client.hear(); !answer.is_null() && answer["n"] != 7;) answer = client.hear();
      }
    }
  }
  connect(daemon_).remove("theirs");
  expect_that_nobody_noticed();
}

TEST_F(HostileProtocol, no_process_ends_or_takes_over_an_endpoint_of_another) {
  RawClient client(daemon_);
  client.say_hello();
  for (unsigned incarnation = 0; incarnation < 4; ++incarnation) {
    for (const unsigned endpoint : {0U, 64U}) {
      client.say(
          {{"op", "detach"}, {"n", 1}, {"queue", queue_->id()}, {"endpoint", endpoint}, {"incarnation", incarnation}});
    }
  }
  client.say({{"op", "ping"}, {"n", 2}});
  EXPECT_EQ(client.hear()["n"], 2);
  EXPECT_EQ(queue_->describe().endpoints.size(), 2U);
  client.close();
  expect_that_nobody_noticed();
}

TEST_F(HostileProtocol, a_connection_may_end_at_any_moment) {
  for (const json& request : requests()) {
    RawClient silent(daemon_);  // says nothing
    RawClient hasty(daemon_);   // does not wait for its answer, and does not take its descriptors
    hasty.say_hello();
    hasty.say(request);
    hasty.say(request);
    hasty.close();
  }
  (void)connect(daemon_).declare("theirs", {.slots = 4, .lane_bytes = 0, .groups = {"g"}, .fence = Fence::symmetric});
  connect(daemon_).remove("theirs");
  expect_that_nobody_noticed();
}

TEST_F(HostileProtocol, a_process_may_connect_a_thousand_times) {
  std::vector<RawClient> open;
  for (int i = 0; i < 1000; ++i) {
    RawClient client(daemon_);
    if (i % 3 == 0) client.say_hello();
    if (i % 5 == 0) client.say_raw("{");
    if (i % 10 == 0) open.push_back(std::move(client));
  }
  open.clear();
  expect_that_nobody_noticed();
}

TEST_F(HostileProtocol, a_process_may_declare_up_to_its_quota_and_others_keep_theirs) {
  RawClient client(daemon_);
  client.say_hello();
  int made = 0;
  for (bool refused = false; !refused;) {
    client.say({{"op", "declare"},
                {"n", 1},
                {"name", "theirs/" + std::to_string(made)},
                {"options", {{"slots", 2}, {"lane_bytes", 0}, {"max_producers", 1}, {"max_consumers", 1}}}});
    refused = client.hear().contains("error");
    if (!refused) ++made;
  }
  EXPECT_GT(made, 0);
  for (int i = 0; i < made; ++i) link_.remove("theirs/" + std::to_string(i));
  client.close();
  expect_that_nobody_noticed();
}

}  // namespace
}  // namespace beltway
