// The order-independent digest of `pub --digest` and `sub --digest`.
#include "tool/text/digest.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace beltway::tool {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

Digest digest_of(const std::vector<std::string>& messages) {
  Digest digest;
  for (const std::string& message : messages) digest.add(bytes(message));
  return digest;
}

TEST(ToolDigest, a_digest_does_not_depend_on_the_order) {
  EXPECT_EQ(digest_of({"one", "two", "three"}), digest_of({"three", "one", "two"}));
}

TEST(ToolDigest, the_digests_of_parts_add_up_to_that_of_the_whole) {
  Digest sum = digest_of({"b", "d"});
  sum.add(digest_of({"c", "a", ""}));
  EXPECT_EQ(sum, digest_of({"a", "b", "c", "d", ""}));
}

TEST(ToolDigest, a_digest_carries_from_the_low_half_into_the_high_one) {
  // Enough messages that the low halves have overflowed many times: the shares must still add up.
  std::vector<std::string> all;
  for (int i = 0; i < 1000; ++i) all.push_back(std::to_string(i));
  Digest sum;
  for (const std::string& each : all) sum.add(digest_of({each}));
  EXPECT_EQ(sum, digest_of(all));
}

TEST(ToolDigest, a_digest_tells_a_lost_a_doubled_and_a_changed_message) {
  const std::string whole = digest_of({"a", "b", "c"}).hex();
  EXPECT_NE(whole, digest_of({"a", "b"}).hex());
  EXPECT_NE(whole, digest_of({"a", "b", "c", "c"}).hex());
  EXPECT_NE(digest_of({"c", "c"}).hex(), digest_of({}).hex());
  EXPECT_NE(whole, digest_of({"a", "b", "d"}).hex());
  EXPECT_NE(digest_of({"ab", "c"}).hex(), digest_of({"a", "bc"}).hex());
}

TEST(ToolDigest, every_byte_and_the_size_count) {
  for (const std::size_t size : {1U, 7U, 8U, 63U, 64U, 65U, 127U, 128U, 200U}) {
    const std::string zeros(size, '\0');
    std::set<std::string> seen{digest_of({zeros}).hex(), digest_of({zeros + '\0'}).hex()};
    for (std::size_t i = 0; i < size; ++i) {
      std::string changed = zeros;
      changed[i] = '\1';
      EXPECT_TRUE(seen.insert(digest_of({changed}).hex()).second) << size << ' ' << i;
    }
  }
}

TEST(ToolDigest, equal_blocks_do_not_cancel_out) {
  const std::string block(64, 'x');
  std::set<std::string> seen;
  std::string text;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(seen.insert(digest_of({text += block}).hex()).second) << i;
}

// The digest is a promise: files with old digests stay comparable.
TEST(ToolDigest, the_values_of_a_digest_do_not_change) {
  EXPECT_EQ(digest_of({""}).hex(), "9b406c5225240c60e87f700d7411c582");
  EXPECT_EQ(digest_of({"hello"}).hex(), "b94f65f50510e2219a599f1dc063edf2");
  EXPECT_EQ(digest_of({std::string(1000, 'a')}).hex(), "43ede1554296570c8190be6bb1231ea4");
}

TEST(ToolDigest, a_line_is_read_back) {
  const Digest digest = digest_of({"one", "two"});
  EXPECT_TRUE(digest.line().starts_with("messages=2 bytes=6 digest="));
  EXPECT_EQ(Digest::parse(digest.line()), digest);
  EXPECT_EQ(Digest::parse(Digest().line()), Digest());
}

TEST(ToolDigest, another_line_is_refused) {
  const std::string good = digest_of({"one"}).line();
  for (const std::string& line :
       {std::string(), good + "0", good + " ", good.substr(1), good.substr(0, good.size() - 1),
        std::string("messages= bytes=1 digest=00000000000000000000000000000000"),
        std::string("messages=1 bytes=1 digest=0000000000000000000000000000000g"),
        std::string("messages=-1 bytes=1 digest=00000000000000000000000000000000")}) {
    EXPECT_EQ(Digest::parse(line), std::nullopt) << line;
  }
}

}  // namespace
}  // namespace beltway::tool
