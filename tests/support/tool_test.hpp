// The fixture of tests that run commands of the tool against a daemon.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon.hpp"

namespace beltway::test {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class ToolTest : public testing::Test {
 protected:
  Outcome tool(const std::vector<std::string>& arguments) const { return daemon_.tool(arguments); }
  /// The output of a command that must succeed, as JSON.
  nlohmann::json tool_json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome result = tool(arguments);
    EXPECT_TRUE(result.exit.ok()) << result.err;
    EXPECT_EQ(result.out.find('\n'), result.out.size() - 1) << "one line: " << result.out;
    return nlohmann::json::parse(result.out);
  }
  /// The command must fail with this exit code and this text, and print nothing else.
  void expect_failure(const std::vector<std::string>& arguments, int code, const std::string& says) const {
    const Outcome result = tool(arguments);
    EXPECT_EQ(result.exit.code, code) << result.err;
    EXPECT_TRUE(result.err.starts_with("beltway: ")) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
  }

  TestDaemon daemon_;
};

}  // namespace beltway::test
