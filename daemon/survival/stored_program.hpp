// The program that works on the queues, kept in the store beside them: a descriptor of the file that it runs. The file may
// be replaced or removed meanwhile; the descriptor still is the program that can read what it has made. So a program that comes
// after it and cannot go on gives way to it (succession.hpp), and loses nothing.
//
// Names in the store: EXE0 and EXE1. A program that takes over is stored under the one that is free before the other is
// dropped, so that there is one at any instruction.
// Ownership: the descriptor; the store is the server's and outlives this. Thread safety: the daemon's one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "survival/descriptor_store.hpp"

namespace beltway::daemon {

[[nodiscard]] bool is_stored_program(std::string_view name) noexcept;

/// Whether two descriptors are of one file.
[[nodiscard]] bool are_same_file(int one, int other) noexcept;
/// The program that process `pid` runs, also if its file was replaced. Empty if that cannot be known.
[[nodiscard]] os::Fd program_of(const std::string& pid) noexcept;

class StoredProgram {
 public:
  /// Takes over what an earlier daemon has stored.
  explicit StoredProgram(DescriptorStore& store);
  StoredProgram(const StoredProgram&) = delete;
  StoredProgram& operator=(const StoredProgram&) = delete;

  /// From now on this process's program is the one that is stored. For a daemon that is ready and has read all queues.
  void store_own();

 private:
  DescriptorStore& store_;
  os::Fd descriptor_;
  std::string name_;
};

}  // namespace beltway::daemon
