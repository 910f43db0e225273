// Random SIGKILLs under load, of producers, consumers and the daemon: no committed message is lost, none comes twice unmarked,
// none is torn, the survivors go on, and nothing is left behind. BELTWAY_SOAK_S sets the length in seconds (default 3).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "actors.hpp"
#include "raw_client.hpp"
#include "supervised_daemon.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::chrono::seconds soak_time() {
  const char* const asked = std::getenv("BELTWAY_SOAK_S");
  return std::chrono::seconds(asked != nullptr ? std::strtol(asked, nullptr, 10) : 3);
}

class Soak {
 public:
  enum class Options : bool { usual, all };
  Soak(std::uint32_t max_producers, Options options) : producers_(max_producers) {
    stage_.names_and_times = options == Options::all;
    // The second daemon of a supervisor keeps what it inherits beside its own copies of that, and what the first one inherited
    // from the test has gone. All later ones are like the second.
    const int first = daemon_.pid();
    daemon_.kill_daemon();
    daemon_.wait_for_another(first);
    const Connection link = daemon_.connect();
    idle_descriptors_ = settled_descriptors();
    idle_list_ = list_descriptors(daemon_.supervisor().pid()) + list_descriptors(daemon_.pid());
    // Small, so that it is full now and then.
    static_cast<void>(link.declare(
        stage_.dead_letters,
        {.slots = 8, .lane_bytes = 131072, .max_producers = 16, .max_consumers = 2, .groups = {"operators"}}));
    static_cast<void>(link.declare(stage_.queue, {.slots = 64,
                                                  .lane_bytes = 65536,
                                                  .max_producers = max_producers,
                                                  .max_consumers = 8,
                                                  .groups = {NamedGroup("workers", {.max_deliveries = k_max_deliveries,
                                                                                    .dead_letter = stage_.dead_letters,
                                                                                    .lease_timeout = 50ms}),
                                                             "archive"},
                                                  .stamps = options == Options::all ? Stamps::fine : Stamps::off}));
    if (options == Options::all) {
      link.open_queue(stage_.queue).add_group(NamedGroup("newest", {.drop_oldest = 16}));
    }
  }

  void run() {
    const auto end = Clock::now() + soak_time();
    // In rounds: a ledger has room for so many messages only.
    while (Clock::now() < end && !testing::Test::HasFailure()) {
      ledger_.emplace();
      run_round(std::min(end, Clock::now() + k_round));
    }
    check_nothing_is_left();
    std::cout << "killed " << kills_ << " and the daemon " << daemon_kills_ << " times, messages " << messages_
              << ", longest stall of all producers "
              << std::chrono::duration_cast<std::chrono::milliseconds>(longest_stall_).count() << " ms\n";
  }

 private:
  static constexpr auto k_round = 1s;

  void run_round(Clock::time_point end) {
    last_begun_ = 0;
    const std::uint64_t dropped_before = stage_.names_and_times ? newest().dropped : 0;
    // Two that are never killed: they must see everything that was committed, exactly once.
    for (const std::uint32_t reader : {2U, 3U}) {
      steady_.push_back(Child::fork([this, reader] { return run_consumer(*ledger_, stage_, reader, ""); }));
    }
    dead_letter_reader_ = Child::fork([this] { return run_dead_letter_reader(*ledger_, stage_, ledger_->tally(4)); });
    ASSERT_TRUE(eventually([&] { return ledger_->tally(2) + ledger_->tally(3) == 2; }));
    for (std::uint32_t i = 0; i < producers_; ++i) mortal_.push_back(producer(i));
    for (std::uint32_t i = 0; i < 4; ++i) mortal_.push_back(consumer(i % 2));
    if (stage_.names_and_times) mortal_.push_back(newest_reader());
    const std::uint64_t droppers_killed_before = droppers_killed_;
    last_change_ = Clock::now();
    while (Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 20000));
      kill_and_replace(random_() % mortal_.size());
      if (random_() % 16 == 0) kill_daemon();
      if (random_() % 8 == 0) stop_for_a_while(mortal_[producers_ + 2 * (random_() % 2)]);
      if (stage_.names_and_times && random_() % 16 == 0) stop_for_a_while(mortal_[random_() % mortal_.size()]);
      if (stage_.names_and_times && random_() % 32 == 0) stop_daemon_for_a_while();
      watch_progress();
    }
    finish();
    if (!stage_.names_and_times) return;
    // A producer or a reader of the group that is killed may take the count of one dropped message along. No other process drops.
    const GroupState after = newest();
    EXPECT_EQ(after.available + after.leased + after.delayed, 0U);
    const std::uint64_t uncounted = droppers_killed_ - droppers_killed_before;
    const std::uint64_t accounted = ledger_->tally(5) + after.dropped - dropped_before + uncounted;
    EXPECT_GE(accounted, ledger_->committed(may_expire)) << "the group \"newest\" lost messages that nobody counted";
  }

  [[nodiscard]] GroupState newest() const {
    const QueueSnapshot now = daemon_.connect().open_queue(stage_.queue).snapshot();
    const auto found = std::ranges::find(now.groups, "newest", &GroupState::name);
    return found == now.groups.end() ? GroupState() : *found;
  }

  Child producer(std::uint32_t id) {
    return Child::fork([this, id] { return run_producer(*ledger_, stage_, id, Ledger::k_messages); });
  }
  Child consumer(std::uint32_t reader) {
    return Child::fork(
        [this, reader] { return run_consumer(*ledger_, stage_, reader, reader == 0 ? "workers" : "archive"); });
  }
  Child newest_reader() {
    return Child::fork([this] { return run_newest_reader(*ledger_, stage_, ledger_->tally(4)); });
  }
  bool is_producer(std::size_t index) const { return index < producers_; }
  bool is_newest_reader(std::size_t index) const { return index == producers_ + 4; }

  void kill_and_replace(std::size_t index) {
    Child& child = mortal_[index];
    child.kill();
    const Exit exit = child.wait();
    // An old one may have ended by itself in this very moment: its code then says that all was well.
    EXPECT_TRUE(exit.signal == SIGKILL || exit.code == 0) << "a survivor failed: exit code " << exit.code;
    ++kills_;
    if (is_producer(index) || is_newest_reader(index)) ++droppers_killed_;
    const auto id = static_cast<std::uint32_t>(is_producer(index) ? index : (index - producers_) % 2);
    mortal_[index] = is_producer(index) ? producer(id) : is_newest_reader(index) ? newest_reader() : consumer(id);
  }

  /// For so long that another worker may get its message.
  void stop_for_a_while(const Child& child) {
    child.kill(SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 150));
    child.kill(SIGCONT);
  }
  void stop_daemon_for_a_while() {
    const int daemon = daemon_.pid();
    if (::kill(daemon, SIGSTOP) != 0) return;  // it was killed, and no other one is there yet
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 150));
    ::kill(daemon, SIGCONT);
  }

  void kill_daemon() {
    daemon_.kill_daemon();
    ++daemon_kills_;
  }

  void watch_progress() {
    const std::uint64_t begun = ledger_->begun();
    const auto now = Clock::now();
    const std::uint64_t all = std::uint64_t{producers_} * Ledger::k_messages;
    if (begun != last_begun_ || begun >= all) {  // who has sent all that there is does not stall
      last_begun_ = begun;
      last_change_ = now;
    }
    longest_stall_ = std::max(longest_stall_, now - last_change_);
  }

  void finish() {
    ledger_->stop() = true;
    for (std::size_t i = 0; i < producers_; ++i) EXPECT_EQ(mortal_[i].wait().code, 0) << "producer " << i;
    const std::size_t workers_end = producers_ + 4;
    for (std::size_t i = producers_; i < workers_end; ++i) EXPECT_EQ(mortal_[i].wait().code, 0) << "consumer " << i;
    for (Child& child : steady_) EXPECT_EQ(child.wait().code, 0);
    ledger_->tally(4) = 1;  // no process is left that moves a message
    for (std::size_t i = workers_end; i < mortal_.size(); ++i) EXPECT_EQ(mortal_[i].wait().code, 0) << "newest";
    EXPECT_EQ(dead_letter_reader_->wait().code, 0);
    const auto expires = stage_.names_and_times ? &may_expire : nullptr;
    EXPECT_EQ(ledger_->judge_ends(is_rejected), "");
    for (const std::uint32_t reader : {0U, 1U})
      EXPECT_EQ(ledger_->judge(reader, false, expires), "") << "group " << reader;
    for (const std::uint32_t reader : {2U, 3U})
      EXPECT_EQ(ledger_->judge(reader, true, expires), "") << "private " << reader;
    mortal_.clear();
    steady_.clear();
    messages_ += ledger_->begun();
  }

  /// Of the supervisor and the daemon.
  std::size_t descriptors() { return open_descriptors(daemon_.supervisor().pid()) + open_descriptors(daemon_.pid()); }
  static std::string list_descriptors(int pid) {
    std::string list = "\nprocess " + std::to_string(pid) + ':';
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ignored)) {
      list += "\n  " + entry.path().filename().string() + ' ';
      list += std::filesystem::read_symlink(entry.path(), ignored).string();
    }
    return list;
  }
  /// A daemon answers before its supervisor has taken all that it was sent.
  std::size_t settled_descriptors() {
    std::size_t before = descriptors();
    for (;;) {
      std::this_thread::sleep_for(200ms);
      const std::size_t now = descriptors();
      if (now == before) return now;
      before = now;
    }
  }

  void check_nothing_is_left() {
    const Connection link = daemon_.connect();
    check_queue(link.open_queue(stage_.queue));
    link.remove(stage_.queue);
    link.remove(stage_.dead_letters);
    EXPECT_TRUE(eventually([&] { return descriptors() <= idle_descriptors_; }))
        << descriptors() << " are open, " << idle_descriptors_
        << " were at first\nnow:" << list_descriptors(daemon_.supervisor().pid()) << list_descriptors(daemon_.pid())
        << "\nat first:" << idle_list_;
  }

  void check_queue(const Queue& queue) const {
    EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); })) << "an index is not free again";
    const QueueSnapshot now = queue.snapshot();
    EXPECT_EQ(now.used, 0U) << "a floor is stuck";
    for (const GroupState& group : now.groups) EXPECT_EQ(group.leased + group.retry, 0U) << group.name;
    // All places can be had again, and the queue works.
    std::vector<Producer> producers;
    for (std::uint32_t i = 0; i < producers_; ++i) producers.push_back(queue.producer());
    Consumer in = queue.consumer();
    Consumer worker = queue.consumer({.group = "workers", .ack = Ack::automatic});
    Consumer archivist = queue.consumer({.group = "archive", .ack = Ack::automatic});
    for (int i = 0; i < 300; ++i) {
      producers[static_cast<std::size_t>(i) % producers.size()].publish(
          std::string(static_cast<std::size_t>(i) * 10, 'x'));
      EXPECT_EQ(in.receive(10s)->size(), static_cast<std::size_t>(i) * 10);
      EXPECT_TRUE(worker.receive(10s));
      EXPECT_TRUE(archivist.receive(10s));
    }
  }

  const std::uint32_t producers_;
  SupervisedDaemon daemon_;
  std::optional<Ledger> ledger_;
  std::size_t idle_descriptors_ = 0;
  std::string idle_list_;
  std::uint64_t messages_ = 0;
  Stage stage_{
      .socket = daemon_.socket(), .wait = WaitStrategy::adaptive, .holds_and_gives_back = true, .dead_letters = "dead"};
  std::mt19937 random_{std::random_device()()};
  std::vector<Child> mortal_;
  std::vector<Child> steady_;
  std::optional<Child> dead_letter_reader_;
  std::uint64_t kills_ = 0;
  std::uint64_t droppers_killed_ = 0;  // of these: those that drop messages of the group "newest"
  std::uint64_t daemon_kills_ = 0;
  std::uint64_t last_begun_ = 0;
  Clock::time_point last_change_ = Clock::now();
  Clock::duration longest_stall_{};
};

TEST(Soak, killed_producers_and_consumers_lose_nothing) { Soak(3, Soak::Options::usual).run(); }
TEST(Soak, killed_single_producers_and_consumers_lose_nothing) { Soak(1, Soak::Options::usual).run(); }
TEST(Soak, killed_and_stopped_processes_lose_nothing_with_all_options) { Soak(3, Soak::Options::all).run(); }

}  // namespace
}  // namespace beltway::test
