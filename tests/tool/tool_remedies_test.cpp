// Remedies about one message or one consumer: the doctor offers them where they mend the trouble. They are run here as printed.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/staged_orphan.hpp"
#include "watch/causes.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolRemedies : public testing::Test {
 protected:
  /// The verdict of that kind as the doctor tells it; null if it does not.
  [[nodiscard]] json verdict(const std::string& kind) const {
    const json answer = json::parse(daemon_.tool({"doctor", "--format", "json"}).out);
    for (const json& each : answer.at("verdicts")) {
      if (each["kind"] == kind) return each;
    }
    return nullptr;
  }
  /// The command of the remedy that has `part`, once the doctor offers it; empty if it never does.
  [[nodiscard]] std::string remedy(const std::string& kind, const std::string& part) const {
    std::string command;
    json told;
    static_cast<void>(eventually(
        [&] {
          told = verdict(kind);
          if (told.is_null()) return false;
          for (const json& each : told["remedies"]) {
            if (each["command"].get<std::string>().find(part) != std::string::npos) command = each["command"];
          }
          return !command.empty();
        },
        60s));
    EXPECT_NE(command, "") << told.dump(1);
    return command;
  }
  void apply(const std::string& command) const {
    Child::Options options = daemon_.client_options();
    options.environment.emplace_back("PATH", program("beltway").parent_path().string() + ":" + ::getenv("PATH"));
    const Outcome result = run({"sh", "-c", command}, options);
    EXPECT_TRUE(result.exit.ok()) << command << ": " << result.err;
  }
  [[nodiscard]] bool is_mended(const std::string& kind) const {
    return eventually([&] { return verdict(kind).is_null(); }, 60s);
  }
  /// A process that gives each message back.
  [[nodiscard]] Child failing_consumer() const {
    return Child::fork([socket = daemon_.socket()] {
      auto in = Connection::open({.socket = socket}).open_queue("q").consumer({.group = "g"});
      while (auto message = in.receive()) message->nack();
      return 0;
    });
  }

  TestDaemon daemon_;
};

TEST(Remedies, eviction_is_offered_only_if_another_consumer_gets_the_messages) {
  QueueSnapshot snapshot;
  snapshot.info.name = "q";
  snapshot.groups = {{.name = "g", .consumers = {}}};
  snapshot.consumers.reserve(4);
  const auto add = [&](unsigned index, const std::string& group) -> EndpointInfo& {
    ConsumerState consumer;
    consumer.endpoint = {.index = index, .pid = ::getpid(), .group = group};
    snapshot.consumers.push_back(consumer);
    return snapshot.consumers.back().endpoint;
  };
  const auto is_offered = [&](const EndpointInfo& endpoint) {
    const std::vector<watch::Remedy> remedies = watch::remedies_for_consumer(snapshot, endpoint);
    return std::ranges::any_of(remedies, [](const auto& each) { return each.command.starts_with("beltway evict q "); });
  };
  EndpointInfo& holder = add(0, "g");
  holder.evictable = true;
  EXPECT_FALSE(is_offered(holder)) << "nobody gets its messages";
  add(1, "other");
  EXPECT_FALSE(is_offered(holder));
  EndpointInfo& heir = add(2, "g");
  EXPECT_TRUE(is_offered(holder));
  heir.evicted = true;
  EXPECT_FALSE(is_offered(holder));
  heir.evicted = false;
  holder.evictable = false;
  EXPECT_FALSE(is_offered(holder)) << "it attached while evict_after was 0";
  holder.evictable = true;
  snapshot.groups[0].paused_for = 1s;
  EXPECT_FALSE(is_offered(holder)) << "the group is paused";
  EndpointInfo& alone = add(3, "");
  EXPECT_FALSE(is_offered(alone));
  alone.evictable = true;
  EXPECT_TRUE(is_offered(alone)) << "a private consumer holds producers only";
}

TEST_F(ToolRemedies, poison_message_is_dropped_by_an_acknowledgement_of_it_alone) {
  const Queue queue = connect(daemon_).declare("q", {.slots = 16, .groups = {{"g"}}});
  queue.producer().publish("poison");
  const Child consumer = failing_consumer();
  const std::string command = remedy("poison_message", "beltway ack");
  EXPECT_EQ(command, "beltway ack q 0 --group g");
  apply(command);
  EXPECT_TRUE(is_mended("poison_message"));
  EXPECT_TRUE(queue.peek(10, 100, "g").empty());
}

TEST_F(ToolRemedies, poison_message_is_shown_and_moved_to_a_queue_that_is_made_for_it) {
  const Connection connection = connect(daemon_);
  const Queue queue = connection.declare("q", {.slots = 16, .groups = {{"g"}}});
  queue.producer().publish("poison");
  const Child consumer = failing_consumer();
  apply(remedy("poison_message", "beltway peek"));
  apply(remedy("poison_message", "beltway move"));
  EXPECT_TRUE(is_mended("poison_message"));
  EXPECT_EQ(connection.open_queue("q.failed").peek(10).size(), 1U);
}

TEST_F(ToolRemedies, consumer_that_holds_the_ring_is_evicted_in_favour_of_another_one) {
  const Queue queue =
      connect(daemon_).declare("q", {.slots = 16, .groups = {{"g"}}, .evict_after = 1h, .max_parked = 0});
  const auto attach = [socket = daemon_.socket()] {
    return Connection::open({.socket = socket}).open_queue("q").consumer({.group = "g"});
  };
  queue.producer().publish("held");
  const Child stopped = Child::fork([attach] {
    auto in = attach();
    const auto message = in.receive();
    ::raise(SIGSTOP);
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.snapshot().groups.at(0).leased == 1; }));
  const Child other = Child::fork([attach] {
    auto in = attach();
    while (auto message = in.receive()) message->ack();
    return 0;
  });
  ASSERT_EQ(queue.wait_for_consumers(2, 20s), Status::ok);
  const Child producer = Child::fork([socket = daemon_.socket()] {
    auto out = Connection::open({.socket = socket}).open_queue("q").producer();
    for (int i = 0; i < 40; ++i) out.publish("more");
    ::pause();
    return 0;
  });
  const std::string command = remedy("ring_full_by_consumer", "beltway evict");
  EXPECT_EQ(command, "beltway evict q 0");
  apply(command);
  EXPECT_TRUE(eventually([&] { return queue.snapshot().position == 41 && queue.snapshot().used == 0; }));
  EXPECT_TRUE(is_mended("ring_full_by_consumer"));
}

TEST_F(ToolRemedies, ring_that_is_full_by_a_process_that_ended_is_mended_by_the_end_of_the_one_that_keeps_its_memory) {
  const Queue queue = connect(daemon_).declare("q", {.slots = 16, .groups = {{"g"}}, .max_parked = 0});
  queue.producer().publish("held");
  const Child guardian = stage_orphan(staging::scene_of(daemon_, "q"), 1);
  auto out = queue.producer();
  while (out.try_publish("more") == Status::ok) continue;
  const std::string command = remedy("ring_full_by_consumer", "kill ");
  EXPECT_EQ(command, remedy("orphan", "kill "));
  apply(command);
  EXPECT_TRUE(is_mended("orphan"));
  auto in = queue.consumer({.group = "g"});
  const auto given_back = in.receive(20s);
  ASSERT_TRUE(given_back);
  EXPECT_EQ(given_back->text(), "held");
}

TEST_F(ToolRemedies, dead_letter_queue_that_several_queues_miss_is_made_large_enough_for_all_by_each_remedy) {
  const Connection connection = connect(daemon_);
  const auto declare_both = [&] {
    static_cast<void>(connection.declare("failed", {.lane_bytes = 8 << 20, .groups = {{"all"}}}));
    static_cast<void>(connection.declare("small", {.groups = {{"g"}}, .dead_letter = "failed"}));
    static_cast<void>(
        connection.declare("large", {.lane_bytes = 4 << 20, .groups = {{"g", {.dead_letter = "failed"}}}}));
    EXPECT_TRUE(daemon_.tool({"remove", "failed", "--force"}).exit.ok());
  };
  declare_both();
  std::set<std::string> commands;
  EXPECT_TRUE(eventually(
      [&] {
        const json answer = json::parse(daemon_.tool({"doctor", "--format", "json"}).out);
        std::size_t told = 0;
        commands.clear();
        for (const json& each : answer.at("verdicts")) {
          if (each["kind"] != "dead_letter_queue_missing") continue;
          ++told;
          commands.insert(each["remedies"][0]["command"].get<std::string>());
        }
        return told == 2;
      },
      60s));
  ASSERT_EQ(commands.size(), 1U) << "the same for both";
  apply(*commands.begin());
  apply(*commands.begin());
  EXPECT_TRUE(is_mended("dead_letter_queue_missing"));
  // A command that looks at one queue says the same.
  EXPECT_TRUE(daemon_.tool({"remove", "failed", "--force"}).exit.ok());
  const json shown = json::parse(daemon_.tool({"show", "small", "--format", "json"}).out);
  ASSERT_FALSE(shown["causes"].empty());
  EXPECT_EQ(shown["causes"][0]["remedies"][0]["command"], *commands.begin());
}

}  // namespace
}  // namespace beltway::test
