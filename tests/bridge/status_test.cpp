// The status file of a bridge, as its writer and its readers see it.
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "bridge/status_file.hpp"
#include "support/temp_dir.hpp"
#include "watch/bridges.hpp"

namespace {

using namespace beltway;
using namespace beltway::bridge;
using namespace beltway::test;

watch::BridgeView some_bridge(const std::string& state = "running") {
  watch::BridgeView bridge{
      .name = "shop", .pid = 17, .lives = true, .server = "amqp://broker:5672", .socket = "/run/x.sock"};
  watch::RouteView route{.direction = "out", .queue = "orders", .remote = "remote"};
  route.state = state;
  route.confirmed = 5;
  route.last_error = "why \"so\"";
  bridge.routes.push_back(route);
  return bridge;
}

std::string kinds_of(const std::vector<watch::Verdict>& verdicts) {
  std::string kinds;
  for (const watch::Verdict& verdict : verdicts) kinds += (kinds.empty() ? "" : " ") + verdict.kind;
  return kinds;
}

TEST(BridgeStatus, written_status_is_read) {
  const TempDir dir;
  StatusFile file("shop", {dir.path()});
  file.write(some_bridge());
  const auto bridges = watch::read_bridges({dir.path()});
  ASSERT_EQ(bridges.size(), 1U);
  EXPECT_TRUE(bridges[0].lives);
  EXPECT_EQ(watch::to_json(bridges[0]), watch::to_json(some_bridge()));
}

TEST(BridgeStatus, end_of_a_bridge_removes_its_files) {
  const TempDir dir;
  std::optional<StatusFile> file(std::in_place, "shop", std::vector{dir.path()});
  file->write(some_bridge());
  file.reset();
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(BridgeStatus, bridge_that_died_is_told) {
  const TempDir dir;
  std::ofstream(dir.path() / "bridge.shop.json") << watch::to_json(some_bridge()).dump();
  std::ofstream(dir.path() / "bridge.shop.lock") << "";
  const auto bridges = watch::read_bridges({dir.path()});
  ASSERT_EQ(bridges.size(), 1U);
  EXPECT_FALSE(bridges[0].lives);
  EXPECT_EQ(kinds_of(watch::bridge_verdicts(bridges)), "bridge_ended");
}

TEST(BridgeStatus, one_process_has_a_name_at_a_time) {
  const TempDir dir;
  const StatusFile first("shop", {dir.path()});
  EXPECT_THROW(StatusFile("shop", {dir.path()}), std::runtime_error);
  const StatusFile other("other", {dir.path()});
}

TEST(BridgeStatus, directory_that_cannot_be_written_is_passed_over) {
  const TempDir dir;
  StatusFile file("shop", {dir.path() / "none", dir.path()});
  file.write(some_bridge());
  EXPECT_EQ(watch::read_bridges({dir.path()}).size(), 1U);
}

TEST(BridgeStatus, files_that_make_no_sense_are_passed_over) {
  const TempDir dir;
  for (const char* text :
       {"", "{", "[]", "{}", R"({"bridge": 7})", R"({"bridge": "x", "pid": 1, "server": "", "socket": ""})",
        R"({"bridge": "x", "pid": 1, "server": "", "socket": "", "routes": [{"direction": "out"}]})"}) {
    std::ofstream(dir.path() / "bridge.shop.json", std::ios::trunc) << text;
    EXPECT_TRUE(watch::read_bridges({dir.path()}).empty()) << text;
  }
  std::ofstream(dir.path() / "bridge.shop.json") << std::string(watch::k_max_status_bytes + 1, ' ');
  EXPECT_TRUE(watch::read_bridges({dir.path()}).empty());
}

TEST(BridgeStatus, routes_that_do_not_run_are_verdicts) {
  EXPECT_EQ(kinds_of(watch::bridge_verdicts({some_bridge("running"), some_bridge("starting")})), "");
  EXPECT_EQ(
      kinds_of(watch::bridge_verdicts({some_bridge("failed"), some_bridge("reconnecting"), some_bridge("blocked")})),
      "bridge_failed bridge_reconnecting bridge_blocked");
  const auto verdicts = watch::bridge_verdicts({some_bridge("failed")});
  EXPECT_EQ(verdicts[0].severity, watch::Severity::trouble);
  EXPECT_NE(watch::text_of(verdicts[0]).find("why \"so\""), std::string::npos);
}

}  // namespace
