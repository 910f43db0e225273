// See stored_program.hpp.
#include "survival/stored_program.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <array>

namespace beltway::daemon {
namespace {

constexpr std::array k_names{"EXE0", "EXE1"};

}  // namespace

bool is_stored_program(std::string_view name) noexcept { return name == k_names[0] || name == k_names[1]; }

bool are_same_file(int one, int other) noexcept {
  struct stat a{};
  struct stat b{};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

os::Fd program_of(const std::string& pid) noexcept {
  const std::string path = "/proc/" + pid + "/exe";
  os::Fd program(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // A user may have the right to execute a program and no right to read it.
  if (!program) program.reset(::open(path.c_str(), O_PATH | O_CLOEXEC));
  return program;
}

StoredProgram::StoredProgram(DescriptorStore& store) : store_(store) {
  for (const char* const name : k_names) {
    os::Fd found = store_.take(name);
    if (!found) continue;
    if (descriptor_) {  // an earlier daemon was killed between storing one and dropping the other: both can go on
      store_.forget(name);
      continue;
    }
    descriptor_ = std::move(found);
    name_ = name;
  }
}

void StoredProgram::store_own() {
  if (!store_.is_there()) return;
  os::Fd own = program_of("self");
  if (!own)
    return spdlog::warn(
        "/proc/self/exe cannot be opened: a program that fails to take over has no older program to return to");
  if (descriptor_ && are_same_file(own.get(), descriptor_.get())) return;
  const std::string old = std::exchange(name_, name_ == k_names[0] ? k_names[1] : k_names[0]);
  store_.keep(name_, own.get());
  if (!old.empty()) store_.forget(old);
  descriptor_ = std::move(own);
}

}  // namespace beltway::daemon
