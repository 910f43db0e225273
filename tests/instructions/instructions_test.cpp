// Hot operations stay within their budgets of instructions a message, and make no system call while nobody sleeps.
//
// The budgets are what the code takes as g++ compiles it in the dev preset, and a few per cent. An operation that got
// cheaper should have its budget lowered; one that must get dearer needs a reason in the change that raises it.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

#include "child.hpp"
#include "daemon.hpp"
#include "local_queue.hpp"
#include "temp_dir.hpp"

namespace beltway::test {
namespace {

struct Budget {
  const char* operation;
  double instructions;  ///< a message
};
constexpr Budget k_budgets[] = {
    {"publish_8", 72},       {"publish_64", 86},       {"publish_mp_8", 229},    {"publish_mp_64", 243},
    {"publish_batch_8", 68}, {"publish_batch_64", 82}, {"loan_commit", 412},     {"receive", 102},
    {"receive_batch", 92},   {"lease_ack", 394},       {"lease_ack_batch", 194},
};

/// Instructions a message by operation: callgrind writes a file a dump, with these two lines among others:
///   desc: Trigger: Client Request: publish_8 messages 10240
///   totals: 512000
std::map<std::string, double> counts_now() {
  const TempDir dir;
  const std::string out = (dir.path() / "callgrind").string();
  const Outcome valgrind = run({"valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=" + out,
                                program("instructions_counted").string()});
  EXPECT_TRUE(valgrind.exit.ok()) << valgrind.err;
  std::map<std::string, double> found;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    std::string operation;
    double messages = 0;
    double total = 0;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      const std::string marker = "Client Request: ";
      if (const auto at = line.find(marker); at != std::string::npos) {
        std::istringstream words(line.substr(at + marker.size()));
        std::string ignored;
        words >> operation >> ignored >> messages;
      }
      if (line.starts_with("totals: ")) total = std::stod(line.substr(8));
    }
    if (!operation.empty()) found[operation] = total / messages;
  }
  return found;
}

/// Counted once.
std::map<std::string, double> counts() {
  static const std::map<std::string, double> found = counts_now();
  return found;
}

TEST(Instructions, hot_operations_stay_within_their_budgets) {
  std::map<std::string, double> found = counts();
  for (const Budget& budget : k_budgets) {
    ASSERT_TRUE(found.contains(budget.operation)) << budget.operation;
    const double instructions = found[budget.operation];
    RecordProperty(budget.operation, std::to_string(instructions));
    EXPECT_LE(instructions, budget.instructions) << budget.operation;
    EXPECT_GT(instructions, 1) << budget.operation << ": nothing was counted";
  }
  // The floors are looked at once a burst and more of them take longer, but no consumer costs anything a message.
  EXPECT_LE(found["publish_to_4"], found["publish_8"] + 1);
  EXPECT_LE(found["publish_to_16"], found["publish_8"] + 5);
  EXPECT_LT(found["publish_batch_8"], found["publish_8"]);
  EXPECT_LT(found["receive_batch"], found["receive"]);
  EXPECT_LT(found["lease_ack_batch"], found["lease_ack"]);
  // Leases that end by time: a coarse clock, a swap of the lease time behind a look at two words, and acks by swaps.
  EXPECT_LE(found["timed_lease_ack"], 1.45 * found["lease_ack"]);
  EXPECT_LE(found["timed_lease_ack_batch"], 1.45 * found["lease_ack_batch"]);
  EXPECT_GT(found["timed_lease_ack_batch"], found["lease_ack_batch"]) << "nothing was counted";
}

// At most 5 ns a call: as many instructions as a processor of 3 GHz starts meanwhile, if it starts one a cycle.
TEST(Instructions, c_calls_cost_little_more_than_cpp_calls_that_are_not_inlined) {
  constexpr double k_call = 14;
  std::map<std::string, double> found = counts();
  for (const char* size : {"_8", "_64"}) {
    const std::string end = size;
    ASSERT_GT(found["c_publish" + end], found["publish" + end]) << "nothing was counted";
    EXPECT_LE(found["c_publish" + end], found["call_publish" + end] + k_call);
    EXPECT_LE(found["c_try_publish" + end], found["call_publish" + end] + k_call);
    EXPECT_LE(found["c_publish_batch" + end], found["publish_batch" + end] + 4) << "with its check for NULL";
  }
  // Two calls: receive and ack.
  ASSERT_GT(found["c_receive"], found["receive"]) << "nothing was counted";
  EXPECT_LE(found["c_receive"], found["call_receive"] + 2 * k_call);
  EXPECT_LE(found["c_lease_ack"], found["call_lease_ack"] + 2 * k_call);
  EXPECT_LE(found["c_receive_batch"], found["receive_batch"] + 8);
  EXPECT_LE(found["c_lease_ack_batch"], found["lease_ack_batch"] + 2);
}

/// System calls of `body` in a process of its own, between two signals that it sends itself.
int system_calls_of(const std::function<void()>& prepare, const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    prepare();
    raise(SIGSTOP);
    body();
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  int stops = 0;
  for (;;) {
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP) break;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) ++stops;
  }
  EXPECT_TRUE(WIFSTOPPED(status));
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return stops;
}

/// What raise() itself takes: the same with nothing between.
int system_calls_of_nothing() {
  return system_calls_of([] {}, [] {});
}

void expect_no_system_call(std::uint32_t max_producers, const std::string& group) {
  std::unique_ptr<LocalQueue> queue;
  std::optional<Producer> producer;
  std::vector<Consumer> consumers;
  const auto prepare = [&] {
    QueueOptions options{.slots = 64, .max_producers = max_producers};
    if (!group.empty()) options.groups = {group};
    queue = std::make_unique<LocalQueue>(options);
    producer = queue->producer();
    for (int i = 0; i < 3; ++i) consumers.push_back(queue->consumer({.group = group}));
  };
  const auto exchange = [&] {
    for (int i = 0; i < 10'000; ++i) {
      producer->publish("a message");
      for (Consumer& consumer : consumers) {
        if (Result<Message> received = consumer.try_receive()) received->ack();
      }
    }
  };
  EXPECT_EQ(system_calls_of(prepare, exchange), system_calls_of_nothing());
}

TEST(Instructions, no_system_call_while_private_consumers_are_awake) { expect_no_system_call(1, ""); }
TEST(Instructions, no_system_call_with_several_producers) { expect_no_system_call(4, ""); }
TEST(Instructions, no_system_call_while_a_group_is_awake) { expect_no_system_call(1, "group"); }

TEST(Instructions, a_system_call_is_seen) {
  EXPECT_GT(system_calls_of([] {}, [] { static_cast<void>(getppid()); }), system_calls_of_nothing());
}

}  // namespace
}  // namespace beltway::test
