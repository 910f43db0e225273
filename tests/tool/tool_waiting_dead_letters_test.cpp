// A dead letter queue that keeps messages is told as a note, until somebody takes care of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "watch/waiting_dead_letters.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// "orders" sends its dead letters to "failed", which has three.
watch::Fleet fleet_with_dead_letters() {
  watch::Fleet fleet;
  fleet.queues.resize(2);
  fleet.queues[0].info.name = "orders";
  fleet.queues[0].info.options.dead_letter = "failed";
  fleet.queues[1].info.name = "failed";
  fleet.queues[1].readable = true;
  fleet.queues[1].lag = 3;
  return fleet;
}

TEST(WaitingDeadLetters, queue_that_keeps_dead_letters_gets_one_note_with_their_number) {
  watch::Fleet fleet = fleet_with_dead_letters();
  watch::tell_waiting_dead_letters(fleet);
  watch::tell_waiting_dead_letters(fleet);
  EXPECT_TRUE(fleet.queues[0].verdicts.empty());
  ASSERT_EQ(fleet.queues[1].verdicts.size(), 1U);
  const watch::Verdict& verdict = fleet.queues[1].verdicts[0];
  EXPECT_EQ(verdict.kind, "dead_letters_waiting");
  EXPECT_EQ(verdict.severity, watch::Severity::note);
  EXPECT_EQ(text_of(verdict),
            "failed: it keeps dead letters of queue orders, and has no consumer; 3 messages wait; "
            "remedy: beltway requeue failed");
  fleet.queues[1].lag = 0;
  watch::tell_waiting_dead_letters(fleet);
  EXPECT_TRUE(fleet.queues[1].verdicts.empty());
}

TEST(WaitingDeadLetters, group_with_a_dead_letter_queue_of_its_own_counts) {
  watch::Fleet fleet = fleet_with_dead_letters();
  fleet.queues[0].info.options.dead_letter.clear();
  watch::tell_waiting_dead_letters(fleet);
  EXPECT_TRUE(fleet.queues[1].verdicts.empty()) << "it takes no dead letters";
  fleet.queues[0].info.options.groups = {{"g", {.dead_letter = "failed"}}};
  watch::tell_waiting_dead_letters(fleet);
  EXPECT_EQ(fleet.queues[1].verdicts.size(), 1U);
}

TEST(WaitingDeadLetters, queue_that_is_consumed_or_told_already_gets_no_note) {
  watch::Fleet fleet = fleet_with_dead_letters();
  fleet.queues[1].consumers = 1;
  watch::tell_waiting_dead_letters(fleet);
  EXPECT_TRUE(fleet.queues[1].verdicts.empty()) << "somebody takes care of them";
  fleet.queues[1].consumers = 0;
  fleet.queues[1].verdicts = {{.kind = "group_without_consumer", .severity = watch::Severity::warning}};
  watch::tell_waiting_dead_letters(fleet);
  EXPECT_EQ(fleet.queues[1].verdicts.size(), 1U);
}

class ToolDeadLetters : public ToolTest {};

TEST_F(ToolDeadLetters, dead_letter_that_nobody_reads_is_a_note_and_the_remedy_as_printed_moves_it_back) {
  const Connection link = connect(daemon_);
  static_cast<void>(link.declare("failed", {.groups = {"operators"}}));
  const Queue queue =
      link.declare("orders", {.slots = 16, .lane_bytes = 4096, .groups = {"g"}, .dead_letter = "failed"});
  queue.producer().publish("bad");
  {
    auto in = queue.consumer({.group = "g"});
    in.receive(20s)->reject();
  }
  json answer;
  const bool told = eventually([&] {
    answer = json::parse(tool({"doctor", "--for", "0.1", "--format", "json"}).out);
    return answer["verdicts"].size() == 1;
  });
  ASSERT_TRUE(told) << answer.dump(1);
  EXPECT_EQ(answer["verdicts"][0]["kind"], "dead_letters_waiting");
  EXPECT_EQ(answer["verdicts"][0]["queue"], "failed");
  EXPECT_NE(tool({"show", "failed"}).out.find("! it keeps dead letters of queue orders"), std::string::npos);
  Child::Options options = daemon_.client_options();
  options.environment.emplace_back("PATH", program("beltway").parent_path().string() + ":" + ::getenv("PATH"));
  const Outcome back = run({"sh", "-c", answer["verdicts"][0]["remedies"][0]["command"]}, options);
  EXPECT_TRUE(back.exit.ok()) << back.err;
  EXPECT_EQ(queue.snapshot().groups.at(0).depth, 1U);
  EXPECT_TRUE(
      eventually([&] { return tool({"doctor", "--for", "0.1"}).out.find("nothing is wrong") != std::string::npos; }));
}

}  // namespace
}  // namespace beltway::test
