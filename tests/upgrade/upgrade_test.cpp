// Upgrades and downgrades between programs that do not read each other's queues, with living queues. Whatever is installed: no
// message is lost silently, nobody hangs, and each refusal names both versions and a remedy.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "beltway/beltway.hpp"
#include "os/fd.hpp"
#include "ring/layout.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/fake_systemd.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "upgrade/installation.hpp"

namespace beltway {

using namespace beltway::os;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::Child;
using test::eventually;
using test::Installation;
using test::k_small;
using test::now;
using test::old;
using test::other;
using test::Side;
using test::TempDir;

/// Two consumers of a group and a producer, all of `from`, work while `to` is installed and the daemon is started again. Then a
/// consumer is killed in the middle, and another comes.
void upgrade_under_load(const Side& from, const Side& to) {
  SKIP_WITHOUT(from);
  SKIP_WITHOUT(to);
  constexpr int k_messages = 600;
  Installation installation(from);
  ASSERT_TRUE(installation.run(from, {"declare", "q", "--slots", "64", "--group", "g"}).exit.ok());
  installation.subscribe(from, "q");
  installation.subscribe(from, "q");
  Child producer = installation.publish(from, "q", k_messages, "300/s");
  ASSERT_TRUE(eventually([&] { return installation.received() > 20; }));
  installation.install(to);
  installation.restart();
  installation.child(0).kill(SIGKILL);
  installation.child(0).wait();
  installation.subscribe(from, "q");
  EXPECT_TRUE(producer.wait(30s).ok()) << "the producer hangs or fails; log:\n" << installation.log();
  EXPECT_TRUE(eventually([&] { return installation.received() == k_messages; }))
      << installation.received() << " of " << k_messages << " came; log:\n"
      << installation.log();
}

TEST(Upgrade, an_upgrade_to_a_program_of_another_layout_under_load_loses_no_message) {
  upgrade_under_load(now(), other());
}
TEST(Upgrade, an_upgrade_from_a_program_of_another_layout_under_load_loses_no_message) {
  upgrade_under_load(other(), now());
}
TEST(Upgrade, an_upgrade_from_version_0_1_under_load_loses_no_message) { upgrade_under_load(old(), now()); }
TEST(Upgrade, a_downgrade_to_version_0_1_under_load_loses_no_message) { upgrade_under_load(now(), old()); }

TEST(Upgrade, log_ping_and_list_show_a_program_that_gave_way) {
  SKIP_WITHOUT(other());
  Installation installation(now());
  ASSERT_TRUE(installation.run(now(), {"declare", "orders"}).exit.ok());
  EXPECT_EQ(installation.run_json(now(), {"ping"})["passed_over"], nullptr);
  installation.install(other());
  installation.restart();
  const std::string own = std::to_string(k_layout_major) + "." + std::to_string(k_layout_minor);
  const std::string theirs = std::to_string(k_layout_major + 1) + "." + std::to_string(k_layout_minor);
  const auto says_all = [&](const std::string& text) {
    for (const std::string& word : {std::string("beltwayd"), "layout " + own, "layout " + theirs, std::string("orders"),
                                    std::string("gave way"), std::string("SIGUSR2")}) {
      EXPECT_NE(text.find(word), std::string::npos) << word << " is not in: " << text;
    }
  };
  const nlohmann::json ping = installation.run_json(now(), {"ping"});
  EXPECT_EQ(ping["layout"], own) << "the stored program runs";
  says_all(ping["passed_over"].get<std::string>());
  says_all(installation.run_json(now(), {"list"})["daemon"]["passed_over"].get<std::string>());
  says_all(installation.run(now(), {"ping"}).out);
  says_all(installation.run(now(), {"list"}).out);
  says_all(installation.log());

  // With the queues gone, the installed program runs.
  ASSERT_TRUE(installation.run(now(), {"remove", "orders"}).exit.ok());
  installation.restart();
  EXPECT_EQ(installation.run_json(now(), {"ping"})["layout"], theirs);
  EXPECT_EQ(installation.run_json(now(), {"ping"})["passed_over"], nullptr);
}

TEST(Upgrade, a_program_gives_way_again_after_a_crash_and_over_three_generations) {
  SKIP_WITHOUT(other());
  Installation installation(now());
  ASSERT_TRUE(installation.run(now(), {"declare", "orders"}).exit.ok());
  const auto serves = [&] {
    const nlohmann::json list = installation.run_json(now(), {"list"});
    return list["queues"].size() == 1 && list["queues"][0]["name"] == "orders";
  };
  installation.install(other());
  installation.restart();
  EXPECT_TRUE(serves());
  const int pid = installation.daemon_pid();
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return installation.daemon_pid() > 0 && installation.daemon_pid() != pid; }));
  EXPECT_TRUE(serves());
  if (old().missing().empty()) {
    installation.install(old());
    installation.restart();
    EXPECT_TRUE(serves());
  }
  installation.install(other());
  installation.restart();
  EXPECT_TRUE(serves());
  installation.install(now());
  installation.restart();
  EXPECT_TRUE(serves());
  EXPECT_EQ(installation.run_json(now(), {"ping"})["passed_over"], nullptr);
}

// Of the pairs of versions: each daemon that serves a queue knows how long it lasts.
TEST(Upgrade, upgrade_to_another_layout_and_back_keeps_how_long_queues_last) {
  SKIP_WITHOUT(other());
  Installation installation(now());
  QueueOptions options = k_small;
  options.exclusive = true;
  Child owner = Child::fork([&] {
    (void)installation.connect().declare("mine", options);
    for (;;) ::pause();
    return 0;
  });
  ASSERT_TRUE(installation.run(now(), {"declare", "brief", "--expire-after", "1h"}).exit.ok());
  const Connection link = installation.connect();
  ASSERT_TRUE(eventually([&] { return link.list().size() == 2; }));
  std::chrono::milliseconds left = 1h;
  for (const Side& next : {other(), now()}) {
    installation.install(next);
    installation.restart();
    EXPECT_EQ(link.describe("mine").owner_pid, owner.pid());
    const auto expires_in = link.describe("brief").expires_in;
    ASSERT_TRUE(expires_in);
    EXPECT_LT(*expires_in, left);
    left = *expires_in;
  }
  owner.kill();
  owner.wait();
  EXPECT_TRUE(eventually([&] { return link.list().size() == 1; }));
}

// -- systemd: no supervisor whose program there is to run ------------------------------------------------------------

/// A service whose program file is replaced.
struct Service {
  explicit Service(const Side& first) : systemd({dir.path() / "beltwayd", "--socket", dir.socket()}) {
    install(first);
    systemd.start();
  }
  void install(const Side& side) const {
    fs::copy_file(side.daemon(), dir.path() / "new");
    fs::rename(dir.path() / "new", dir.path() / "beltwayd");
  }
  void restart() {
    systemd.service().kill(SIGUSR2);
    EXPECT_EQ(systemd.service().wait().code, 4);
    systemd.start();
  }
  [[nodiscard]] test::Outcome run(const Side& side, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), side.tool());
    return test::run(arguments, {.environment = {{"BELTWAY_SOCKET", dir.socket()}}}, 20s);
  }
  TempDir dir;
  test::FakeSystemd systemd;
};

TEST(UpgradeUnderSystemd, an_upgrade_to_a_program_of_another_layout_gives_way_to_the_stored_program) {
  SKIP_WITHOUT(other());
  Service service(now());
  const Connection link = Connection::open({.socket = service.dir.socket()});
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  service.install(other());
  for (int life = 0; life < 2; ++life) {
    service.restart();
    EXPECT_EQ(queue.describe().endpoints.size(), 2U);
    EXPECT_NE(link.ping().passed_over, "");
    out.publish("x");
    EXPECT_TRUE(in.receive(20s));
  }
}

/// The daemon that made the queue has stored no program, or the store has lost it.
void stay_as_holder(const Side& maker) {
  SKIP_WITHOUT(maker);
  Service service(maker);
  ASSERT_TRUE(service.run(maker, {"declare", "q", "--group", "g"}).exit.ok());
  Child consumer = Child::spawn({maker.tool(), "sub", "q", "--group", "g", "--count", "2"},
                                {.environment = {{"BELTWAY_SOCKET", service.dir.socket()}},
                                 .standard_output = service.dir.path() / "out",
                                 .standard_error = service.dir.path() / "err"});
  const std::string fifo = service.dir.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  // Open for both from here on: who opens one end alone waits for the other.
  Fd lines(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(lines);
  const auto say = [&](const std::string& line) {
    ASSERT_EQ(::write(lines.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  };
  Child producer = Child::spawn({maker.tool(), "pub", "q"}, {.environment = {{"BELTWAY_SOCKET", service.dir.socket()}},
                                                             .standard_input = fifo,
                                                             .standard_output = "/dev/null",
                                                             .standard_error = service.dir.path() / "err2"});
  say("one\n");
  ASSERT_TRUE(eventually([&] { return test::read_file(service.dir.path() / "out") == "one\n"; }));
  service.systemd.lose("EXE0");
  service.systemd.lose("EXE1");
  const auto before = service.systemd.stored();

  service.install(now());
  service.restart();
  const Connection link = Connection::open({.socket = service.dir.socket()});
  const auto info = link.ping();
  ASSERT_EQ(info.held.size(), 1U);
  EXPECT_EQ(info.held[0].name, "q");
  for (const auto& request : {std::function<void()>([&] { (void)link.open_queue("q"); }),
                              std::function<void()>([&] { (void)link.declare("q", k_small); }),
                              std::function<void()>([&] { link.remove("q"); })}) {
    const Error error = test::error_of(request);
    EXPECT_EQ(error.reason(), Errc::incompatible) << error.what();
    EXPECT_NE(std::string(error.what()).find("SIGUSR2"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("layout " + info.held[0].layout), std::string::npos) << error.what();
  }
  EXPECT_NE(service.run(now(), {"list"}).out.find("not served: queue q"), std::string::npos);
  const Queue fresh = link.declare("fresh", k_small);
  auto out = fresh.producer();
  auto in = fresh.consumer();
  out.publish("x");
  EXPECT_TRUE(in.receive(20s)) << "new queues are served";
  for (const auto& [name, number] : before) EXPECT_EQ(service.systemd.stored()[name], number) << name;

  say("two\n");
  EXPECT_TRUE(consumer.wait().ok()) << "attached processes go on with each other";
  EXPECT_EQ(test::read_file(service.dir.path() / "out"), "one\ntwo\n");
  lines.reset();
  EXPECT_TRUE(producer.wait().ok());

  // Its maker finds it again.
  service.install(maker);
  service.restart();
  EXPECT_TRUE(service.run(maker, {"show", "q"}).exit.ok()) << service.systemd.log();
}

TEST(UpgradeUnderSystemd, an_upgrade_from_version_0_1_holds_its_queues_and_serves_new_ones) { stay_as_holder(old()); }
TEST(UpgradeUnderSystemd, an_upgrade_with_a_lost_program_holds_the_queues_and_serves_new_ones) {
  stay_as_holder(other());
}

// -- daemons and clients of two versions ---------------------------------------------------------------------

TEST(Versions, daemon_and_client_of_different_versions_are_refused_by_name_and_no_call_hangs) {
  SKIP_WITHOUT(old());
  for (const Side& daemon : {old(), now()}) {
    for (const Side& client : {old(), now()}) {
      Installation installation(daemon);
      ASSERT_TRUE(installation.run(daemon, {"declare", "q", "--group", "g"}).exit.ok());
      const bool same = daemon.name == client.name;
      for (const std::vector<std::string>& command :
           {std::vector<std::string>{"ping"},
            {"declare", "more"},
            {"list"},
            {"show", "q"},
            {"pub", "q", "x"},
            {"sub", "q", "--group", "g", "--count", "1", "--timeout", "5s"}}) {
        const test::Outcome result = installation.run(client, command);
        const std::string what = daemon.name + " daemon, " + client.name + " client: " + command[0] + ": " + result.err;
        EXPECT_EQ(result.exit.ok(), same) << what;
        EXPECT_EQ(result.exit.signal, 0) << what << " hangs";
        if (same) continue;
        EXPECT_NE(result.err.find("version"), std::string::npos) << what;
        EXPECT_NE(result.err.find("0.2"), std::string::npos) << what;
        EXPECT_NE(result.err.find(daemon.name == "old" ? "use the same version" : "version 0.1.0"), std::string::npos)
            << what;
      }
    }
  }
}

TEST(Versions, a_queue_of_another_layout_is_refused_at_attach_with_both_layouts) {
  SKIP_WITHOUT(other());
  Installation installation(other());
  ASSERT_TRUE(installation.run(other(), {"declare", "q", "--group", "g"}).exit.ok());
  const test::Outcome result = installation.run(now(), {"pub", "q", "x"});
  EXPECT_FALSE(result.exit.ok());
  EXPECT_NE(result.err.find("layout " + std::to_string(k_layout_major + 1)), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("knows layout " + std::to_string(k_layout_major)), std::string::npos) << result.err;
}

}  // namespace
}  // namespace beltway
