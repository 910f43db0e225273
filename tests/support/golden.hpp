// Compares a text with a file that is kept in the repository. BELTWAY_RENEW_GOLDEN=1 writes the files anew: look at the
// difference before it is committed.
// Thread safety: none.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "temp_dir.hpp"

namespace beltway::test {

/// `name`: a file of tests/tool/golden.
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path file = std::filesystem::path(BELTWAY_TEST_SOURCES) / "tests/tool/golden" / name;
  if (::getenv("BELTWAY_RENEW_GOLDEN") != nullptr) std::ofstream(file) << text;
  ASSERT_TRUE(std::filesystem::exists(file)) << file << ": run the test once with BELTWAY_RENEW_GOLDEN=1";
  EXPECT_EQ(text, read_file(file)) << file;
}

}  // namespace beltway::test
