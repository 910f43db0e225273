// What keys do to the screen of `beltway top`, without terminal and daemon.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/fake_fleet.hpp"
#include "tool/top/pages.hpp"
#include "tool/top/top_state.hpp"

namespace {

using namespace beltway;
using namespace beltway::tool;

class TopKeys : public testing::Test {
 protected:
  TopKeys() {
    data_.fleet = test::fake_fleet();
    settle(state_, data_);
  }

  std::vector<Request> press(Key::Code code) { return on_key(state_, data_, {code}); }
  /// The requests of the last character.
  std::vector<Request> type(const std::string& text) {
    std::vector<Request> requests;
    for (const char c : text) requests = on_key(state_, data_, {Key::Code::character, std::string(1, c)});
    return requests;
  }
  template <class Wanted>
  static const Wanted* only(const std::vector<Request>& requests) {
    return requests.size() == 1 ? std::get_if<Wanted>(&requests.front()) : nullptr;
  }
  void open_queue() {
    press(Key::Code::enter);
    data_.open = test::fake_open_queue();
    settle(state_, data_);
  }
  void mark(const Target& target) {
    for (int i = 0; i < 20 && state_.target != target; ++i) press(Key::Code::tab);
    ASSERT_EQ(state_.target, target);
  }
  std::string picture() const { return picture_of(state_, data_).text(); }
  bool sees(const std::string& text) const { return picture().find(text) != std::string::npos; }

  TopState state_;
  TopData data_;
};

TEST_F(TopKeys, arrows_move_the_mark_and_stop_at_the_ends) {
  EXPECT_EQ(state_.selected, "orders");
  press(Key::Code::up);
  EXPECT_EQ(state_.selected, "orders");
  press(Key::Code::down);
  EXPECT_EQ(state_.selected, "mail");
  press(Key::Code::end);
  EXPECT_EQ(state_.selected, "secret");
  press(Key::Code::down);
  EXPECT_EQ(state_.selected, "secret");
  type("g");
  EXPECT_EQ(state_.selected, "orders");
}

TEST_F(TopKeys, mark_stays_on_its_queue_when_the_order_changes) {
  press(Key::Code::down);
  auto fleet = std::make_shared<watch::Fleet>(*data_.fleet);
  std::swap(fleet->queues[0], fleet->queues[1]);
  data_.fleet = fleet;
  settle(state_, data_);
  EXPECT_EQ(state_.selected, "mail");
  EXPECT_EQ(state_.queues.line, 0U);
}

TEST_F(TopKeys, mark_goes_to_the_neighbour_when_its_queue_is_gone) {
  press(Key::Code::down);
  auto fleet = std::make_shared<watch::Fleet>(*data_.fleet);
  fleet->queues.erase(fleet->queues.begin() + 1);
  data_.fleet = fleet;
  settle(state_, data_);
  EXPECT_EQ(state_.selected, "a/quite/long/name/of/a/queue");
  fleet = std::make_shared<watch::Fleet>();
  data_.fleet = fleet;
  settle(state_, data_);
  EXPECT_EQ(state_.selected, "");
  EXPECT_TRUE(press(Key::Code::enter).empty()) << "there is nothing to open";
}

TEST_F(TopKeys, queues_scroll_so_that_the_mark_is_seen) {
  auto fleet = std::make_shared<watch::Fleet>();
  for (int i = 0; i < 2000; ++i) fleet->queues.push_back(test::fake_queue("queue-" + std::to_string(10000 + i)));
  data_.fleet = fleet;
  settle(state_, data_);
  for (const Key::Code code :
       {Key::Code::end, Key::Code::page_up, Key::Code::home, Key::Code::page_down, Key::Code::down}) {
    press(code);
    EXPECT_TRUE(sees(state_.selected)) << state_.selected;
  }
  press(Key::Code::end);
  EXPECT_EQ(state_.selected, "queue-11999");
}

TEST_F(TopKeys, sort_menu_and_angle_brackets_choose_the_key) {
  type("s");
  EXPECT_TRUE(sees("Sort by"));
  type("n");
  EXPECT_EQ(state_.selection.sort, QueueSort::name);
  EXPECT_EQ(state_.dialog, Dialog::none);
  type(">");
  EXPECT_EQ(state_.selection.sort, QueueSort::in);
  type("<<");
  EXPECT_EQ(state_.selection.sort, QueueSort::trouble);
  type("<");
  EXPECT_EQ(state_.selection.sort, QueueSort::memory) << "it goes around";
  type("sz");
  EXPECT_EQ(state_.selection.sort, QueueSort::memory) << "an unknown letter changes nothing";
  type("r");
  EXPECT_TRUE(state_.selection.reversed);
}

TEST_F(TopKeys, filter_works_while_it_is_typed_and_escape_takes_it_back) {
  type("/mai");
  EXPECT_FALSE(sees("orders"));
  EXPECT_TRUE(sees("mail"));
  press(Key::Code::backspace);
  EXPECT_EQ(state_.selection.filter, "ma");
  press(Key::Code::enter);
  EXPECT_EQ(state_.selection.filter, "ma");
  type("/");
  press(Key::Code::clear_line);
  type("xyz");
  EXPECT_TRUE(sees("no queue fits"));
  press(Key::Code::escape);
  EXPECT_EQ(state_.selection.filter, "ma") << "the one before";
  press(Key::Code::escape);
  EXPECT_EQ(state_.selection.filter, "");
}

TEST_F(TopKeys, letters_in_a_filter_are_no_commands) {
  EXPECT_TRUE(type("/q").empty());
  EXPECT_EQ(state_.selection.filter, "q");
}

TEST_F(TopKeys, enter_opens_the_marked_queue_and_escape_goes_back) {
  press(Key::Code::down);
  const std::vector<Request> requests = press(Key::Code::enter);
  ASSERT_NE(only<screen_request::Watch>(requests), nullptr);
  EXPECT_EQ(only<screen_request::Watch>(requests)->queue, "mail");
  EXPECT_EQ(state_.page, Page::queue);
  const std::vector<Request> back = press(Key::Code::escape);
  ASSERT_NE(only<screen_request::Watch>(back), nullptr);
  EXPECT_EQ(only<screen_request::Watch>(back)->queue, "");
  EXPECT_EQ(state_.page, Page::queues);
  EXPECT_EQ(state_.selected, "mail");
}

TEST_F(TopKeys, q_quits_only_from_the_list) {
  open_queue();
  EXPECT_EQ(only<screen_request::Quit>(type("q")), nullptr);
  EXPECT_EQ(state_.page, Page::queues);
  EXPECT_NE(only<screen_request::Quit>(type("q")), nullptr);
}

TEST_F(TopKeys, mark_stays_on_its_consumer_when_lines_come_before_it) {
  open_queue();
  const Target consumer{.kind = Target::Kind::consumer, .name = {}, .index = 3};
  mark(consumer);
  const std::size_t line = state_.queue.line;
  auto changed = std::make_shared<OpenQueue>(*data_.open);
  changed->detail.view.verdicts.push_back(test::fake_verdict("orders"));
  data_.open = changed;
  settle(state_, data_);
  EXPECT_EQ(state_.target, consumer);
  EXPECT_GT(state_.queue.line, line);
}

TEST_F(TopKeys, purge_asks_and_any_other_key_does_nothing) {
  open_queue();
  mark({.kind = Target::Kind::group, .name = "billing"});
  type("ap");
  EXPECT_TRUE(sees("beltway purge orders --group billing"));
  EXPECT_TRUE(sees("Acknowledges 1020 messages"));
  EXPECT_TRUE(type("n").empty());
  EXPECT_TRUE(sees("nothing was done"));
  type("ap");
  const std::vector<Request> requests = type("y");
  const auto* perform = only<screen_request::Perform>(requests);
  ASSERT_NE(perform, nullptr);
  EXPECT_EQ(perform->act.kind, Act::Kind::purge);
  EXPECT_EQ(perform->act.group, "billing");
  EXPECT_EQ(perform->act.queue_id, 7U);
}

TEST_F(TopKeys, removal_needs_the_name_of_the_queue) {
  open_queue();
  type("ax");
  EXPECT_TRUE(type("y").empty());
  EXPECT_TRUE(press(Key::Code::enter).empty());
  EXPECT_TRUE(sees("is not the name"));
  type("axorders");
  const std::vector<Request> requests = press(Key::Code::enter);
  const auto* perform = only<screen_request::Perform>(requests);
  ASSERT_NE(perform, nullptr);
  EXPECT_EQ(perform->act.kind, Act::Kind::remove);
}

TEST_F(TopKeys, act_is_about_what_was_marked_when_it_was_chosen) {
  open_queue();
  mark({.kind = Target::Kind::consumer, .name = {}, .index = 2});
  type("ae");
  EXPECT_TRUE(sees("beltway evict orders 2"));
  auto changed = std::make_shared<OpenQueue>(*data_.open);
  changed->detail.snapshot.consumers.erase(changed->detail.snapshot.consumers.begin());
  data_.open = changed;
  settle(state_, data_);
  const std::vector<Request> requests = type("y");
  const auto* perform = only<screen_request::Perform>(requests);
  ASSERT_NE(perform, nullptr);
  EXPECT_EQ(perform->act.consumer, 2U);
  EXPECT_EQ(perform->act.pid, 4711);
}

TEST_F(TopKeys, reset_asks_for_the_place_first) {
  open_queue();
  mark({.kind = Target::Kind::group, .name = "billing"});
  type("ar");
  type("oldest");
  EXPECT_TRUE(press(Key::Code::enter).empty());
  EXPECT_TRUE(sees("beltway group reset orders billing --to oldest"));
  const std::vector<Request> requests = type("y");
  const auto* perform = only<screen_request::Perform>(requests);
  ASSERT_NE(perform, nullptr);
  EXPECT_EQ(perform->act.to, "oldest");
}

TEST_F(TopKeys, paused_group_offers_to_resume) {
  open_queue();
  mark({.kind = Target::Kind::group, .name = "audit"});
  type("a");
  EXPECT_TRUE(sees("resume group audit"));
  EXPECT_FALSE(sees("pause group audit"));
}

TEST_F(TopKeys, second_act_waits_for_the_end_of_the_first) {
  open_queue();
  mark({.kind = Target::Kind::group, .name = "billing"});
  EXPECT_NE(only<screen_request::Perform>(type("apy")), nullptr);
  EXPECT_TRUE(type("apy").empty());
  EXPECT_TRUE(sees("another act still runs"));
  on_act_end(state_, {.done = false, .text = "no permission"});
  EXPECT_TRUE(sees("refused: no permission"));
  EXPECT_NE(only<screen_request::Perform>(type("apy")), nullptr);
  on_act_end(state_, {.done = true, .text = "purged 3 messages"});
  EXPECT_TRUE(sees("done: purged 3 messages"));
  press(Key::Code::up);
  EXPECT_FALSE(sees("done: purged")) << "the next key clears it";
}

TEST_F(TopKeys, messages_are_those_of_the_marked_group) {
  open_queue();
  mark({.kind = Target::Kind::consumer, .name = {}, .index = 3});
  const std::vector<Request> requests = type("m");
  const auto* list = only<screen_request::Messages>(requests);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->queue, "orders");
  EXPECT_EQ(list->group, "billing");
  press(Key::Code::escape);
  mark({.kind = Target::Kind::producer, .name = {}, .index = 0});
  const std::vector<Request> all = type("m");
  EXPECT_EQ(only<screen_request::Messages>(all)->group, "") << "the whole ring";
}

class TopMessages : public TopKeys {
 protected:
  TopMessages() {
    open_queue();
    type("m");
    data_.messages = std::make_shared<const MessageList>(
        MessageList{.queue = "orders",
                    .group = {},
                    .messages = {test::fake_message(88, "first", 90), test::fake_message(90, "{\"id\": [1, 2]}", 30),
                                 test::fake_message(95, "last", 2)}});
    settle(state_, data_);
  }
};

TEST_F(TopMessages, position_and_age_lead_to_a_message) {
  EXPECT_EQ(state_.position, 88U);
  type("g89");
  press(Key::Code::enter);
  EXPECT_EQ(state_.position, 90U) << "the first one from there on";
  type("g5s");
  press(Key::Code::enter);
  EXPECT_EQ(state_.position, 95U);
  type("g10m");
  press(Key::Code::enter);
  EXPECT_EQ(state_.position, 88U);
  type("gsoon");
  press(Key::Code::enter);
  EXPECT_TRUE(sees("neither a position"));
}

TEST_F(TopMessages, search_goes_on_behind_the_marked_message) {
  type("/la");
  const std::vector<Request> requests = press(Key::Code::enter);
  const auto* search = only<screen_request::Search>(requests);
  ASSERT_NE(search, nullptr);
  EXPECT_EQ(search->text, "la");
  EXPECT_EQ(search->after, 88U);
  EXPECT_TRUE(on_search_end(state_, data_, 95).empty()) << "the list has it";
  EXPECT_EQ(state_.position, 95U);
  EXPECT_TRUE(sees("found at position 95"));
  const std::vector<Request> again = type("n");
  EXPECT_EQ(only<screen_request::Search>(again)->after, 95U);
  EXPECT_TRUE(on_search_end(state_, data_, std::nullopt).empty());
  EXPECT_TRUE(sees("no message behind"));
}

TEST_F(TopMessages, message_is_shown_as_text_hex_and_json) {
  press(Key::Code::down);
  const std::vector<Request> requests = press(Key::Code::enter);
  ASSERT_NE(only<screen_request::Message>(requests), nullptr);
  EXPECT_EQ(only<screen_request::Message>(requests)->position, 90U);
  data_.message =
      std::make_shared<const OpenMessage>(OpenMessage{.message = data_.messages->messages[1], .trouble = {}});
  settle(state_, data_);
  EXPECT_TRUE(sees("{\"id\": [1, 2]}"));
  type("h");
  EXPECT_TRUE(sees("00000000  7b 22 69 64 22 3a 20 5b"));
  type("j");
  EXPECT_TRUE(sees("  \"id\": ["));
  const std::vector<Request> next = type("n");
  EXPECT_EQ(only<screen_request::Message>(next)->position, 95U);
  EXPECT_TRUE(type("n").empty()) << "there is no next one";
}

TEST_F(TopMessages, payload_that_is_no_json_or_too_deep_is_told) {
  press(Key::Code::enter);
  const auto show = [&](const std::string& payload) {
    data_.message =
        std::make_shared<const OpenMessage>(OpenMessage{.message = test::fake_message(88, payload), .trouble = {}});
    settle(state_, data_);
  };
  show("{\"id\":");
  type("j");
  EXPECT_TRUE(sees("the payload is no JSON"));
  show(std::string(100000, '['));
  EXPECT_TRUE(sees("too deep"));
  show(std::string(1000, '[') + std::string(1000, ']'));
  EXPECT_TRUE(sees("too deep"));
  show("");
  EXPECT_TRUE(sees("the payload is empty"));
}

TEST_F(TopKeys, question_mark_explains_every_column_of_every_page) {
  type("?");
  std::string help;
  for (const PageLine& line : help_lines(Page::queues, 200, Charset::utf8)) {
    for (const Span& span : line.spans) help += span.text;
  }
  for (const char* field : {"IN/s", "OUT/s", "DEPTH", "IN, 60 s", "AGE", "WHY"})
    EXPECT_NE(help.find(field), std::string::npos) << field;
  help.clear();
  for (const PageLine& line : help_lines(Page::queue, 200, Charset::utf8)) {
    for (const Span& span : line.spans) help += span.text;
  }
  for (const char* field : {"LAG", "DELAY", "FULL", "AGE", "HELD", "AGAIN", "PARK", "DEAD", "MSG/s", "BUSY", "WAKES",
                            "LANE", "position", "used", "parked", "delay", "oldest"})
    EXPECT_NE(help.find(field), std::string::npos) << field;
  EXPECT_TRUE(sees("help"));
  press(Key::Code::page_down);
  EXPECT_EQ(state_.dialog, Dialog::help) << "it scrolls";
  press(Key::Code::escape);
  EXPECT_EQ(state_.dialog, Dialog::none);
}

}  // namespace
