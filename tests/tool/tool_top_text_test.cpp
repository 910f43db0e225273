// What the screen of `beltway top` makes of text and numbers: widths, escapes, bars.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/fake_fleet.hpp"
#include "tool/top/bars.hpp"
#include "tool/top/queue_order.hpp"
#include "tool/top/screen_text.hpp"
#include "tool/top/styled_grid.hpp"

namespace {

using namespace beltway;
using namespace beltway::tool;

std::string shown(std::string_view text, Charset charset = Charset::utf8) {
  std::string out;
  for (const Glyph& glyph : glyphs_of(text, charset)) out += glyph.bytes;
  return out;
}

TEST(TopText, control_characters_become_escapes) {
  EXPECT_EQ(shown("a\x1b[2Jb\nc\td\r"), "a\\x1b[2Jb\\nc\\td\\r");
  EXPECT_EQ(shown("\x7f\xc2\x9b"), "\\x7f\\xc2\\x9b") << "DEL and C1 are obeyed by terminals, too";
  EXPECT_EQ(shown(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(shown("\xff\xc3("), "\\xff\\xc3(") << "bytes that are no UTF-8";
}

TEST(TopText, invisible_and_turning_characters_become_escapes) {
  EXPECT_EQ(shown("a\u202e"
                  "b"),
            "a\\u202eb");
  EXPECT_EQ(shown("a\u200b\u2066\ufeff\u00ad\u2028"), "a\\u200b\\u2066\\ufeff\\u00ad\\u2028");
  EXPECT_EQ(shown("\U000e0041"), "\\ue0041") << "a tag character";
  EXPECT_EQ(shown("\ue000"), "\\ue000") << "private use: fonts differ";
}

TEST(TopText, wide_characters_take_two_columns_and_marks_none) {
  EXPECT_EQ(width_of("漢字", Charset::utf8), 4U);
  EXPECT_EQ(width_of("e\u0301", Charset::utf8), 1U);
  EXPECT_EQ(glyphs_of("e\u0301x", Charset::utf8).front().bytes, "e\u0301");
  EXPECT_EQ(shown("\u0301"), " \u0301") << "a mark without a character";
  EXPECT_EQ(width_of("\U0001F600", Charset::utf8), 2U);
}

TEST(TopText, many_marks_on_one_character_are_cut) {
  std::string text = "e";
  for (int i = 0; i < 1000; ++i) text += "\u0301";
  EXPECT_LT(shown(text).size(), 16U);
  EXPECT_EQ(width_of(text, Charset::utf8), 1U);
}

TEST(TopText, ascii_terminal_gets_question_marks_of_the_same_width) {
  EXPECT_EQ(shown("a漢é\u0301b", Charset::ascii), "a???b");
  EXPECT_EQ(width_of("a漢é", Charset::ascii), width_of("a漢é", Charset::utf8));
}

TEST(TopText, fitted_text_has_exactly_the_width) {
  EXPECT_EQ(fitted("abc", 5, Charset::utf8), "abc  ");
  EXPECT_EQ(fitted("abc", 5, Charset::utf8, Align::right), "  abc");
  EXPECT_EQ(fitted("abcdef", 5, Charset::utf8), "abcd…");
  EXPECT_EQ(fitted("abcdef", 5, Charset::ascii), "abcd~");
  EXPECT_EQ(fitted("abc", 0, Charset::utf8), "");
  for (std::size_t width = 1; width < 12; ++width) {
    EXPECT_EQ(width_of(fitted("漢字\u202e漢字", width, Charset::utf8), Charset::utf8), width) << width;
  }
}

TEST(TopText, wrapped_lines_break_at_blanks_and_fit) {
  EXPECT_EQ(wrapped("one two three", 8, Charset::utf8), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("onetwothree", 4, Charset::utf8), (std::vector<std::string>{"onet", "woth", "ree"}));
  EXPECT_EQ(wrapped("", 4, Charset::utf8), std::vector<std::string>{""});
  for (std::size_t width = 2; width < 20; ++width) {
    for (const std::string& line : wrapped("a bb ccc dddd eeeee ffffff ggggggg", width, Charset::utf8))
      EXPECT_LE(line.size(), width) << line;
  }
}

TEST(TopText, numbers_fit_in_four_columns) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.5), "0.5");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(1234), "1.2k");
  EXPECT_EQ(short_number(123456), "123k");
  EXPECT_EQ(short_number(9.96e6), "10M");
  for (double number = 0.01; number < 1e19; number *= 1.37) EXPECT_LE(short_number(number).size(), 4U) << number;
  EXPECT_EQ(short_number(-5), "0");
  EXPECT_EQ(short_number(1e300), "lots");
  EXPECT_EQ(short_number(0.0 / 0.0), "-");
}

TEST(TopText, durations_fit_in_five_columns) {
  EXPECT_EQ(short_duration(0), "0s");
  EXPECT_EQ(short_duration(0.0034), "3.4ms");
  EXPECT_EQ(short_duration(58), "58s");
  EXPECT_EQ(short_duration(300), "5m");
  EXPECT_EQ(short_duration(3 * 86400.0), "3d");
  for (double seconds = 1e-9; seconds < 8e8; seconds *= 1.37) EXPECT_LE(short_duration(seconds).size(), 5U) << seconds;
}

TEST(TopText, bar_shows_a_little_of_something_and_all_of_everything_only) {
  EXPECT_EQ(bar(0, 4, Charset::ascii), "....");
  EXPECT_EQ(bar(1e-9, 4, Charset::ascii), "#...");
  EXPECT_EQ(bar(0.999, 4, Charset::ascii), "###.");
  EXPECT_EQ(bar(1, 4, Charset::ascii), "####");
  EXPECT_EQ(bar(7, 4, Charset::ascii), "####") << "more than all";
  EXPECT_EQ(bar(0.5, 2, Charset::utf8), "█ ");
  EXPECT_EQ(bar(0.0 / 0.0, 2, Charset::ascii), "..");
  for (double share = 0; share < 1.2; share += 0.01)
    EXPECT_EQ(width_of(bar(share, 7, Charset::utf8), Charset::utf8), 7U);
}

TEST(TopText, sparkline_ends_with_the_newest_value) {
  const std::array<float, 4> values{0, 4, 0.01F, 8};
  EXPECT_EQ(sparkline(values, 6, Charset::utf8), "   ▄▁█");
  EXPECT_EQ(sparkline(values, 2, Charset::utf8), "▁█");
  EXPECT_EQ(sparkline({}, 3, Charset::utf8), "   ");
  EXPECT_EQ(sparkline(values, 0, Charset::utf8), "");
}

TEST(TopText, ring_shows_floors_that_lie_outside_at_its_ends) {
  watch::RingStrip strip{.first = 100, .slots_per_cell = 10, .cells = std::vector<watch::SlotLook>(4), .floors = {}};
  strip.floors = {{.group = "a", .position = 5}, {.group = "b", .position = 100000}, {.group = "c", .position = 119}};
  EXPECT_EQ(floors_row(strip), "AC B");
  strip.floors.push_back({.group = "d", .position = 118});
  EXPECT_EQ(floors_row(strip), "A* B");
  EXPECT_EQ(floors_row({}), "");
}

TEST(TopText, grid_leaves_out_what_does_not_fit) {
  Grid grid({2, 5}, Charset::utf8);
  EXPECT_EQ(grid.put(0, 3, "漢字"), 5U);
  EXPECT_EQ(grid.row_text(0), "   漢");
  EXPECT_EQ(grid.put(7, 0, "x"), 0U);
  grid.put(1, 4, "漢");
  EXPECT_EQ(grid.row_text(1), "") << "half a wide character";
  Grid none({0, 0}, Charset::utf8);
  EXPECT_EQ(none.put(0, 0, "x"), 0U);
}

std::vector<std::string> names(const QueueSelection& selection) {
  const auto fleet = test::fake_fleet();
  std::vector<std::string> out;
  for (const watch::QueueView* queue : selected_queues(*fleet, selection)) out.push_back(queue->info.name);
  return out;
}

TEST(TopOrder, queues_are_sorted_by_each_key) {
  EXPECT_EQ(names({}).front(), "orders") << "by trouble, as the fleet is";
  EXPECT_EQ(names({.sort = QueueSort::name}).front(), "a/quite/long/name/of/a/queue");
  EXPECT_EQ(names({.sort = QueueSort::in}).front(), "mail");
  EXPECT_EQ(names({.sort = QueueSort::depth}).at(1), "mail");
  EXPECT_EQ(names({.sort = QueueSort::age}).front(), "orders");
  EXPECT_EQ(names({.sort = QueueSort::age, .reversed = true}).back(), "orders");
}

TEST(TopOrder, filter_finds_names_and_groups) {
  EXPECT_EQ(names({.filter = "MAI"}), std::vector<std::string>{"mail"});
  EXPECT_EQ(names({.filter = "audit"}), std::vector<std::string>{"empty"}) << "its group";
  EXPECT_EQ(names({.filter = "?ail"}), std::vector<std::string>{"mail"});
  EXPECT_EQ(names({.filter = "*/name*"}), std::vector<std::string>{"a/quite/long/name/of/a/queue"});
  EXPECT_TRUE(names({.filter = "ai?"}).empty()) << "a pattern is for the whole name";
  EXPECT_TRUE(names({.filter = "nothing"}).empty());
  EXPECT_TRUE(names({.filter = std::string(200, '*') + "!"}).empty()) << "many stars cost no time";
}

TEST(TopOrder, sort_keys_have_distinct_names_and_letters) {
  for (const QueueSortName& each : k_queue_sorts) {
    EXPECT_EQ(parse_queue_sort(std::string(each.name)), each.sort);
    for (const QueueSortName& other : k_queue_sorts) EXPECT_EQ(each.key == other.key, each.sort == other.sort);
  }
  EXPECT_FALSE(parse_queue_sort("size"));
}

}  // namespace
