// What keys do to the list of messages of `beltway top` when the list has only a part of them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/fake_fleet.hpp"
#include "tool/top/pages.hpp"
#include "tool/top/top_state.hpp"

namespace {

using namespace beltway;
using namespace beltway::tool;

class TopMessageParts : public testing::Test {
 protected:
  TopMessageParts() {
    data_.fleet = test::fake_fleet();
    settle(state_, data_);
    press(Key::Code::enter);
    data_.open = test::fake_open_queue();
    settle(state_, data_);
    type("m");
    arrive({.cut = true}, 100);
  }

  std::vector<Request> press(Key::Code code) { return on_key(state_, data_, {code}); }
  std::vector<Request> type(const std::string& text) {
    std::vector<Request> requests;
    for (const char c : text) requests = on_key(state_, data_, {Key::Code::character, std::string(1, c)});
    return requests;
  }
  /// The list that was asked for comes: ten messages from a position on.
  void arrive(MessageList list, std::uint64_t first) {
    list.queue = state_.open_queue;
    list.group = state_.messages_group;
    list.from = state_.messages_from;
    for (std::uint64_t i = 0; i < 10; ++i) list.messages.push_back(test::fake_message(first + i, "x", 3600));
    data_.messages = std::make_shared<const MessageList>(std::move(list));
    settle(state_, data_);
  }
  /// The part of the list that the requests ask for.
  static std::optional<std::uint64_t> from(const std::vector<Request>& requests) {
    const auto* list = requests.size() == 1 ? std::get_if<screen_request::Messages>(&requests.front()) : nullptr;
    EXPECT_NE(list, nullptr) << "the list is asked for";
    return list == nullptr ? std::nullopt : list->from;
  }
  bool sees(const std::string& text) const { return picture_of(state_, data_).text().find(text) != std::string::npos; }

  TopState state_;
  TopData data_;
};

TEST_F(TopMessageParts, page_down_at_the_end_reads_the_part_behind) {
  EXPECT_TRUE(sees("the oldest of them"));
  EXPECT_TRUE(press(Key::Code::page_down).empty()) << "the mark moves within the list";
  EXPECT_EQ(state_.position, 109U);
  EXPECT_EQ(from(press(Key::Code::page_down)), 109U);
  EXPECT_TRUE(sees("looking..."));
  EXPECT_TRUE(press(Key::Code::down).empty()) << "there is no list to move in";
  arrive({.more_before = true}, 109);
  EXPECT_EQ(state_.position, 109U) << "the message stays marked";
  EXPECT_TRUE(sees("the newest of them"));
  press(Key::Code::end);
  EXPECT_TRUE(press(Key::Code::down).empty()) << "there is nothing behind";
  EXPECT_EQ(state_.position, 118U);
}

TEST_F(TopMessageParts, page_up_at_the_beginning_reads_the_part_before) {
  type("g9000");
  EXPECT_EQ(from(press(Key::Code::enter)), 9000U);
  arrive({.more_before = true, .cut = true}, 9003);
  EXPECT_EQ(state_.position, 9003U) << "the next message behind a position that no message has";
  EXPECT_TRUE(sees("a part of them"));
  EXPECT_EQ(from(press(Key::Code::up)), 9000U - k_most_listed / 2);
  arrive({.more_before = true}, 8999);
  EXPECT_EQ(state_.position, 9003U) << "the message stays marked";
  EXPECT_EQ(from(press(Key::Code::home)), std::nullopt);
  arrive({.cut = true}, 100);
  EXPECT_EQ(state_.position, 100U);
  EXPECT_TRUE(press(Key::Code::up).empty());
}

TEST_F(TopMessageParts, end_goes_to_the_newest_message_of_all) {
  const std::uint64_t tail = data_.open->detail.snapshot.position;
  ASSERT_GT(tail, 110U);
  const std::optional<std::uint64_t> asked = from(press(Key::Code::end));
  ASSERT_TRUE(asked);
  EXPECT_LT(*asked, tail);
  arrive({.more_before = true}, tail - 10);
  EXPECT_EQ(state_.position, tail - 1);
}

TEST_F(TopMessageParts, search_that_finds_a_message_behind_the_list_reads_the_list_there) {
  EXPECT_EQ(from(on_search_end(state_, data_, 7777)), 7777U);
  arrive({.more_before = true}, 7777);
  EXPECT_EQ(state_.position, 7777U);
  EXPECT_TRUE(sees("found at position 7777"));
}

TEST_F(TopMessageParts, next_message_behind_the_list_is_shown_once_the_list_is_read_on) {
  for (int i = 0; i < 9; ++i) press(Key::Code::down);
  press(Key::Code::enter);
  EXPECT_EQ(from(type("n")), 109U);
  EXPECT_TRUE(sees("press n again"));
  arrive({.more_before = true}, 109);
  const std::vector<Request> next = type("n");
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(std::get<screen_request::Message>(next.front()).position, 110U);
}

TEST_F(TopMessageParts, list_is_read_anew_after_an_act_on_a_message) {
  press(Key::Code::down);
  press(Key::Code::enter);
  ASSERT_EQ(state_.page, Page::message);
  state_.act = {.kind = Act::Kind::ack, .queue = "orders", .group = "billing", .position = 101};
  EXPECT_EQ(on_act_end(state_, {.done = false, .text = "consumer 3 holds it"}).size(), 2U);
  EXPECT_EQ(state_.page, Page::message) << "nothing has changed";
  EXPECT_EQ(from(on_act_end(state_, {.done = true, .text = "acknowledged"})), std::nullopt);
  EXPECT_EQ(state_.page, Page::messages);
  arrive({.cut = true}, 102);
  EXPECT_EQ(state_.position, 102U) << "the next message is marked";
}

TEST_F(TopMessageParts, acts_on_a_message_need_its_group_and_name_the_message) {
  type("a");
  EXPECT_EQ(state_.dialog, Dialog::none) << "the queue has several groups";
  EXPECT_TRUE(sees("mark a group"));
  state_.messages_group = "billing";
  data_.messages = nullptr;
  arrive({}, 100);
  type("am");
  type("orders.failed");
  press(Key::Code::enter);
  EXPECT_TRUE(sees("beltway move orders 100 --to orders.failed --group billing")) << picture_of(state_, data_).text();
  const std::vector<Request> requests = type("y");
  ASSERT_EQ(requests.size(), 1U);
  const Act& act = std::get<screen_request::Perform>(requests.front()).act;
  EXPECT_EQ(act.kind, Act::Kind::move);
  EXPECT_EQ(act.position, 100U);
  EXPECT_EQ(act.to, "orders.failed");
}

TEST_F(TopMessageParts, age_that_no_message_of_a_part_has_is_not_told_to_be_nowhere) {
  type("g1s");
  press(Key::Code::enter);
  EXPECT_TRUE(sees("End goes to the newest")) << picture_of(state_, data_).text();
}

}  // namespace
