// The documents are true: each C++ block of README and guide compiles, runs and prints what it shall. Each link leads to a file
// and a heading. No document grows too long. A block is compiled as a stranger would: by itself, against the public headers and
// the library.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "daemon.hpp"

namespace beltway::test {
namespace {

namespace fs = std::filesystem;

struct Block {
  const char* file;
  std::size_t index;  // among the C++ blocks of the file
  const char* output;
};
constexpr std::array k_blocks{
    Block{"README.md", 0, "one order\n"},
    Block{"examples/PROPERTIES.md", 0, "order-7 of acme, application/json: {\"id\":7}\nanswer to order-7: done\n"},
    Block{"examples/README.md", 0, "done: resize a.png, delivery 1\n"},
    Block{"examples/README.md", 1, "headline, headline\n"},
    Block{"examples/README.md", 2, "reply to ping\n"},
    Block{"examples/README.md", 3, "100\n"},
    Block{"examples/README.md", 4, "5000000 bytes, the last is 7\n"},
    Block{"examples/README.md", 5, "hello\nend of stream\n"},
    Block{"examples/README.md", 6, "hello\n"},
    Block{"examples/README.md", 7, "hello\n"},
    Block{"examples/README.md", 8, "100 acknowledged\n"},
    Block{"examples/README.md", 9, "order 1, delivery 1\norder 2, delivery 1\n"},
    Block{"examples/FAILURES.md", 0, "bad, delivery 1\nbad, delivery 2\n1 dropped\n"},
};

std::string document(const std::string& file) { return read_file(fs::path(BELTWAY_TEST_SOURCES) / file); }

std::vector<std::string> cpp_blocks(const std::string& file) {
  const std::string text = document(file);
  const std::string begin = "\n```cpp\n";
  std::vector<std::string> blocks;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    blocks.push_back(text.substr(at, text.find("\n```", at) + 1 - at));
  }
  return blocks;
}

class DocumentBlock : public testing::TestWithParam<Block> {};

TEST_P(DocumentBlock, a_document_block_compiles_alone_and_prints_its_output) {
  const Block& block = GetParam();
  const TestDaemon daemon;
  const fs::path source = daemon.dir().path() / "block.cpp";
  const fs::path program = daemon.dir().path() / "block";
  const std::vector<std::string> blocks = cpp_blocks(block.file);
  ASSERT_LT(block.index, blocks.size());
  std::ofstream(source) << blocks[block.index];
  const Outcome compiled =
      run({BELTWAY_TEST_COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-I", BELTWAY_TEST_SOURCES "/include",
           source.string(), "-o", program.string(), BELTWAY_TEST_LIBRARY, "-pthread"});
  ASSERT_TRUE(compiled.exit.ok()) << compiled.out << compiled.err;
  const Outcome ran = run({program.string()}, daemon.client_options());
  EXPECT_TRUE(ran.exit.ok()) << ran.err;
  EXPECT_EQ(ran.out, block.output);
}

INSTANTIATE_TEST_SUITE_P(Documents, DocumentBlock, testing::ValuesIn(k_blocks), [](const auto& block) {
  const std::string stem = fs::path(block.param.file).stem().string();
  return (std::string(block.param.file) == "examples/README.md" ? "guide" : stem) + std::to_string(block.param.index);
});

TEST(Documents, documents_have_no_block_that_no_test_runs) {
  for (const char* file : {"README.md", "examples/README.md", "examples/PROPERTIES.md", "examples/FAILURES.md"}) {
    const auto known = std::count_if(k_blocks.begin(), k_blocks.end(),
                                     [&](const Block& block) { return std::string(block.file) == file; });
    EXPECT_EQ(cpp_blocks(file).size(), static_cast<std::size_t>(known)) << file;
  }
}

/// The names by which links find the headings of a document, as GitHub makes them.
std::set<std::string> anchors_of(const fs::path& file) {
  std::set<std::string> anchors;
  std::istringstream lines(read_file(file));
  bool in_block = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) in_block = !in_block;
    if (in_block || !line.starts_with('#')) continue;
    std::string anchor;
    for (const char c : line.substr(line.find(' ') + 1)) {
      if (c == ' ') anchor += '-';
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_')
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    anchors.insert(anchor);
  }
  return anchors;
}

TEST(Documents, documents_link_only_to_files_and_headings_that_exist) {
  const std::regex link(R"(\]\(([^)#\s]*)(#([^)]*))?\))");
  std::size_t links = 0;
  for (const auto& entry : fs::recursive_directory_iterator(BELTWAY_TEST_SOURCES)) {
    const fs::path relative = fs::relative(entry.path(), BELTWAY_TEST_SOURCES);
    if (entry.path().extension() != ".md" || *relative.begin() == "build") continue;
    const std::string text = read_file(entry.path());
    for (std::sregex_iterator each(text.begin(), text.end(), link), end; each != end; ++each) {
      const std::string name = (*each)[1];
      const std::string anchor = (*each)[3];
      if (name.starts_with("https://") || name.starts_with("http://")) continue;
      ++links;
      const fs::path target = name.empty() ? entry.path() : entry.path().parent_path() / name;
      EXPECT_TRUE(fs::exists(target)) << relative << " links to " << name;
      if (anchor.empty() || target.extension() != ".md") continue;
      EXPECT_TRUE(anchors_of(target).contains(anchor)) << relative << " links to " << name << '#' << anchor;
    }
  }
  EXPECT_GT(links, 10U);
}

/// The file names of the repository, and their stems.
std::set<std::string> all_file_names() {
  std::set<std::string> names;
  for (const char* folder : {"include", "src", "daemon", "packages", "tests", "bench", "examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(BELTWAY_TEST_SOURCES) / folder)) {
      names.insert(entry.path().filename().string());
      names.insert(entry.path().stem().string());
    }
  }
  return names;
}

TEST(Documents, documents_name_only_sources_and_tests_that_exist) {
  const std::regex source("`([^`\n]*/)?([a-z_0-9]+(\\.[ch]pp|\\.cmake|\\.sh|_test))`");
  const std::set<std::string> names = all_file_names();
  std::size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(BELTWAY_TEST_SOURCES)) {
    const fs::path relative = fs::relative(entry.path(), BELTWAY_TEST_SOURCES);
    if (entry.path().extension() != ".md" || *relative.begin() == "build") continue;
    const std::string text = read_file(entry.path());
    for (std::sregex_iterator each(text.begin(), text.end(), source), end; each != end; ++each) {
      ++found;
      EXPECT_TRUE(names.contains((*each)[2])) << relative << " names " << (*each)[2];
    }
  }
  EXPECT_GT(found, 10U);
}

// A number of lines is an alarm: split the document then, and never cut a rule out.
TEST(Documents, documents_are_short_enough_to_be_read) {
  // README.md: 50 lines of it are the programs of its first screen, which stand side by side.
  const std::map<std::string, std::ptrdiff_t> most_lines{{"README.md", 170},
                                                         {"examples/README.md", 300},
                                                         {"examples/FAQ.md", 150},
                                                         {"examples/THREADS.md", 100},
                                                         {"examples/PROPERTIES.md", 100},
                                                         {"examples/FAILURES.md", 100},
                                                         {"examples/JOBS.md", 100},
                                                         {"examples/NEWEST.md", 100},
                                                         {"examples/COMING_FROM.md", 100},
                                                         {"examples/PIKA.md", 100},
                                                         {"examples/BRIDGE.md", 100},
                                                         {"daemon/README.md", 120},
                                                         {"packages/README.md", 100},
                                                         {"daemon/DECISIONS.md", 150},
                                                         {"daemon/CONTAINERS.md", 100},
                                                         {"daemon/DEAD_LETTERS.md", 100},
                                                         {"src/README.md", 150},
                                                         {"src/DECISIONS.md", 150},
                                                         {"src/ring/PROTOCOL.md", 400},
                                                         {"src/ring/OPERATIONS.md", 400},
                                                         {"src/ring/PROPERTIES.md", 150},
                                                         {"src/ring/PARKING.md", 150},
                                                         {"src/ring/LEASE_TIMEOUT.md", 150},
                                                         {"src/ring/DROP_OLDEST.md", 150},
                                                         {"src/ring/GROUPS.md", 150},
                                                         {"src/ring/DEAD_LETTERS.md", 150},
                                                         {"src/os/README.md", 150},
                                                         {"src/tool/WEB.md", 120},
                                                         {"src/wire/PROTOCOL.md", 120}};
  for (const auto& [file, most] : most_lines) {
    const std::string text = document(file);
    ASSERT_FALSE(text.empty()) << file;
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), most) << file;
  }
}

}  // namespace
}  // namespace beltway::test
