// The documents are true: each C++ block of README and guide compiles, runs and prints what it shall, and each link leads to a
// file. A block is compiled as a stranger would: by itself, against the public headers and the library.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
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
  return std::string(block.param.file[0] == 'R' ? "readme" : "guide") + std::to_string(block.param.index);
});

TEST(Documents, documents_have_no_block_that_no_test_runs) {
  for (const char* file : {"README.md", "examples/README.md"}) {
    const auto known = std::count_if(k_blocks.begin(), k_blocks.end(),
                                     [&](const Block& block) { return std::string(block.file) == file; });
    EXPECT_EQ(cpp_blocks(file).size(), static_cast<std::size_t>(known)) << file;
  }
}

TEST(Documents, link_only_to_files_that_exist) {
  const std::regex link(R"(\]\(([^)#\s]+)(#[^)]*)?\))");
  std::size_t links = 0;
  for (const auto& entry : fs::recursive_directory_iterator(BELTWAY_TEST_SOURCES)) {
    const fs::path relative = fs::relative(entry.path(), BELTWAY_TEST_SOURCES);
    if (entry.path().extension() != ".md" || *relative.begin() == "build") continue;
    const std::string text = read_file(entry.path());
    for (std::sregex_iterator each(text.begin(), text.end(), link), end; each != end; ++each) {
      const std::string target = (*each)[1];
      if (target.starts_with("https://") || target.starts_with("http://")) continue;
      ++links;
      EXPECT_TRUE(fs::exists(entry.path().parent_path() / target)) << relative << " links to " << target;
    }
  }
  EXPECT_GT(links, 10U);
}

}  // namespace
}  // namespace beltway::test
