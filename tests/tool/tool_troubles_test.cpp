// Staged troubles: the doctor tells exactly the verdict of each, its first remedy, run as printed, mends it, two troubles at
// once give both verdicts, and a healthy load gives none.
//
// BELTWAY_TROUBLE_SEED=N stages BELTWAY_TROUBLE_PAIRS random pairs; BELTWAY_HEALTHY_S is how long the healthy load runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/staged_troubles.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

/// Queue and kind of a verdict; the queue is empty for one about a process or the machine.
using Told = std::multiset<std::pair<std::string, std::string>>;

json doctor(const TestDaemon& daemon) {
  const Outcome outcome = daemon.tool({"doctor", "--format", "json"});
  EXPECT_TRUE(outcome.exit.code == 0 || outcome.exit.code == 1) << outcome.err;
  const json answer = json::parse(outcome.out);
  bool is_grave = false;
  for (const json& verdict : answer.at("verdicts")) is_grave = is_grave || verdict["severity"] != "note";
  EXPECT_EQ(outcome.exit.code, is_grave ? 1 : 0);
  return answer;
}

Told told(const json& answer) {
  Told kinds;
  for (const json& verdict : answer.at("verdicts")) {
    if (verdict["severity"] == "note") continue;
    const json& queue = verdict["queue"];
    kinds.emplace(queue.is_null() ? "" : queue.get<std::string>(), verdict["kind"].get<std::string>());
  }
  return kinds;
}

/// Asks the doctor until it tells `expected`. What it does not expect may never be told.
json expect_verdicts(const TestDaemon& daemon, const Told& expected) {
  json answer;
  const bool found = eventually(
      [&] {
        answer = doctor(daemon);
        const Told kinds = told(answer);
        EXPECT_TRUE(std::ranges::includes(expected, kinds)) << answer.dump(1);
        return kinds == expected || testing::Test::HasFailure();
      },
      std::chrono::seconds(60));
  EXPECT_TRUE(found) << answer.dump(1);
  return answer;
}

/// Runs a command in a shell whose $PATH has the tool; it may run on as long as the object lives.
Child run_remedy(const TestDaemon& daemon, const std::string& command) {
  Child::Options options = daemon.client_options();
  options.environment.emplace_back("PATH", program("beltway").parent_path().string() + ":" + ::getenv("PATH"));
  options.standard_output = "/dev/null";
  // A command that goes on must end with the object, and not only its shell.
  const bool is_single = command.find("&&") == std::string::npos;
  return Child::spawn({"sh", "-c", (is_single ? "exec " : "") + command}, options);
}

class ToolTroubles : public testing::Test {
 protected:
  /// Stages the kinds, each on a queue of its own, and expects their verdicts and no others.
  void stage_and_mend(const std::vector<const TroubleKind*>& kinds) {
    Told expected;
    std::vector<StagedTrouble> staged;
    for (const TroubleKind* const kind : kinds) {
      const std::string queue = "q" + std::to_string(staged.size());
      staged.push_back(kind->stage(daemon_, queue));
      expected.emplace(kind->of_queue ? queue : "", kind->verdict);
    }
    const json answer = expect_verdicts(daemon_, expected);
    std::vector<Child> remedies;
    for (const json& verdict : answer.at("verdicts")) {
      if (verdict["severity"] == "note") continue;
      ASSERT_FALSE(verdict["remedies"].empty()) << verdict.dump(1);
      remedies.push_back(run_remedy(daemon_, verdict["remedies"][0]["command"]));
    }
    json after;
    EXPECT_TRUE(eventually([&] { return told(after = doctor(daemon_)).empty(); }, std::chrono::seconds(60)))
        << answer.dump(1) << "\nafter the remedies: " << after.dump(1);
    for (Child& remedy : remedies) EXPECT_TRUE(remedy.poll().value_or(Exit{.code = 0}).ok());
  }

  TestDaemon daemon_;
};

class ToolTrouble : public ToolTroubles, public testing::WithParamInterface<TroubleKind> {};

TEST_P(ToolTrouble, each_trouble_is_told_alone_and_its_remedy_as_printed_mends_it) { stage_and_mend({&GetParam()}); }

INSTANTIATE_TEST_SUITE_P(Kinds, ToolTrouble, testing::ValuesIn(trouble_kinds()),
                         [](const auto& of) { return of.param.name; });

std::optional<unsigned> number_of(const char* variable) {
  const char* const text = ::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional(static_cast<unsigned>(std::strtoul(text, nullptr, 10)));
}

class ToolTroublePair : public ToolTroubles, public testing::WithParamInterface<std::pair<std::size_t, std::size_t>> {};

TEST_P(ToolTroublePair, two_troubles_at_once_give_both_verdicts_and_no_other) {
  const auto& kinds = trouble_kinds();
  stage_and_mend({&kinds.at(GetParam().first), &kinds.at(GetParam().second)});
}

/// Random, but always the same: a failure in CI can be repeated. Each kind is in a pair.
std::vector<std::pair<std::size_t, std::size_t>> fixed_pairs() {
  std::vector<std::size_t> order(trouble_kinds().size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 random(20);
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random() % (i + 1)]);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < order.size(); i += 2) pairs.emplace_back(order[i], order[(i + 1) % order.size()]);
  return pairs;
}

INSTANTIATE_TEST_SUITE_P(Pairs, ToolTroublePair, testing::ValuesIn(fixed_pairs()), [](const auto& of) {
  const auto& kinds = trouble_kinds();
  return kinds.at(of.param.first).name + "_and_" + kinds.at(of.param.second).name;
});

TEST_F(ToolTroubles, a_healthy_system_has_no_verdict) {
  const json answer = doctor(daemon_);
  EXPECT_TRUE(answer["verdicts"].empty()) << answer.dump(1);
}

TEST_F(ToolTroubles, healthy_load_gives_no_verdict) {
  const StagedTrouble load = stage_healthy_load(daemon_);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(number_of("BELTWAY_HEALTHY_S").value_or(20));
  do {
    const json answer = doctor(daemon_);
    ASSERT_TRUE(answer["verdicts"].empty()) << answer.dump(1);
  } while (std::chrono::steady_clock::now() < end);
}

// Each pair has a daemon of its own, as the tests above.
TEST(ToolTroublesAtRandom, random_pairs_give_both_verdicts_each) {
  const std::optional<unsigned> seed = number_of("BELTWAY_TROUBLE_SEED");
  if (!seed) GTEST_SKIP() << "set BELTWAY_TROUBLE_SEED to a number";
  class Pair : public ToolTroubles {
   public:
    void TestBody() override {}
    using ToolTroubles::stage_and_mend;
  };
  std::mt19937 random(*seed);
  const auto& kinds = trouble_kinds();
  for (unsigned i = 0; i < number_of("BELTWAY_TROUBLE_PAIRS").value_or(10) && !HasFailure(); ++i) {
    const TroubleKind& one = kinds[random() % kinds.size()];
    const TroubleKind& other = kinds[random() % kinds.size()];
    std::cout << one.name << " and " << other.name << std::endl;
    Pair().stage_and_mend({&one, &other});
  }
}

}  // namespace
}  // namespace beltway::test
