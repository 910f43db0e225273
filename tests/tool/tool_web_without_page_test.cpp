// A `beltway` as it is built where npm is missing: without the page of `beltway web`.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "support/temp_dir.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

using WithoutPage = ToolTest;

TEST_F(WithoutPage, a_program_that_was_built_without_npm_says_so_and_how_to_get_the_page) {
  const auto expect_said = [](const std::string& text) {
    for (const char* words : {"built without npm and has no page", "nodejs, npm", "-DBELTWAY_BUILD_PAGE=ON"}) {
      EXPECT_NE(text.find(words), std::string::npos) << words << " is not in: " << text;
    }
  };
  const Child::Options on_daemon{.environment = {{"BELTWAY_SOCKET", daemon_.socket()}}};
  const Outcome licences = run({program("beltway_without_page"), "web", "--licenses"}, on_daemon, 20s);
  EXPECT_EQ(licences.exit.code, 1);
  expect_said(licences.err);
  const TempDir dir;
  const auto out = dir.write("out", "");
  const auto err = dir.write("err", "");
  Child web = Child::spawn({program("beltway_without_page"), "web", "--format", "json"},
                           {.environment = on_daemon.environment, .standard_output = out, .standard_error = err});
  EXPECT_TRUE(eventually([&] { return read_file(out).ends_with('\n'); })) << read_file(err);
  expect_said(read_file(err));
  EXPECT_FALSE(nlohmann::json::parse(read_file(out)).at("has_page").get<bool>());
  web.kill(SIGTERM);
  EXPECT_EQ(web.wait().code, 143);
}

}  // namespace
}  // namespace beltway::test
