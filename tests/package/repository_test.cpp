// What files of the repository that are no sources must keep to: lock files of npm name no registry, and scripts name tests that
// there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "support/sources.hpp"
#include "support/temp_dir.hpp"

namespace beltway::test {
namespace {

namespace fs = std::filesystem;

/// Those of the repository, and not of what npm has installed.
std::vector<fs::path> lock_files() {
  std::vector<fs::path> found;
  for (const char* folder : k_source_folders) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(BELTWAY_TEST_SOURCES) / folder)) {
      const bool is_installed = entry.path().string().find("/node_modules/") != std::string::npos;
      if (entry.path().filename() == "package-lock.json" && !is_installed) found.push_back(entry.path());
    }
  }
  return found;
}

TEST(Repository, lock_files_of_npm_name_no_registry_and_stay_so_when_npm_writes_them) {
  EXPECT_GE(lock_files().size(), 2U) << "of the page, and of its tests";
  for (const fs::path& file : lock_files()) {
    const std::string text = read_file(file);
    EXPECT_EQ(text.find("\"resolved\""), std::string::npos) << file << " names a registry: see .npmrc beside it";
    EXPECT_NE(text.find("\"integrity\""), std::string::npos) << file << ": what is installed is checked";
    const fs::path settings = file.parent_path() / ".npmrc";
    ASSERT_TRUE(fs::exists(settings)) << settings;
    EXPECT_NE(read_file(settings).find("\nomit-lockfile-registry-resolved=true\n"), std::string::npos) << settings;
  }
}

// A filter that fits no test passes, and tests nothing.
TEST(Repository, tests_that_run_sh_runs_by_name_are_there) {
  const std::string script = read_file(fs::path(BELTWAY_TEST_SOURCES) / "tests/run.sh");
  const std::regex filter("--gtest_filter='-?\\*\\.?([a-z_]+)'");
  std::vector<std::string> names;
  for (std::sregex_iterator found(script.begin(), script.end(), filter), end; found != end; ++found)
    names.push_back((*found)[1]);
  EXPECT_GE(names.size(), 3U) << "soak, healthy load, random pairs";
  for (const std::string& name : names) {
    const bool is_there = std::ranges::any_of(all_sources(), [&](const Source& source) {
      return source.path.ends_with("_test.cpp") && std::ranges::any_of(source.lines, [&](const std::string& line) {
               return line.starts_with("TEST") && line.find(name + ")") != std::string::npos;
             });
    });
    EXPECT_TRUE(is_there) << "tests/run.sh names the test " << name;
  }
}

}  // namespace
}  // namespace beltway::test
