// The rules of src/README.md and of our style that a program can check, read from the sources themselves: who may include
// whom, comments at the top, the length of files.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // from the top of the repository
  std::vector<std::string> lines;
  std::vector<std::string> quoted;     // #include "..."
  std::vector<std::string> bracketed;  // #include <...>
};

Source read(const fs::path& file) {
  Source source;
  source.path = fs::relative(file, BELTWAY_TEST_SOURCES).string();
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#include \"")) source.quoted.push_back(line.substr(10, line.rfind('"') - 10));
    if (line.starts_with("#include <")) source.bracketed.push_back(line.substr(10, line.rfind('>') - 10));
    source.lines.push_back(std::move(line));
  }
  return source;
}

const std::vector<Source>& all_sources() {
  static const std::vector<Source> sources = [] {
    std::vector<Source> found;
    for (const char* folder : {"include", "src", "daemon", "tests", "bench", "examples"}) {
      for (const auto& entry : fs::recursive_directory_iterator(fs::path(BELTWAY_TEST_SOURCES) / folder)) {
        const auto extension = entry.path().extension();
        if (extension == ".hpp" || extension == ".cpp") found.push_back(read(entry.path()));
      }
    }
    return found;
  }();
  return sources;
}

// The part of a file that a layer is about: "src/ring.cpp" -> "ring".
std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

// Files of src/ that, directly or not, a file of src/ includes: by stem.
std::set<std::string> reach(const std::string& from) {
  std::map<std::string, std::set<std::string>> edges;
  for (const auto& source : all_sources()) {
    if (fs::path(source.path).parent_path() != "src") continue;
    for (const auto& name : source.quoted) {
      if (name.find('/') == std::string::npos) edges[stem(source.path)].insert(stem(name));
    }
  }
  std::set<std::string> reached;
  std::vector<std::string> open{from};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    for (const auto& name : edges[next]) {
      if (reached.insert(name).second) open.push_back(name);
    }
  }
  return reached;
}

TEST(Style, finds_the_sources) { EXPECT_GT(all_sources().size(), 20U); }

TEST(Style, public_headers_include_only_the_standard_library_and_each_other) {
  for (const auto& source : all_sources()) {
    if (!source.path.starts_with("include/") || source.path.ends_with("/asio.hpp")) continue;
    for (const auto& name : source.quoted) EXPECT_TRUE(name.starts_with("beltway/")) << source.path << ": " << name;
    for (const auto& name : source.bracketed) {
      // Standard headers have neither a folder nor an ending.
      EXPECT_EQ(name.find_first_of("/."), std::string::npos) << source.path << ": " << name;
    }
  }
}

TEST(Style, the_library_knows_nothing_of_the_daemon) {
  std::set<std::string> daemon_headers;
  for (const auto& source : all_sources()) {
    if (source.path.starts_with("daemon/") && source.path.ends_with(".hpp")) {
      daemon_headers.insert(fs::path(source.path).filename().string());
    }
  }
  ASSERT_FALSE(daemon_headers.empty());
  for (const auto& source : all_sources()) {
    if (!source.path.starts_with("src/")) continue;  // the tool among them
    for (const auto& name : source.quoted) {
      EXPECT_EQ(name.find("daemon/"), std::string::npos) << source.path << ": " << name;
      // A header of that name that lies in the library itself is meant then.
      const bool own = fs::exists(fs::path(BELTWAY_TEST_SOURCES) / fs::path(source.path).parent_path() / name) ||
                       fs::exists(fs::path(BELTWAY_TEST_SOURCES) / "src" / name);
      EXPECT_FALSE(daemon_headers.contains(name) && !own) << source.path << ": " << name;
    }
  }
}

TEST(Style, no_header_name_is_both_the_library_s_and_the_daemon_s) {
  std::map<std::string, std::string> folders;
  for (const auto& source : all_sources()) {
    const fs::path path = source.path;
    if (path.extension() != ".hpp" || (path.parent_path() != "src" && path.parent_path() != "daemon")) continue;
    const auto [place, fresh] = folders.emplace(path.filename().string(), source.path);
    EXPECT_TRUE(fresh) << source.path << " and " << place->second << ": an include would be ambiguous";
  }
}

// Layers: layout <- ring, lanes <- producer, consumer; segments, waking, protocol <- connection. So what moves messages knows
// nothing of the daemon's door, and nothing reaches back up from what it stands on.
TEST(Style, lower_layers_do_not_include_higher_ones) {
  const std::set<std::string> door{"attach",  "channel",       "connection",  "find_daemon",
                                   "inspect", "living_daemon", "protocol",    "queue_request",
                                   "segment", "session",       "socket_path", "start_daemon"};
  const std::set<std::string> endpoints{"consumer_core", "producer_core"};
  const std::set<std::string> ring{"claim",     "end_count",    "floors",       "groups",         "lane",
                                   "looks",     "lossy_reader", "named_reader", "private_reader", "queue_setup",
                                   "room_line", "slot_view",    "waiter",       "waking"};
  const auto reaches_none = [](const std::string& lower, const std::set<std::string>& uppers) {
    for (const auto& name : reach(lower)) EXPECT_FALSE(uppers.contains(name)) << lower << " reaches " << name;
  };
  for (const auto& name : endpoints) reaches_none(name, door);
  for (const auto& name : ring) {
    reaches_none(name, door);
    reaches_none(name, endpoints);
  }
  for (const auto& name : reach("layout")) ADD_FAILURE() << "layout is at the bottom, and reaches " << name;
  // The lists above mean files that exist.
  std::set<std::string> stems;
  for (const auto& source : all_sources()) stems.insert(stem(source.path));
  for (const auto* layer : {&door, &endpoints, &ring}) {
    for (const auto& name : *layer) EXPECT_TRUE(stems.contains(name)) << name << " is no more; update the layers here";
  }
}

TEST(Style, examples_include_only_what_is_installed) {
  for (const auto& source : all_sources()) {
    if (!source.path.starts_with("examples/")) continue;
    for (const auto& name : source.quoted) EXPECT_TRUE(name.starts_with("beltway/")) << source.path << ": " << name;
    EXPECT_LT(source.lines.size(), 60U) << source.path << ": an example shows one idea";
  }
}

TEST(Style, every_file_says_at_its_top_what_it_is) {
  for (const auto& source : all_sources()) {
    ASSERT_FALSE(source.lines.empty()) << source.path;
    // A source that begins with its own header is explained there.
    const bool has_header =
        source.path.ends_with(".cpp") && source.lines.front() == "#include \"" + stem(source.path) + ".hpp\"";
    EXPECT_TRUE(has_header || source.lines.front().starts_with("// ")) << source.path << ": " << source.lines.front();
  }
}

TEST(Style, headers_are_guarded_by_pragma_once) {
  for (const auto& source : all_sources()) {
    if (!source.path.ends_with(".hpp")) continue;
    EXPECT_NE(std::find(source.lines.begin(), source.lines.end(), "#pragma once"), source.lines.end()) << source.path;
  }
}

TEST(Style, files_are_short_or_have_a_reason) {
  constexpr std::size_t k_max_lines = 400;
  // Path and reason. A file that is short again must leave the list.
  const std::map<std::string, std::string> long_for_a_reason;
  for (const auto& source : all_sources()) {
    if (long_for_a_reason.contains(source.path)) {
      EXPECT_GT(source.lines.size(), k_max_lines) << source.path << " needs no exception any more";
    } else {
      EXPECT_LE(source.lines.size(), k_max_lines) << source.path;
    }
  }
}

// clang-format keeps code within 120 columns; comments are filled by hand, and a word may stand over.
TEST(Style, lines_are_not_too_long_and_have_no_tabs) {
  constexpr std::ptrdiff_t k_max_columns = 130;
  for (const auto& source : all_sources()) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      const std::string& line = source.lines[i];
      // Bytes that continue a UTF-8 character take no column.
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
      EXPECT_LE(columns, k_max_columns) << source.path << ':' << i + 1;
      EXPECT_EQ(line.find('\t'), std::string::npos) << source.path << ':' << i + 1;
    }
  }
}

}  // namespace
