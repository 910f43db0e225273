// Fails a test that leaves something of the kernel's behind: descriptors, mappings of shared memory, child processes,
// files of ours in /dev/shm. What is left is then taken away, so that only the guilty test fails.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace beltway::test {

/// What a process holds at one moment.
struct Holdings {
  std::map<int, std::string> descriptors;  ///< number and what it refers to
  std::map<std::string, int> mappings;     ///< memfds by name: how many times mapped
  std::vector<std::string> children;       ///< process ids; "?" where the kernel does not list them
  std::vector<std::string> shared_files;   ///< names in /dev/shm that say beltway
  static Holdings now();
};

/// One line for each thing in `after` that was not in `before`.
[[nodiscard]] std::vector<std::string> leaks(const Holdings& before, const Holdings& after);

class LeakCheck : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& info) override;
  void OnTestEnd(const testing::TestInfo& info) override;

 private:
  Holdings before_;
};

}  // namespace beltway::test
