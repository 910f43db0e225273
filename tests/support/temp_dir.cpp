// Temporary directories.
#include "temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

namespace beltway::test {

TempDir::TempDir() {
  std::string name = "/tmp/beltway-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempDir::write(const std::string& name, const std::string& content) const {
  auto file = path_ / name;
  std::ofstream out(file, std::ios::binary);
  out << content;
  out.flush();
  if (!out) throw std::system_error(errno, std::generic_category(), "write " + file.string());
  return file;
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::system_error(errno, std::generic_category(), "read " + file.string());
  std::ostringstream text;
  text << in.rdbuf();  // not by iterators: they throw when the process of a file in /proc has ended
  return text.str();
}

}  // namespace beltway::test
