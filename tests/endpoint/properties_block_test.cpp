// The properties block itself: what its reader makes of a block that is cut, overwritten, or of a later version.
#include "endpoint/properties_block.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "client/inspect.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<MessageHeader, 3> k_three_headers{{{"tenant", "acme"}, {"", "no name"}, {"tenant", ""}}};
const DeadLetter k_letter{.reason = DeadLetterReason::expired,
                          .deliveries = 255,
                          .position = (1ULL << 54) - 1,
                          .first_time = PublishTime(1000ns),
                          .last_time = PublishTime(2000ns),
                          .queue = "orders",
                          .group = "billing"};
const Properties k_all_and_letter{.key = "order-7",
                                  .correlation_id = "c-1",
                                  .reply_to = "replies/1",
                                  .content_type = "application/json",
                                  .trace_id = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                  .headers = k_three_headers,
                                  .publish_time = PublishTime(123456789012345ns),
                                  .dead_letter = &k_letter};

/// Every text lies inside of the block.
void expect_inside(std::span<const std::byte> block, const PropertiesView& properties) {
  const auto* const begin = reinterpret_cast<const char*>(block.data());
  const auto check = [&](std::string_view text) {
    if (text.empty()) return;
    EXPECT_GE(text.data(), begin);
    EXPECT_LE(text.data() + text.size(), begin + block.size());
  };
  check(properties.key());
  check(properties.trace_id());
  for (const MessageHeader& header : properties.headers()) check(header.name), check(header.value);
  if (const DeadLetter* const letter = properties.dead_letter()) check(letter->queue), check(letter->group);
}

TEST(PropertiesBlock, a_block_that_is_cut_or_overwritten_is_damaged_and_never_read_beyond) {
  const endpoint::PropertiesBlock whole(k_all_and_letter);
  const std::vector<std::byte> good(whole.data(), whole.data() + whole.size());
  unsigned damaged = 0;
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<std::byte> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    const PropertiesView properties(cut);
    expect_inside(cut, properties);
    damaged += properties.is_damaged() ? 1U : 0U;
  }
  EXPECT_GT(damaged, good.size() - 2 * k_payload_alignment) << "the end may be padding";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned value : {0U, 1U, 127U, 255U}) {
      std::vector<std::byte> wrong = good;
      wrong[at] = static_cast<std::byte>(value);
      expect_inside(wrong, PropertiesView(wrong));
    }
  }
}

TEST(PropertiesBlock, dead_letter_fields_come_out_as_they_were_and_are_kept_when_the_message_is_forwarded) {
  const endpoint::PropertiesBlock block(k_all_and_letter);
  const PropertiesView first({block.data(), block.size()});
  const endpoint::PropertiesBlock again{Properties(first)};
  const PropertiesView properties({again.data(), again.size()});
  ASSERT_NE(properties.dead_letter(), nullptr);
  EXPECT_EQ(properties.dead_letter()->reason, DeadLetterReason::expired);
  EXPECT_EQ(properties.dead_letter()->deliveries, 255U);
  EXPECT_EQ(properties.dead_letter()->position, (1ULL << 54) - 1);
  EXPECT_EQ(properties.dead_letter()->first_time, PublishTime(1000ns));
  EXPECT_EQ(properties.dead_letter()->last_time, PublishTime(2000ns));
  EXPECT_EQ(properties.dead_letter()->queue, "orders");
  EXPECT_EQ(properties.dead_letter()->group, "billing");
  EXPECT_EQ(to_string(static_cast<DeadLetterReason>(0)), "unknown");
  EXPECT_EQ(to_string(static_cast<DeadLetterReason>(200)), "unknown");
}

TEST(PropertiesBlock, the_limit_of_dead_letter_fields_holds_for_the_longest_names) {
  const std::string name(k_max_name_length, 'n');
  DeadLetter letter = k_letter;
  letter.queue = letter.group = name;
  for (std::size_t key = 0; key < 128; ++key) {
    const std::string text(key, 'k');
    endpoint::PropertiesBlock without(Properties{.key = text});
    endpoint::PropertiesBlock with(Properties{.key = text, .dead_letter = &letter});
    with.pad_to_lines();
    EXPECT_LE(with.size(), without.size() + k_max_dead_letter_bytes) << key;
  }
  const std::string longer(k_max_name_length + 1, 'n');
  letter.group = longer;
  EXPECT_TRUE(endpoint::find_excess(Properties{.dead_letter = &letter}));
}

TEST(PropertiesBlock, a_field_of_a_later_version_is_passed_over) {
  const endpoint::PropertiesBlock known(Properties{.key = "k"});
  std::vector<std::byte> block(known.data(), known.data() + known.size());
  block[3] = std::byte{0x80};  // a bit of `present` that nobody knows
  block.resize(block.size() + 64, std::byte{0xff});
  const PropertiesView properties(block);
  EXPECT_EQ(properties.key(), "k");
  EXPECT_FALSE(properties.is_damaged());
}

TEST(PropertiesBlock, a_block_whose_length_makes_no_sense_makes_the_message_corrupt) {
  for (const std::size_t size : {8U, 500U}) {
    LocalQueue queue({.slots = 4, .slot_bytes = 64, .lane_bytes = 4096, .groups = {"g"}});
    Producer out = queue.producer();
    std::array consumers{queue.consumer(), queue.consumer({.group = "g"}), queue.consumer({.lossy = true})};
    out.publish(std::string(size, 'x'), {.key = "k"});
    out.publish("next");
    std::byte* const head = size == 8 ? queue.memory().slot(0).payload() : queue.memory().lane(0);
    for (const std::uint16_t bytes : std::to_array<std::uint16_t>({0, 8, 17, 1024, 65535})) {
      reinterpret_cast<Word*>(head)->store_relaxed(PropertiesHead{bytes, 2, 0}.word());
      const std::vector<PeekedMessage> peeked = client::copy_messages(queue.memory(), 10, 4, std::nullopt);
      EXPECT_EQ(peeked.size(), 1U) << "it shows no nonsense";
    }
    for (Consumer& in : consumers) {
      Result<Message> message = in.try_receive();
      if (!message) message = in.try_receive();
      ASSERT_TRUE(message);
      EXPECT_EQ(message->text(), "next");
      EXPECT_EQ(in.counters().corrupt, 1U);
      message->ack();
    }
  }
}

}  // namespace
}  // namespace beltway::test
