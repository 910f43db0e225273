// What the screen of `beltway top` reads of a queue that holds more messages than one list: parts of the list, single
// messages, and searches.
#include <gtest/gtest.h>

#include <string>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "tool/top/live_source.hpp"

namespace beltway::test {
namespace {

constexpr std::uint64_t k_published = tool::k_most_listed + 1000;

class TopSourceTest : public testing::Test {
 protected:
  TopSourceTest()
      : connection_(Connection::open({.socket = daemon_.socket().string(), .start_daemon = false})),
        queue_(connection_.declare("orders", {.slots = 8192, .groups = {{"billing"}}})),
        source_({.connection = {.socket = daemon_.socket().string()}}, {}) {
    Producer producer = queue_.producer();
    for (std::uint64_t i = 0; i < k_published; ++i) producer.publish("order " + std::to_string(i) + ".");
  }

  TestDaemon daemon_;
  Connection connection_;
  Queue queue_;
  tool::LiveSource source_;
};

TEST_F(TopSourceTest, list_has_a_first_part_and_the_parts_behind_it) {
  const tool::MessageList first = source_.messages("orders", "billing", {});
  ASSERT_EQ(first.messages.size(), tool::k_most_listed) << first.trouble;
  EXPECT_TRUE(first.cut);
  EXPECT_FALSE(first.more_before);
  const std::uint64_t last = first.messages.back().position;
  const tool::MessageList behind = source_.messages("orders", "billing", last);
  ASSERT_EQ(behind.messages.size(), k_published - last);
  EXPECT_EQ(behind.messages.front().position, last);
  EXPECT_EQ(behind.from, last);
  EXPECT_FALSE(behind.cut);
  EXPECT_TRUE(behind.more_before);
  EXPECT_FALSE(source_.messages("orders", "billing", 0).more_before);
  const tool::MessageList none = source_.messages("orders", "billing", k_published);
  EXPECT_TRUE(none.messages.empty());
  EXPECT_TRUE(none.more_before);
}

TEST_F(TopSourceTest, message_far_behind_the_oldest_is_shown_in_full) {
  const tool::OpenMessage found = source_.message("orders", "billing", k_published - 1);
  ASSERT_TRUE(found.message) << found.trouble;
  EXPECT_EQ(found.message->bytes.size(), found.message->size);
  EXPECT_NE(source_.message("orders", "billing", k_published).trouble.find("not there any more"), std::string::npos);
  (void)queue_.purge("billing");
  EXPECT_NE(source_.message("orders", "billing", 5).trouble.find("not there any more"), std::string::npos);
}

TEST_F(TopSourceTest, search_goes_through_all_messages_behind_the_marked_one) {
  const std::string last = "order " + std::to_string(k_published - 1) + ".";
  EXPECT_EQ(source_.search("orders", "billing", last, 0).position, k_published - 1);
  EXPECT_EQ(source_.search("orders", "billing", last, k_published - 1).position, std::nullopt);
  EXPECT_EQ(source_.search("orders", "", "order 7.", 0).position, 7U);
  EXPECT_EQ(source_.search("orders", "", "no such text", 0).position, std::nullopt);
  EXPECT_NE(source_.search("none", "", "x", 0).trouble, "");
}

}  // namespace
}  // namespace beltway::test
