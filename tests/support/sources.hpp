// The sources of this repository, as the style test reads them.
// Thread safety: pure functions.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace beltway::test {

struct Source {
  std::string path;  // from the top of the repository
  std::vector<std::string> lines;
  std::vector<std::string> quoted;     // #include "..."
  std::vector<std::string> bracketed;  // #include <...>
};

inline Source read(const std::filesystem::path& file) {
  Source source;
  source.path = std::filesystem::relative(file, BELTWAY_TEST_SOURCES).string();
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#include \"")) source.quoted.push_back(line.substr(10, line.rfind('"') - 10));
    if (line.starts_with("#include <")) source.bracketed.push_back(line.substr(10, line.rfind('>') - 10));
    source.lines.push_back(std::move(line));
  }
  return source;
}

inline constexpr std::array<const char*, 6> k_source_folders{"include", "src", "daemon", "tests", "bench", "examples"};

inline bool is_source(const std::filesystem::path& path) {
  const std::filesystem::path ending = path.extension();
  return ending == ".hpp" || ending == ".cpp" || ending == ".h" || ending == ".c";
}

/// Programs and modules in Python and JavaScript; not those that npm has installed.
inline bool is_script(const std::filesystem::path& path) {
  if (path.string().find("/node_modules/") != std::string::npos) return false;
  const std::filesystem::path ending = path.extension();
  return ending == ".py" || ending == ".pyi" || ending == ".js" || ending == ".mjs" || ending == ".ts";
}

inline std::vector<Source> read_all(bool (*is_wanted)(const std::filesystem::path&)) {
  std::vector<Source> found;
  for (const char* folder : k_source_folders) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(BELTWAY_TEST_SOURCES) / folder)) {
      if (is_wanted(entry.path())) found.push_back(read(entry.path()));
    }
  }
  return found;
}

inline const std::vector<Source>& all_sources() {
  static const std::vector<Source> sources = read_all(is_source);
  return sources;
}
inline const std::vector<Source>& all_scripts() {
  static const std::vector<Source> scripts = read_all(is_script);
  return scripts;
}

inline bool is_product(const Source& source) {
  return source.path.starts_with("include/") || source.path.starts_with("src/") || source.path.starts_with("daemon/");
}

}  // namespace beltway::test
