// What examples/quickstart.sh says is true: its part behind the build runs with the programs of this build, and short counts.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "daemon.hpp"

namespace beltway::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_script = BELTWAY_TEST_SOURCES "/examples/quickstart_messages.sh";

fs::path programs() { return fs::path(program("beltway")).parent_path(); }
/// The Python package of this build.
fs::path modules() { return programs().parent_path() / "python"; }
bool has_python() { return fs::exists(modules() / "beltway/_beltway.abi3.so") && fs::exists("/usr/bin/python3"); }

Outcome run_quickstart(const fs::path& programs, const std::string& modules = "") {
  std::vector<std::string> command{k_script, programs};
  if (!modules.empty()) command.push_back(modules);
  Child::Options options;
  options.environment = {{"QUICKSTART_MESSAGES", "20000"},
                         {"QUICKSTART_LINES", "50000"},
                         {"QUICKSTART_FILE_BYTES", "2000000"},
                         {"QUICKSTART_LATENCY", "1000"},
                         {"PYTHONDONTWRITEBYTECODE", "1"}};
  return run(command, options, std::chrono::seconds(100));
}

/// The first group of the expression, which the text must have.
std::string found(const std::string& text, const std::string& expression) {
  std::smatch match;
  if (std::regex_search(text, match, std::regex(expression))) return match[1];
  ADD_FAILURE() << expression << " is not in: " << text;
  return {};
}

TEST(Quickstart, quickstart_shares_messages_between_workers_shows_all_to_a_third_consumer_and_compares_each_byte) {
  const Outcome result = run_quickstart(programs());
  ASSERT_TRUE(result.exit.ok()) << result.out << result.err;
  const std::string& out = result.out;
  const std::string all = found(out, "== All as sent: ([0-9]+) messages, each seen twice, no byte differs\n$");
  EXPECT_GE(std::stoi(all), 20000);
  EXPECT_EQ(found(out, "\nsent:          (messages=.*)\n"), found(out, "\nboth workers:  (messages=.*)\n"));
  EXPECT_TRUE(found(out, "\nsent:          (messages=.*)\n").starts_with("messages=" + all + " ")) << out;
  EXPECT_EQ(std::stoi(found(out, "\nworker 1:      messages=([0-9]+) ")) +
                std::stoi(found(out, "\nworker 2:      messages=([0-9]+) ")),
            std::stoi(all));
  EXPECT_EQ(found(out, "\nsent:          sha256 ([0-9a-f]{64})\n"),
            found(out, "\neverything:    sha256 ([0-9a-f]{64})\n"));
  EXPECT_FALSE(found(out, "== Latency between two processes, one message at a time\n(.+)\n").empty());
  EXPECT_FALSE(found(out, "== Throughput between two processes\n(.+)\n").empty());
  EXPECT_EQ(out.find("Python"), std::string::npos) << out;
}

TEST(Quickstart, quickstart_shows_a_worker_in_python_that_shares_messages_with_one_in_cpp) {
  if (!has_python()) GTEST_SKIP() << "this build has no Python package, or there is no /usr/bin/python3";
  const Outcome result = run_quickstart(programs(), modules());
  ASSERT_TRUE(result.exit.ok()) << result.out << result.err;
  EXPECT_NE(result.out.find("== A worker in Python shares 50000 messages with one in C++\n"), std::string::npos)
      << result.out;
  const int cpp = std::stoi(found(result.out, "\nC\\+\\+: ([0-9]+) messages, Python: [0-9]+ messages\n"));
  const int python = std::stoi(found(result.out, "\nC\\+\\+: [0-9]+ messages, Python: ([0-9]+) messages\n"));
  EXPECT_EQ(cpp + python, 50000);
}

/// Programs of which `beltway sub --raw` loses the first byte.
class LossyPrograms {
 public:
  LossyPrograms() {
    fs::create_symlink(programs() / "beltwayd", folder() / "beltwayd");
    const std::string real = "'" + fs::path(program("beltway")).string() + "' \"$@\"";
    std::ofstream(folder() / "beltway") << "#!/bin/sh\ncase \"$*\" in *--raw*) " << real << " | tail -c +2 ;; *) exec "
                                        << real << " ;; esac\n";
    fs::permissions(folder() / "beltway", fs::perms::owner_all);
  }
  [[nodiscard]] const fs::path& folder() const { return dir_.path(); }

 private:
  TempDir dir_;
};

TEST(Quickstart, quickstart_fails_if_one_byte_is_missing) {
  const LossyPrograms lossy;
  const Outcome result = run_quickstart(lossy.folder());
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_TRUE(result.err.ends_with("FAILED: the consumer that sees everything saw something else\n")) << result.err;
  EXPECT_EQ(result.out.find("All as sent"), std::string::npos) << result.out;
}

TEST(Quickstart, quickstart_builds_and_then_runs_the_part_that_is_tested_here) {
  const std::string script = read_file(BELTWAY_TEST_SOURCES "/examples/quickstart.sh");
  EXPECT_TRUE(script.ends_with("\nexec examples/quickstart_messages.sh build/release/bin ${modules:+\"$modules\"}\n"));
  EXPECT_NE(script.find("modules=build/release/python\n"), std::string::npos);
  EXPECT_EQ(script.find("QUICKSTART_"), std::string::npos) << "the counts of the script are those of its part";
}

}  // namespace
}  // namespace beltway::test
