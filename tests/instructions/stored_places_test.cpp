// How many places a message of a single producer is stored to: aligned blocks of 32 bytes, where stores that follow each other
// into one block count once. src/DECISIONS.md says why they decide how fast a stream of small messages is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "child.hpp"
#include "daemon.hpp"
#include "temp_dir.hpp"

namespace beltway::test {
namespace {

/// The places of each message, by lackey's lines " S 1ffeffe7f8,8" of stores and " M " of loads with a store.
std::vector<unsigned> places_of_messages() {
  const TempDir dir;
  const std::string log = (dir.path() / "lackey").string();
  const Outcome valgrind =
      run({"valgrind", "--tool=lackey", "--trace-mem=yes", "--log-file=" + log, program("stored_places").string()});
  EXPECT_TRUE(valgrind.exit.ok()) << valgrind.err;
  const std::uint64_t marker = std::stoull(valgrind.out, nullptr, 16);
  std::vector<unsigned> places;
  std::uint64_t last_block = 0;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(" S ") && !line.starts_with(" M ")) continue;
    const std::uint64_t address = std::stoull(line.substr(3), nullptr, 16);
    if (address == marker) {
      places.push_back(0);
      last_block = 0;
    } else if (!places.empty() && address / 32 != last_block) {
      last_block = address / 32;
      ++places.back();
    }
  }
  return places;
}

TEST(StoredPlaces, message_is_stored_to_its_slot_and_the_own_position_alone_and_a_copy_to_its_buffer_too) {
  constexpr std::ptrdiff_t k_burst = 256;
  const std::vector<unsigned> places = places_of_messages();
  ASSERT_EQ(places.size(), 3U * k_burst);
  // One in 64 is not published inline, since the counters are stored there.
  constexpr std::ptrdiff_t k_inline = k_burst - k_burst / 64 - 1;
  const auto begin = places.begin();
  EXPECT_GE(std::count(begin, begin + k_burst, 2U), k_inline) << "written in place";
  EXPECT_GE(std::count(begin + k_burst, begin + 2 * k_burst, 2U), k_inline) << "typed";
  EXPECT_GE(std::count(begin + 2 * k_burst, places.end(), 3U), k_inline) << "copied from a buffer";
}

}  // namespace
}  // namespace beltway::test
