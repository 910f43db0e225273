// The rules of src/README.md and of our style that a program can check, read from the sources themselves: who may include
// whom, comments at the top, the length of files.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "support/sources.hpp"

namespace {

namespace fs = std::filesystem;
using namespace beltway::test;

// Folders are layers. A file includes files of its own layer and of the layers before it, and nothing of those behind. A folder
// below a layer belongs to it (src/ring/readers). Every file lies in one of these: a new folder must be written down here.
constexpr std::array<std::string_view, 28> k_layers{
    "include/beltway", "src/base",          "src/os",           "src/ring",      "src/waiting",     "src/recovery",
    "src/endpoint",    "src/wire",          "src/client",       "src/watch",     "src/bridge",      "src/c",
    "src/node",        "src/python",        "src/tool/process", "src/tool/text", "src/tool/bench",  "src/tool/acts",
    "src/tool/top",    "src/tool/commands", "src/tool/web",     "src/tool",      "daemon/survival", "daemon/queues",
    "daemon/service",  "bench/candidates",  "bench/harness",    "bench/studies"};
// The daemon's main.cpp is above all layers of src/ and daemon/.

// The folders of tests/. They are no layers. Those before "support" mirror src/, daemon/ and examples/.
constexpr std::array<std::string_view, 23> k_test_folders{
    "tests/os",      "tests/ring",    "tests/waiting",      "tests/recovery", "tests/endpoint", "tests/wire",
    "tests/client",  "tests/watch",   "tests/tool",         "tests/daemon",   "tests/examples", "tests/support",
    "tests/crash",   "tests/explore", "tests/hostile",      "tests/fuzz",     "tests/stress",   "tests/e2e",
    "tests/upgrade", "tests/package", "tests/instructions", "tests/c",        "tests/bridge"};

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// The place of a path's layer in k_layers, the longest that fits; k_layers.size() if there is none.
std::size_t layer_of(std::string_view path) {
  std::size_t best = k_layers.size();
  for (std::size_t i = 0; i < k_layers.size(); ++i) {
    if (is_below(path, k_layers[i]) && (best == k_layers.size() || k_layers[i].size() > k_layers[best].size()))
      best = i;
  }
  return best;
}

/// The file that an #include "..." of include, src, daemon, bench or tests names; empty if there is none.
std::string included(const std::string& name) {
  for (const char* root : {"include/", "src/", "daemon/", "bench/", "tests/"}) {
    if (fs::exists(fs::path(BELTWAY_TEST_SOURCES) / (root + name))) return root + name;
  }
  return {};
}

bool is_layered(const Source& source) {
  return (is_product(source) || source.path.starts_with("bench/")) && source.path != "daemon/main.cpp";
}

/// Whether a source may have this path: in a layer, in a folder of tests/, directly in examples/, or a named exception.
bool has_place(const std::string& path) {
  if (path == "daemon/main.cpp" || path == "tests/style_test.cpp") return true;
  const fs::path parent = fs::path(path).parent_path();
  if (parent == "examples" || parent == "examples/c") return true;
  const auto is_in = [&](std::string_view folder) { return is_below(path, folder); };
  return layer_of(path) < k_layers.size() || std::any_of(k_test_folders.begin(), k_test_folders.end(), is_in);
}

TEST(Style, the_style_test_finds_the_sources) { EXPECT_GT(all_sources().size(), 20U); }

TEST(Style, public_headers_include_only_the_standard_library_and_each_other) {
  for (const auto& source : all_sources()) {
    const bool needs_boost = source.path.ends_with("/asio.hpp") || source.path.ends_with("/async_attempts.hpp") ||
                             source.path.ends_with("/status_error_code.hpp");
    if (!source.path.starts_with("include/") || needs_boost) continue;
    for (const auto& name : source.quoted) EXPECT_TRUE(name.starts_with("beltway/")) << source.path << ": " << name;
    for (const auto& name : source.bracketed) {
      // Standard headers have neither a folder nor an ending. Those of C end with ".h".
      if (source.path.ends_with(".h") && name.find('/') == std::string::npos && name.ends_with(".h")) continue;
      EXPECT_EQ(name.find_first_of("/."), std::string::npos) << source.path << ": " << name;
    }
  }
}

TEST(Style, every_source_lies_in_a_known_folder) {
  for (const auto& source : all_sources()) EXPECT_TRUE(has_place(source.path)) << source.path << ": no known folder";
  // The lists name folders that exist.
  for (const auto& layer : k_layers) EXPECT_TRUE(fs::is_directory(fs::path(BELTWAY_TEST_SOURCES) / layer)) << layer;
  for (const auto& folder : k_test_folders)
    EXPECT_TRUE(fs::is_directory(fs::path(BELTWAY_TEST_SOURCES) / folder)) << folder;
}

TEST(Style, source_outside_of_the_known_folders_has_no_place) {
  for (const char* path : {"bench/new.cpp", "bench/new/new.cpp", "src/new.cpp", "src/new/new.cpp", "include/new.hpp",
                           "daemon/new.cpp", "tests/new_test.cpp", "tests/new/new_test.cpp", "examples/new/new.cpp"})
    EXPECT_FALSE(has_place(path)) << path;
  for (const char* path : {"bench/studies/new.cpp", "src/ring/readers/new.hpp", "tests/ring/new_test.cpp"})
    EXPECT_TRUE(has_place(path)) << path;
}

TEST(Style, only_known_folders_of_the_repository_hold_sources) {
  const std::vector<std::string> known(k_source_folders.begin(), k_source_folders.end());
  for (const auto& entry : fs::directory_iterator(BELTWAY_TEST_SOURCES)) {
    const std::string name = entry.path().filename();
    if (name.starts_with('.') || name.starts_with("build")) continue;  // made by tools
    if (!entry.is_directory()) {
      EXPECT_FALSE(is_source(entry.path())) << name << " lies in no folder";
    } else if (std::find(known.begin(), known.end(), name) == known.end()) {
      for (const auto& below : fs::recursive_directory_iterator(entry))
        EXPECT_FALSE(is_source(below.path())) << below.path() << ": " << name << " is no known folder";
    }
  }
}

TEST(Style, includes_carry_their_folder) {
  for (const auto& source : all_sources()) {
    if (!is_product(source) && !is_layered(source)) continue;
    for (const auto& name : source.quoted) {
      EXPECT_NE(name.find('/'), std::string::npos) << source.path << ": " << name;
      EXPECT_FALSE(included(name).empty()) << source.path << ": there is no " << name;
    }
  }
}

TEST(Style, no_include_points_upward) {
  for (const auto& source : all_sources()) {
    if (!is_layered(source)) continue;
    for (const auto& name : source.quoted) {
      const std::string target = included(name);
      if (target.empty()) continue;  // said by includes_carry_their_folder
      // The microbenchmarks use the tests' queue in plain memory.
      if (is_below(source.path, "bench/studies") && is_below(target, "tests/support")) continue;
      EXPECT_LE(layer_of(target), layer_of(source.path)) << source.path << " includes upward: " << name;
      const bool apart = source.path.starts_with("daemon/") && target.starts_with("src/tool/");
      EXPECT_FALSE(apart) << source.path << ": the daemon knows nothing of the tool: " << name;
    }
  }
}

/// The namespace of a file of the product: that of its folder.
std::string namespace_of(const std::string& path) {
  if (path.starts_with("daemon/")) return "beltway::daemon";
  if (path.starts_with("include/")) return path.find("/detail/") == std::string::npos ? "beltway" : "beltway::detail";
  const std::string folder = path.substr(4, path.find('/', 4) - 4);
  return folder == "base" ? "beltway" : "beltway::" + folder;
}

struct Block {
  std::string name;                // as its line says
  std::vector<std::string> lines;  // between its braces, without blank lines, comments and anonymous namespaces
};

/// The namespaces that a file opens at its top level.
std::vector<Block> blocks_of(const Source& source) {
  std::vector<Block> blocks;
  bool inside = false;
  bool anonymous = false;
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    const std::string& line = source.lines[i];
    if (!inside && line.starts_with("namespace ") && line.find('=') == std::string::npos) {
      const std::size_t brace = line.find(" {");
      blocks.push_back({.name = brace < 10 ? "" : line.substr(10, brace - 10), .lines = {}});
      inside = true;
    } else if (inside && line == "namespace {") {
      anonymous = true;
    } else if (inside && anonymous && line == "}  // namespace") {
      anonymous = false;
    } else if (inside && !anonymous &&
               line == "}  // namespace" + (blocks.back().name.empty() ? "" : ' ' + blocks.back().name)) {
      inside = false;
    } else if (inside && !anonymous && !line.empty() && !line.starts_with("//") && !line.starts_with('#')) {
      blocks.back().lines.push_back(line);
    }
  }
  return blocks;
}

bool is_forward_declaration(const std::string& line) {
  static const std::regex forward("(template <.*> )?(class|struct) \\w+;");
  return std::regex_match(line, forward);
}

/// True if a header that is installed declares the class or function.
bool is_declared_to_users(const std::string& name) {
  static const std::string headers = [] {
    std::string text = "\n";
    for (const auto& source : all_sources()) {
      if (!source.path.starts_with("include/")) continue;
      for (const auto& line : source.lines) text += line.substr(0, line.find("//")) + '\n';
    }
    return text;
  }();
  for (std::size_t at = headers.find(name); at != std::string::npos; at = headers.find(name, at + 1)) {
    if (std::isalnum(static_cast<unsigned char>(headers[at - 1])) != 0 || headers[at - 1] == '_') continue;
    const char after = headers[at + name.size()];
    const std::string_view line(headers.data() + headers.rfind('\n', at) + 1, headers.data() + at);
    if (after == '(' || after == ';') return true;
    if ((after == ' ' || after == '\n') && (line.find("class ") != line.npos || line.find("struct ") != line.npos))
      return true;
  }
  return false;
}

/// What a line at the left edge of a block declares: "Queue::peek" or "stop_on"; empty if the line declares nothing.
std::string declared_by(const std::string& line) {
  static const std::regex type("^(?:class|struct|enum class|union) (\\w+).*");
  static const std::regex function("^(?:[\\w\\[][^(]*[ *&])?([\\w:~]+)\\(.*");
  static const std::regex variable("^[\\w\\[][^=;{]* ([\\w:]+) ?[={;].*");
  std::smatch found;
  for (const char* other : {"template ", "using ", "static_assert(", "namespace "})
    if (line.starts_with(other)) return {};
  if (std::regex_match(line, found, type) || std::regex_match(line, found, function) ||
      std::regex_match(line, found, variable))
    return found[1];
  return {};
}

// Other namespaces are named, not entered. There are two exceptions: a forward declaration, and in a .cpp the definition of
// what an installed header declares.
TEST(Style, the_namespace_of_a_file_is_that_of_its_folder) {
  for (const auto& source : all_sources()) {
    if (!is_product(source)) continue;
    const std::string own = namespace_of(source.path);
    for (const auto& block : blocks_of(source)) {
      // CLI, std, boost: what belongs to others is specialised there. An anonymous one stands in a main.cpp.
      if (block.name == own || !block.name.starts_with("beltway")) continue;
      if (std::all_of(block.lines.begin(), block.lines.end(), is_forward_declaration)) continue;
      const bool for_users = block.name == "beltway" || block.name == "beltway::detail";
      const bool header_for_users = source.path.starts_with("include/") && own == "beltway";
      const bool may_define = source.path.ends_with(".cpp") || header_for_users;
      EXPECT_TRUE(for_users && may_define) << source.path << " opens " << block.name << " instead of " << own;
      if (header_for_users) continue;
      for (const auto& line : block.lines) {
        std::string name = declared_by(line);
        if (name.starts_with("detail::")) name.erase(0, 8);
        name = name.substr(0, name.find("::"));
        EXPECT_TRUE(name.empty() || is_declared_to_users(name)) << source.path << ": " << name << " belongs in " << own;
      }
    }
  }
}

TEST(Style, the_product_imports_no_whole_namespace) {
  for (const auto& source : all_sources()) {
    if (!is_product(source)) continue;
    for (const auto& line : source.lines) {
      const bool literals = line.find("using namespace std::") != std::string::npos;
      EXPECT_TRUE(literals || line.find("using namespace ") == std::string::npos) << source.path << ": " << line;
    }
  }
}

TEST(Style, no_two_headers_have_one_name) {
  std::map<std::string, std::string> folders;
  for (const auto& source : all_sources()) {
    const fs::path path = source.path;
    if (path.extension() != ".hpp" || !is_product(source) || source.path.starts_with("include/")) continue;
    const auto [place, fresh] = folders.emplace(path.filename().string(), source.path);
    EXPECT_TRUE(fresh) << source.path << " and " << place->second;
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
    const std::string header = fs::path(source.path).stem().string() + ".hpp\"";
    const std::string& first = source.lines.front();
    const bool has_header =
        source.path.ends_with(".cpp") && (first.ends_with("/" + header) || first == "#include \"" + header);
    EXPECT_TRUE(has_header || source.lines.front().starts_with("// ")) << source.path << ": " << source.lines.front();
  }
}

// Figures rot, invariants do not: figures live in bench/, history in git.
TEST(Style, code_holds_no_measurement) {
  const std::regex measurement("[0-9] -> [0-9]|[0-9] (million a second|M/s)|[0-9] instead of [0-9]");
  for (const auto& source : all_sources()) {
    if (!is_product(source) || source.path.starts_with("src/watch/format.")) continue;  // which writes rates
    for (const auto& line : source.lines)
      EXPECT_FALSE(std::regex_search(line, measurement)) << source.path << ": " << line;
  }
}

TEST(Style, test_names_are_sentences_that_stand_alone) {
  const std::regex test(R"(^\s*(TYPED_)?TEST(_F|_P)?\((\w+), (\w+)\))");
  // First words of a name that leans on its suite or on the test before it.
  constexpr std::array<std::string_view, 32> k_leaning{
      "and",  "nor",   "too",  "or",  "but", "is",  "are", "of",  "that",   "what", "whose",
      "who",  "which", "does", "do",  "has", "may", "can", "at",  "cannot", "with", "without",
      "from", "by",    "to",   "for", "in",  "on",  "it",  "its", "them",   "so"};
  for (const auto& source : all_sources()) {
    if (!source.path.starts_with("tests/")) continue;
    for (const auto& line : source.lines) {
      std::smatch found;
      if (!std::regex_search(line, found, test)) continue;
      const std::string name = found[4];
      EXPECT_TRUE(name.starts_with("DISABLED_") || (name[0] >= 'a' && name[0] <= 'z')) << source.path << ": " << name;
      const std::string first = name.substr(0, name.find('_'));
      EXPECT_EQ(std::count(k_leaning.begin(), k_leaning.end(), first), 0)
          << source.path << ": " << name << ": a name that begins with \"" << first << "\" has no subject";
    }
  }
}

TEST(Style, public_classes_open_with_their_semantics) {
  const std::regex public_class(R"(^class (\[\[nodiscard\]\] )?\w+(<[^>]*>)?( final)?( : .*)? \{$)");
  std::size_t classes = 0;
  for (const auto& source : all_sources()) {
    if (!source.path.starts_with("include/beltway/") || source.path.starts_with("include/beltway/detail/")) continue;
    bool in_detail = false;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      if (source.lines[i] == "namespace detail {") in_detail = true;
      if (source.lines[i] == "}  // namespace detail") in_detail = false;
      if (in_detail || !std::regex_search(source.lines[i], public_class)) continue;
      ++classes;
      std::string paragraph;
      for (std::size_t above = i; above > 0; --above) {
        const std::string& line = source.lines[above - 1];
        if (!line.starts_with("///") && !line.starts_with("template <") && !line.starts_with("  requires ")) break;
        paragraph = line + '\n' + paragraph;
      }
      const bool says = paragraph.find("hread safety") != std::string::npos ||
                        paragraph.find("see the top of this file") != std::string::npos;
      EXPECT_TRUE(says) << source.path << ": " << source.lines[i] << " does not say its thread safety";
    }
  }
  EXPECT_GT(classes, 10U);
}

TEST(Style, headers_are_guarded_by_pragma_once) {
  for (const auto& source : all_sources()) {
    if (!source.path.ends_with(".hpp")) continue;
    EXPECT_NE(std::find(source.lines.begin(), source.lines.end(), "#pragma once"), source.lines.end()) << source.path;
  }
}

// A standard C compiler need not know "#pragma once".
TEST(Style, c_headers_are_guarded_by_a_macro_of_their_own) {
  std::map<std::string, std::string> files;
  for (const auto& source : all_sources()) {
    if (!source.path.ends_with(".h")) continue;
    const auto guard = std::find_if(source.lines.begin(), source.lines.end(),
                                    [](const std::string& line) { return line.starts_with("#ifndef BELTWAY_"); });
    ASSERT_NE(guard, source.lines.end()) << source.path;
    const auto [place, fresh] = files.emplace(guard->substr(8), source.path);
    EXPECT_TRUE(fresh) << source.path << " and " << place->second << " have the guard " << place->first;
  }
  EXPECT_GT(files.size(), 8U);
}

TEST(Style, files_are_short) {
  constexpr std::size_t k_max_lines = 400;
  for (const auto* list : {&all_sources(), &all_scripts()}) {
    for (const auto& source : *list) EXPECT_LE(source.lines.size(), k_max_lines) << source.path;
  }
}

TEST(Style, the_style_test_finds_scripts_in_python_and_javascript) {
  const auto has = [](std::string_view ending) {
    return std::any_of(all_scripts().begin(), all_scripts().end(),
                       [&](const Source& script) { return script.path.ends_with(ending); });
  };
  for (const char* ending : {".py", ".pyi", ".js", ".mjs", ".d.ts"}) EXPECT_TRUE(has(ending)) << ending;
}

// clang-format keeps code within 120 columns; comments are filled by hand, and a word may stand over.
TEST(Style, lines_are_not_too_long_and_have_no_tabs) {
  constexpr std::ptrdiff_t k_max_columns = 130;
  for (const auto* list : {&all_sources(), &all_scripts()}) {
    for (const auto& source : *list) {
      for (std::size_t i = 0; i < source.lines.size(); ++i) {
        const std::string& line = source.lines[i];
        // Bytes that continue a UTF-8 character take no column.
        const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
        EXPECT_LE(columns, k_max_columns) << source.path << ':' << i + 1;
        EXPECT_EQ(line.find('\t'), std::string::npos) << source.path << ':' << i + 1;
      }
    }
  }
}

}  // namespace
