// All faces of the model tell the same verdicts: of a queue, of the machine, and of the processes.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/temp_dir.hpp"
#include "support/tool_test.hpp"
#include "support/web_program.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;
using Kinds = std::set<std::string>;

void add_kinds(const json& verdicts, Kinds& kinds) {
  for (const json& each : verdicts) kinds.insert(each["kind"]);
}

/// Of a fleet as JSON.
Kinds fleet_kinds(const std::string& text) {
  const json fleet = json::parse(text);
  Kinds kinds;
  add_kinds(fleet["verdicts"], kinds);
  for (const json& queue : fleet.contains("rows") ? fleet["rows"] : fleet["queues"])
    add_kinds(queue["verdicts"], kinds);
  return kinds;
}

Kinds doctor_kinds(const std::string& text) {
  Kinds kinds;
  add_kinds(json::parse(text)["verdicts"], kinds);
  return kinds;
}

/// Of the lines beltway_verdicts{kind="...",...}.
Kinds metrics_kinds(const std::string& text) {
  static const std::string k_start = "beltway_verdicts{kind=\"";
  Kinds kinds;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(k_start))
      kinds.insert(line.substr(k_start.size(), line.find('"', k_start.size()) - k_start.size()));
  }
  return kinds;
}

/// A runtime directory whose folder for sockets is open to others, while it lives.
class OpenSocketDirectory {
 public:
  OpenSocketDirectory() {
    if (const char* const before = ::getenv("XDG_RUNTIME_DIR")) before_ = before;
    std::filesystem::create_directory(runtime_.path() / "beltway");
    std::filesystem::permissions(runtime_.path() / "beltway", std::filesystem::perms::all);
    ::setenv("XDG_RUNTIME_DIR", runtime_.path().c_str(), 1);
  }
  OpenSocketDirectory(const OpenSocketDirectory&) = delete;
  OpenSocketDirectory& operator=(const OpenSocketDirectory&) = delete;
  ~OpenSocketDirectory() {
    if (before_.empty()) {
      ::unsetenv("XDG_RUNTIME_DIR");
    } else {
      ::setenv("XDG_RUNTIME_DIR", before_.c_str(), 1);
    }
  }

 private:
  TempDir runtime_;
  std::string before_;
};

/// Leaves the process no descriptor beyond those that it has.
void take_free_descriptors(int pid) {
  const std::filesystem::path open = "/proc/" + std::to_string(pid) + "/fd";
  rlimit limit{};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = static_cast<rlim_t>(std::distance(std::filesystem::directory_iterator(open), {}));
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

class ToolFaces : public ToolTest {};

TEST_F(ToolFaces, doctor_top_list_metrics_and_web_tell_the_same_of_the_machine_a_process_and_a_queue) {
  const OpenSocketDirectory open_directory;
  const Connection link = connect(daemon_);
  const Queue full = link.declare("full", {.slots = 16, .lane_bytes = 0, .groups = {"g"}});
  auto out = full.producer();
  while (out.try_publish("kept") == Status::ok) continue;
  const Queue read = link.declare("read", {.groups = {"g"}});
  Child reader =
      Child::spawn({program("beltway"), "sub", "read", "--group", "g", "--follow"}, daemon_.client_options());
  ASSERT_TRUE(eventually([&] {
    const QueueSnapshot now = read.snapshot();
    return now.consumers.size() == 1 && now.consumers[0].sleep == SleepState::asleep;
  }));
  take_free_descriptors(reader.pid());

  const Kinds told = doctor_kinds(tool({"doctor", "--format", "json"}).out);
  EXPECT_TRUE(told.contains("socket_directory_open"));
  EXPECT_TRUE(told.contains("descriptors_low"));
  EXPECT_TRUE(told.contains("ring_full_by_group_without_consumer"));
  EXPECT_EQ(fleet_kinds(tool({"top", "--batch", "--format", "json", "-n", "1"}).out), told);
  EXPECT_EQ(fleet_kinds(tool({"list", "--format", "json"}).out), told);
  EXPECT_EQ(metrics_kinds(tool({"metrics"}).out), told);
  const WebProgram web(daemon_);
  EXPECT_TRUE(eventually([&] { return fleet_kinds(web.get("/api/fleet").body) == told; }))
      << web.get("/api/fleet").body;
  EXPECT_EQ(metrics_kinds(web.get("/metrics").body), told);
  HttpClient stream(web.port());
  stream.send(web.request("GET", "/api/events"));
  ASSERT_EQ(stream.read_header().status, 200);
  EXPECT_EQ(fleet_kinds(stream.read_event()), told);
  reader.kill();
  static_cast<void>(reader.wait());
}

}  // namespace
}  // namespace beltway::test
