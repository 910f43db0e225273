// A size that no queue takes is refused before a byte of the message is read: the size may be wrong, and the bytes missing.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <limits>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

constexpr std::size_t k_page = 4096;
constexpr std::size_t k_huge = std::size_t{1} << 40;

/// One page, and behind it memory that nobody may read.
class OnePage {
 public:
  OnePage() : data_(static_cast<std::byte*>(map())) { ::mprotect(data_ + k_page, k_page, PROT_NONE); }
  ~OnePage() { ::munmap(data_, 2 * k_page); }
  OnePage(const OnePage&) = delete;
  OnePage& operator=(const OnePage&) = delete;
  [[nodiscard]] Bytes bytes(std::size_t size) const { return {data_, size}; }

 private:
  static void* map() { return ::mmap(nullptr, 2 * k_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
  std::byte* data_;
};

/// A ring of one producer and one of several: they publish in different ways.
class MessageSize : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  LocalQueue queue_{{.slots = 8, .lane_bytes = 8192, .max_producers = GetParam()}};
  Producer out_ = queue_.producer();
  Consumer in_ = queue_.consumer();
  OnePage page_;
};
INSTANTIATE_TEST_SUITE_P(Rings, MessageSize, ::testing::Values(1U, 2U));

TEST_P(MessageSize, a_message_that_is_too_large_is_refused_before_its_bytes_are_read) {
  for (const std::size_t size : {std::size_t{3} * k_page, k_huge, std::numeric_limits<std::size_t>::max()}) {
    const Bytes message = page_.bytes(size);
    EXPECT_EQ(out_.try_publish(message), Status::too_large);
    EXPECT_EQ(out_.publish_until(message, std::chrono::seconds(20)), Status::too_large);
    EXPECT_THROW(out_.publish(message), Error);
    EXPECT_EQ(out_.try_publish(message, Properties{.key = "k"}), Status::too_large);
    EXPECT_EQ(out_.try_publish_batch(std::array{message}).status(), Status::too_large);
  }
  EXPECT_EQ(in_.try_receive().status(), Status::empty);
}

TEST_P(MessageSize, parts_whose_sizes_have_no_sum_are_refused) {
  const std::array parts{page_.bytes(std::numeric_limits<std::size_t>::max()), page_.bytes(2)};
  EXPECT_EQ(out_.try_publish_parts(parts), Status::too_large) << "the sum of the sizes is 1 in 64 bits";
  EXPECT_EQ(out_.publish_parts_until(parts, std::chrono::seconds(20)), Status::too_large);
  EXPECT_THROW(out_.publish_parts(parts), Error);
  EXPECT_EQ(out_.try_publish_parts(parts, Properties{.key = "k"}), Status::too_large);
  EXPECT_EQ(in_.try_receive().status(), Status::empty);
}

TEST_P(MessageSize, parts_that_are_too_large_together_are_refused_before_their_bytes_are_read) {
  const std::array parts{page_.bytes(8), page_.bytes(k_huge)};
  EXPECT_EQ(out_.try_publish_parts(parts), Status::too_large);
  EXPECT_EQ(out_.try_publish_parts(parts, Properties{.key = "k"}), Status::too_large);
}

TEST_P(MessageSize, the_messages_of_a_batch_before_one_that_is_too_large_are_published) {
  const std::array messages{page_.bytes(8), page_.bytes(k_huge)};
  const auto published = out_.try_publish_batch(messages);
  ASSERT_TRUE(published);
  EXPECT_EQ(*published, 1U);
  EXPECT_EQ(in_.try_receive()->size(), 8U);
}

}  // namespace
}  // namespace beltway::test
