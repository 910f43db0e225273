// The metrics of `beltway web`: who may have them, and that they are those of `beltway metrics`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"
#include "support/tool_test.hpp"
#include "support/web_program.hpp"

namespace {

using namespace beltway::test;

class WebMetricsTest : public ToolTest {
 protected:
  void SetUp() override { ASSERT_TRUE(tool({"declare", "orders", "--group", "billing"}).exit.ok()); }
};

TEST_F(WebMetricsTest, metrics_need_the_token_unless_they_are_open) {
  const WebProgram closed(daemon_);
  const HttpAnswer text = closed.get("/metrics?queues=5");
  EXPECT_EQ(text.status, 200);
  EXPECT_TRUE(text.header("content-type").starts_with("text/plain")) << text.header("content-type");
  EXPECT_NE(text.body.find("beltway_up 1\n"), std::string::npos) << text.body;
  EXPECT_NE(text.body.find("queue=\"orders\""), std::string::npos) << text.body;
  const WebProgram open(daemon_, {"--metrics-open"});
  const auto status_of = [&](const std::string& target) {
    HttpClient client(open.port());
    client.send("GET " + target + " HTTP/1.1\r\nHost: " + open.host() + "\r\n\r\n");
    return client.read_answer().status;
  };
  EXPECT_EQ(status_of("/metrics"), 200);
  EXPECT_EQ(status_of("/metrics?queues=1"), 200);
  EXPECT_EQ(status_of("/metrics/x"), 401);
  EXPECT_EQ(status_of("/api/fleet"), 401);
}

TEST_F(WebMetricsTest, metrics_have_the_families_and_verdicts_of_the_command) {
  // A check of the machine tells it.
  const TempDir runtime;
  const std::filesystem::path open = runtime.path() / "beltway";
  std::filesystem::create_directory(open);
  std::filesystem::permissions(open, std::filesystem::perms::all);
  ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1);
  const auto essence = [](const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
      if (line.starts_with("# ") || line.starts_with("beltway_verdicts{")) lines.push_back(line);
    return lines;
  };
  const WebProgram web(daemon_);
  const Outcome printed = tool({"metrics", "--per-queue", "--max-queues", "5"});
  ASSERT_TRUE(printed.exit.ok()) << printed.err;
  EXPECT_NE(printed.out.find("kind=\"socket_directory_open\""), std::string::npos) << printed.out;
  EXPECT_EQ(essence(web.get("/metrics?queues=5").body), essence(printed.out));
}

}  // namespace
