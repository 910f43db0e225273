// The units of systemd that are installed with the daemon.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/fake_systemd.hpp"
#include "support/raw_client.hpp"

namespace beltway {
namespace {

namespace fs = std::filesystem;
using test::k_small;

/// Where the build has made them: beside the folder of programs.
fs::path units(const std::string& kind) { return test::program("..") / "daemon" / "units" / kind; }

/// The settings of a unit; a file that is not there fails the test.
std::map<std::string, std::string> settings(const fs::path& unit) {
  std::map<std::string, std::string> found;
  std::istringstream text(test::read_file(unit));
  for (std::string line; std::getline(text, line);) {
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '#' || line[0] == '[' || equals == std::string::npos) continue;
    found[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return found;
}

class Units : public testing::TestWithParam<std::string> {};

TEST_P(Units, systemd_units_say_that_the_queues_outlive_a_restart) {
  const auto service = settings(units(GetParam()) / "beltwayd.service");
  EXPECT_EQ(service.at("Type"), "notify");
  EXPECT_EQ(service.at("NotifyAccess"), "main");
  EXPECT_EQ(service.at("RestartKillSignal"), "SIGUSR2");
  EXPECT_EQ(service.at("RestartForceExitStatus"), "4");
  EXPECT_EQ(service.at("Restart"), "on-failure");
  EXPECT_EQ(service.at("NoNewPrivileges"), "yes");
  EXPECT_GE(std::stoi(service.at("FileDescriptorStoreMax")), 24'000);
  EXPECT_GE(std::stoi(service.at("LimitNOFILE")), 65'536);
}

TEST_P(Units, systemd_units_have_one_place_for_socket_and_service) {
  const std::string place = settings(units(GetParam()) / "beltwayd.socket").at("ListenSequentialPacket");
  EXPECT_TRUE(settings(units(GetParam()) / "beltwayd.service").at("ExecStart").ends_with("--socket " + place));
}

TEST_P(Units, systemd_units_are_understood_by_systemd) {
  if (!test::run({"bash", "-c", "command -v systemd-analyze"}).exit.ok()) GTEST_SKIP() << "no systemd-analyze here";
  const test::TempDir dir;
  std::vector<std::string> argv{"systemd-analyze", "verify", "--man=no", "--recursive-errors=no"};
  if (GetParam() == "user") argv.emplace_back("--user");
  const auto add = [&](const std::string& name, const std::string& instance) {
    std::string text = test::read_file(units(GetParam()) / name);
    // It wants the program to be there.
    if (const auto start = text.find("ExecStart="); start != std::string::npos) {
      const auto end = text.find(' ', start);
      text.replace(start, end - start, "ExecStart=" + test::program("beltwayd").string());
    }
    argv.push_back(dir.write(instance, text));
  };
  add("beltwayd.socket", "beltwayd.socket");
  add("beltwayd.service", "beltwayd.service");
  if (GetParam() == "system") add("beltway-bridge@.service", "beltway-bridge@shop.service");
  const test::Outcome result =
      test::run(argv, {.environment = {{"XDG_RUNTIME_DIR", dir.path()}, {"HOME", dir.path()}}});
  if (result.err.find("Failed to initialize manager") != std::string::npos) GTEST_SKIP() << result.err;
  EXPECT_TRUE(result.exit.ok()) << result.err;
  EXPECT_EQ(result.err, "") << "systemd ignores what it does not know";
}

INSTANTIATE_TEST_SUITE_P(Of, Units, testing::Values("system", "user"), [](const auto& tested) { return tested.param; });

TEST(UserUnits, user_units_serve_a_client_at_its_first_place) {
  if (fs::exists("/run/beltway/beltwayd.sock")) GTEST_SKIP() << "this machine has a daemon of its own";
  const test::TempDir runtime;  // %t
  const auto in_runtime = [&](std::string text) { return text.replace(text.find("%t"), 2, runtime.path().string()); };
  const fs::path socket = in_runtime(settings(units("user") / "beltwayd.socket").at("ListenSequentialPacket"));
  fs::create_directory(socket.parent_path());
  fs::permissions(socket.parent_path(), fs::perms::owner_all);  // DirectoryMode=0700
  std::istringstream start(in_runtime(settings(units("user") / "beltwayd.service").at("ExecStart")));
  std::vector<std::string> command;
  for (std::string word; start >> word;) command.push_back(command.empty() ? test::program("beltwayd").string() : word);
  test::FakeSystemd systemd(command);
  systemd.listen_at(socket);
  systemd.start();
  ::unsetenv("BELTWAY_SOCKET");
  ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1);
  const Connection link = Connection::open({.start_daemon = false});
  EXPECT_EQ(link.ping().socket, socket);
  const Queue queue = link.declare("orders", k_small);
  systemd.service().kill(SIGUSR2);  // systemctl --user restart
  EXPECT_EQ(systemd.service().wait().code, 4);
  systemd.start();
  EXPECT_EQ(queue.describe().name, "orders");
}

}  // namespace
}  // namespace beltway
