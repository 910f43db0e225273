// `beltway show` names every cause of waiting: its root, how long it has lasted, and commands that end it. They are run here.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/web_program.hpp"
#include "watch/causes.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolCauses : public testing::Test {
 protected:
  [[nodiscard]] Queue declare(const QueueOptions& options) const { return connect(daemon_).declare("q", options); }
  [[nodiscard]] json show() const { return json::parse(daemon_.tool({"show", "q", "--format", "json"}).out); }
  [[nodiscard]] std::string show_text() const { return daemon_.tool({"show", "q"}).out; }
  /// The cause of that kind, once `show` has it; null if it never does.
  [[nodiscard]] json cause(const std::string& kind) const {
    json found;
    static_cast<void>(eventually([&] {
      const json shown = show();
      for (const json& each : shown.at("causes")) {
        if (each["cause"] == kind) found = each;
      }
      return !found.is_null();
    }));
    EXPECT_FALSE(found.is_null()) << kind << " is not told: " << show_text();
    return found;
  }
  [[nodiscard]] bool is_told(const std::string& kind) const {
    const json causes = show()["causes"];
    return std::any_of(causes.begin(), causes.end(), [&](const json& each) { return each["cause"] == kind; });
  }
  /// A line of the text with "!" that has all of `parts`.
  void expect_line(const std::vector<std::string>& parts) const {
    const std::string text = show_text();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const auto has = [&](const std::string& part) { return line.find(part) != std::string::npos; };
      if (line.starts_with("  ! ") && std::all_of(parts.begin(), parts.end(), has)) return;
    }
    ADD_FAILURE() << testing::PrintToString(parts) << " in no line with \"!\" of\n" << text;
  }
  /// Runs the remedy of `cause` that begins with `word`, as a person would in a shell, from a $PATH that has the tool.
  void apply(const json& cause, const std::string& word) const {
    for (const json& remedy : cause["remedies"]) {
      const std::string command = remedy["command"];
      if (!command.starts_with(word)) continue;
      Child::Options options = daemon_.client_options();
      options.environment.emplace_back("PATH", program("beltway").parent_path().string() + ":" + ::getenv("PATH"));
      const Outcome result = run({"sh", "-c", command}, options);
      EXPECT_TRUE(result.exit.ok()) << command << ": " << result.err;
      return;
    }
    ADD_FAILURE() << "no remedy begins with " << word << ": " << cause.dump();
  }
  /// A process with a consumer of `group` (empty: a private one) that takes `messages`, keeps them, and stops itself.
  [[nodiscard]] Child stopped_consumer(const std::string& group, std::size_t messages) const {
    Child child = Child::fork([=, socket = daemon_.socket()] {
      auto in = Connection::open({.socket = socket}).open_queue("q").consumer({.group = group});
      std::vector<Message> held;
      for (std::size_t i = 0; i < messages; ++i) {
        Result<Message> received = in.receive(20s);
        if (!received) return 1;
        held.push_back(std::move(*received));
      }
      ::raise(SIGSTOP);
      for (Message& each : held) each.ack();
      return in.receive(20s) ? 0 : 2;
    });
    EXPECT_TRUE(is_stopped(child.pid()));
    return child;
  }
  static bool is_stopped(pid_t pid) {
    return eventually(
        [&] { return read_file("/proc/" + std::to_string(pid) + "/stat").find(") T ") != std::string::npos; });
  }
  /// Publishes until it must wait, and then one more, which ends when there is room.
  [[nodiscard]] std::jthread blocked(Producer& out, std::size_t bytes = 1) const {
    const std::string message(bytes, 'x');
    while (out.try_publish(message) == Status::ok) continue;
    std::jthread waiting([&out, message](const std::stop_token& stop) {
      while (!stop.stop_requested() && out.publish_until(message, Until(stop)) == Status::ok) continue;
    });
    EXPECT_TRUE(eventually([&] { return show()["state"]["producers"][0]["sleep"] == "asleep"; }));
    return waiting;
  }

  TestDaemon daemon_;
};

QueueOptions with_group(std::uint32_t slots = 16) {
  return {.slots = slots, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 4, .groups = {"g"}};
}

TEST_F(ToolCauses, a_full_ring_is_blamed_on_the_stopped_consumer_and_the_named_remedy_frees_it) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  out.publish("held");
  Child holder = stopped_consumer("g", 1);
  const auto waiting = blocked(out);
  const json cause = this->cause("ring_full_by_consumer");
  EXPECT_EQ(cause["pid"], holder.pid());
  EXPECT_EQ(cause["run_state"], "stopped");
  EXPECT_EQ(cause["group"], "g");
  EXPECT_EQ(cause["position"], 0);
  EXPECT_EQ(cause["blocks"], true);
  EXPECT_GT(cause["for_ns"], 0);
  expect_line({"q is full", "process " + std::to_string(holder.pid()), "stopped", "position 0", "waited for"});
  apply(cause, "kill -CONT");
  EXPECT_EQ(holder.wait(), (Exit{.code = 0}));
}

TEST_F(ToolCauses,
       a_consumer_that_runs_and_does_not_go_on_is_named_with_its_last_activity_and_the_remedy_frees_the_ring) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  out.publish("held");
  Child hung = Child::fork([socket = daemon_.socket()]() -> int {
    auto in = Connection::open({.socket = socket}).open_queue("q").consumer({.group = "g"});
    const Result<Message> held = in.receive(20s);
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return queue.snapshot().groups.at(0).leased == 1; }));
  const auto waiting = blocked(out);
  const json cause = this->cause("ring_full_by_consumer");
  EXPECT_EQ(cause["pid"], hung.pid());
  EXPECT_EQ(cause["run_state"], "running");
  EXPECT_EQ(cause["position"], 0);
  expect_line(
      {"process " + std::to_string(hung.pid()), "last known active", "ago", "holds position 0", "has waited for"});
  apply(cause, "kill " + std::to_string(hung.pid()));
  auto in = queue.consumer({.group = "g"});
  EXPECT_TRUE(in.receive(20s)) << "what it held";
}

TEST_F(ToolCauses, a_full_ring_is_blamed_on_a_paused_group_and_the_named_remedy_ends_the_pause) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  queue.pause_group("g");
  EXPECT_EQ(cause("group_paused")["blocks"], false);
  expect_line({"group \"g\" is paused"});
  const auto waiting = blocked(out);
  const json cause = this->cause("ring_full_by_paused_group");
  EXPECT_EQ(cause["group"], "g");
  EXPECT_EQ(cause["blocks"], true);
  EXPECT_FALSE(is_told("group_paused")) << "each cause is told once";
  EXPECT_FALSE(is_told("asleep_with_work"));
  expect_line({"q is full", "group \"g\" has been paused for", "keeps 16 messages from position 0 on"});
  apply(cause, "beltway group resume");
  const auto first = in.receive(20s);
  EXPECT_TRUE(first);
  EXPECT_TRUE(queue.describe().paused.empty());
}

TEST_F(ToolCauses, a_stopped_consumer_that_has_taken_nothing_is_named_for_a_full_ring) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  Child stopped = stopped_consumer("g", 0);
  const auto waiting = blocked(out);
  const json cause = this->cause("ring_full_by_group");
  EXPECT_EQ(cause["pid"], stopped.pid());
  EXPECT_EQ(cause["run_state"], "stopped");
  expect_line({"q is full", std::to_string(stopped.pid()), "stopped"});
  std::istringstream lines(show_text());
  for (std::string line; std::getline(lines, line);) {
    const bool sleeps = line.find(" asleep ") != std::string::npos;
    EXPECT_FALSE(sleeps && line.find(" 0 ns ") != std::string::npos) << "who sleeps for room has waited: " << line;
  }
  apply(cause, "kill -CONT");
  EXPECT_EQ(stopped.wait(), (Exit{.code = 0}));
}

TEST_F(ToolCauses, a_stopped_consumer_is_named_before_it_blocks_a_producer) {
  const Queue queue = declare(with_group());
  Child stopped = stopped_consumer("g", 0);
  const json cause = this->cause("consumer_stopped");
  EXPECT_EQ(cause["blocks"], false);
  EXPECT_EQ(cause["pid"], stopped.pid());
  expect_line({"process " + std::to_string(stopped.pid()), "stopped"});
}

TEST_F(ToolCauses, a_group_without_consumer_is_told_and_its_removal_frees_the_ring) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  for (int i = 0; i < 8; ++i) out.publish("kept");
  EXPECT_EQ(this->cause("group_without_consumer")["blocks"], false) << "half of the ring";
  while (out.try_publish("kept") == Status::ok) continue;
  const json cause = this->cause("ring_full_by_group_without_consumer");
  expect_line({"q is full", "group \"g\" has no consumer", "16 messages"});
  apply(cause, "beltway purge");
  EXPECT_EQ(out.publish_until("room", 20s), Status::ok);
  while (out.try_publish("kept") == Status::ok) continue;
  apply(this->cause("ring_full_by_group_without_consumer"), "beltway group remove");
  EXPECT_EQ(out.publish_until("room", 20s), Status::ok);
}

TEST_F(ToolCauses, a_private_consumer_that_stands_still_is_named_for_a_full_ring) {
  const Queue queue = declare(with_group());
  queue.remove_group("g");
  auto out = queue.producer();
  Child stopped = stopped_consumer("", 0);
  const auto waiting = blocked(out);
  const json cause = this->cause("ring_full_by_private_consumer");
  EXPECT_EQ(cause["pid"], stopped.pid());
  EXPECT_EQ(cause["position"], 0);
  expect_line({"q is full", "private consumer 0", "stopped", "16 behind"});
  apply(cause, "kill -KILL");
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
}

TEST_F(ToolCauses, a_full_lane_is_told_with_the_group_that_needs_what_is_in_it) {
  const Queue queue = declare(with_group(64));
  auto out = queue.producer();
  const auto waiting = blocked(out, 1000);
  const json cause = this->cause("lane_full_by_group_without_consumer");
  EXPECT_EQ(cause["producer"], 0);
  EXPECT_EQ(cause["position"], 0);
  EXPECT_GT(cause["for_ns"], 0);
  expect_line({"a lane of q is full", "the lane of producer 0 (process " + std::to_string(::getpid()), "4 messages",
               "4 KiB of 4 KiB", "group \"g\" has no consumer"});
  EXPECT_EQ(show()["state"]["producers"][0]["waits_for"], "lane");
  apply(cause, "beltway purge");
}

TEST_F(ToolCauses, a_consumer_at_its_prefetch_limit_is_found_and_told_only_if_it_stays_there) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g", .prefetch = 2});
  for (int i = 0; i < 4; ++i) out.publish("x");
  const Result<Message> one = in.receive(20s);
  const Result<Message> two = in.receive(20s);
  const auto causes = watch::find_causes(queue.snapshot(), 0);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].kind, "prefetch_limit");
  EXPECT_EQ(causes[0].consumer, 0U);
  for (const char* part : {"holds 2 messages, its prefetch limit", "2 messages that wait"})
    EXPECT_NE(causes[0].text.find(part), std::string::npos) << causes[0].text;
  EXPECT_FALSE(is_told("prefetch_limit")) << "a worker at a job of some seconds is no trouble";
  EXPECT_EQ(show()["state"]["consumers"][0]["prefetch"], 2);
}

TEST_F(ToolCauses, a_removed_group_that_does_not_drain_is_told_with_its_holder) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  out.publish("held");
  Child holder = stopped_consumer("g", 1);
  queue.remove_group("g");
  const json cause = this->cause("leaving_group");
  EXPECT_EQ(cause["blocks"], true);
  EXPECT_EQ(cause["pid"], holder.pid());
  expect_line({"group \"g\" was removed", "1 of its messages", std::to_string(holder.pid())});
  EXPECT_EQ(show()["state"]["consumers"][0]["held"], 1);
  EXPECT_FALSE(is_told("consumer_stopped")) << "it is named already";
  EXPECT_NE(show_text().find("g (removed)"), std::string::npos) << "it is no private consumer";
  apply(cause, "kill -KILL");
  EXPECT_TRUE(eventually([&] { return !is_told("leaving_group"); }));
}

TEST_F(ToolCauses, an_evicted_endpoint_is_told_as_long_as_it_keeps_its_place) {
  QueueOptions options = with_group();
  options.evict_after = 20ms;
  const Queue queue = declare(options);
  auto out = queue.producer();
  out.publish("held");
  Child holder = stopped_consumer("g", 1);
  const auto waiting = blocked(out);
  const json cause = this->cause("evicted_endpoint");
  EXPECT_EQ(cause["blocks"], false);
  EXPECT_EQ(cause["pid"], holder.pid());
  expect_line({"was thrown out", "one of 4 places"});
  apply(cause, "kill -KILL");
  EXPECT_TRUE(eventually([&] { return !is_told("evicted_endpoint"); }));
}

TEST_F(ToolCauses, a_process_that_ended_but_for_a_thread_that_keeps_the_memory_is_told_as_an_orphan) {
  const Queue queue = declare(with_group());
  Child half_dead = Child::fork([socket = daemon_.socket()]() -> int {
    static auto consumer = Connection::open({.socket = socket}).open_queue("q").consumer({.group = "g"});
    std::thread([] { ::pause(); }).detach();
    ::close_range(3, ~0U, 0);  // the connection, too: nobody answers for the endpoint any more
    ::syscall(SYS_exit, 0);    // this thread alone
    return 0;
  });
  const json cause = this->cause("orphan");
  EXPECT_EQ(cause["pid"], half_dead.pid());
  EXPECT_EQ(cause["blocks"], false);
  EXPECT_EQ(show()["state"]["consumers"][0]["orphan"], true);
  EXPECT_EQ(cause["remedies"][0]["command"], "kill -KILL " + std::to_string(half_dead.pid()));
  expect_line({"is still mapped by other threads of it"});
  apply(cause, "kill -KILL");
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST_F(ToolCauses, a_producer_that_stopped_within_its_claim_is_told_and_the_remedy_lets_readers_go_on) {
  const Queue queue = declare(with_group());
  Child writer = Child::fork([socket = daemon_.socket()] {
    auto out = Connection::open({.socket = socket}).open_queue("q").producer();
    out.publish(8, [](std::span<std::byte>) { ::raise(SIGSTOP); });
    return 0;
  });
  ASSERT_TRUE(is_stopped(writer.pid()));
  const json cause = this->cause("claim_not_finished");
  EXPECT_EQ(cause["pid"], writer.pid());
  EXPECT_EQ(cause["position"], 0);
  expect_line({"producer 0 (process " + std::to_string(writer.pid()), "stopped", "has claimed position 0"});
  auto in = queue.consumer({.group = "g"});
  apply(cause, "kill -KILL");
  EXPECT_TRUE(eventually([&] { return !is_told("claim_not_finished"); }));
}

TEST_F(ToolCauses, a_queue_at_work_has_no_cause) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  const std::jthread reader([&](const std::stop_token& stop) {
    while (Result<Message> message = in.receive(Until(stop))) message->ack();
  });
  for (int i = 0; i < 1000; ++i) out.publish("x");
  EXPECT_TRUE(eventually([&] { return show()["causes"].empty(); })) << show_text();
}

TEST_F(ToolCauses, show_list_doctor_and_web_tell_the_same) {
  const Queue queue = declare(with_group());
  auto out = queue.producer();
  while (out.try_publish("kept") == Status::ok) continue;
  const auto words_of = [](const json& verdicts, const char* kind) {
    json words = json::array();
    for (const json& each : verdicts) words.push_back({each[kind], each["group"], each["evidence"], each["severity"]});
    return words;
  };
  const json shown = words_of(show()["causes"], "cause");
  ASSERT_EQ(shown.size(), 1U) << shown;
  EXPECT_EQ(shown[0][0], "ring_full_by_group_without_consumer");
  const json listed = json::parse(daemon_.tool({"list", "--format", "json"}).out);
  EXPECT_EQ(words_of(listed["queues"][0]["verdicts"], "kind"), shown);
  json found = json::array();
  const json doctor = json::parse(daemon_.tool({"doctor", "--format", "json"}).out);
  for (const json& each : doctor["verdicts"]) {
    if (each["queue"] == "q") found.push_back(each);
  }
  EXPECT_EQ(words_of(found, "kind"), shown) << doctor;
  const WebProgram web(daemon_);
  json told;
  EXPECT_TRUE(eventually([&] {
    told = json::parse(web.get("/api/queues/q").body);
    return !told["causes"].empty();
  }));
  EXPECT_EQ(words_of(told["causes"], "cause"), shown);
  EXPECT_EQ(told["causes"][0]["text"], show()["causes"][0]["text"]);
}

TEST_F(ToolCauses, acknowledged_messages_are_not_in_use_though_their_floor_lags) {
  const Queue queue = declare(with_group(256));
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  for (int i = 0; i < 40; ++i) out.publish("x");
  for (int i = 0; i < 40; ++i) in.receive(20s)->ack();
  const json state = show()["state"];
  EXPECT_EQ(state["used"], 0);
  EXPECT_EQ(state["groups"][0]["depth"], 0);
}

}  // namespace
}  // namespace beltway::test
