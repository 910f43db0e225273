// The tool's units, tables and escaping.
#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/table.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {
namespace {

using namespace std::chrono_literals;

TEST(ToolUnits, sizes_count_in_1024s) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("112"), 112U);
  EXPECT_EQ(parse_size("112 B"), 112U);
  EXPECT_EQ(parse_size("64K"), 65536U);
  EXPECT_EQ(parse_size("64k"), 65536U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("1.5M"), 1572864U);
  EXPECT_EQ(parse_size("4G"), 1ULL << 32);
  EXPECT_EQ(parse_size("1T"), 1ULL << 40);
}

TEST(ToolUnits, text_that_is_no_size_is_refused) {
  for (const char* text : {"", "K", "-1", "1.3", "1X", "1K1", " 1", "1e3", "99999999T", "nan", "inf", "0x10", "1KK"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(ToolUnits, units_of_counts_and_rates_are_powers_of_1000) {
  EXPECT_EQ(parse_count("1M"), 1'000'000U);
  EXPECT_EQ(parse_count("50k"), 50'000U);
  EXPECT_EQ(parse_count("1.5"), std::nullopt);
  EXPECT_EQ(parse_rate("20k/s"), 20'000.0);
  EXPECT_EQ(parse_rate("0.5"), 0.5);
  EXPECT_EQ(parse_rate("0"), std::nullopt);
  EXPECT_EQ(parse_rate("5/m"), std::nullopt);
}

TEST(ToolUnits, times_are_seconds_unless_they_say_otherwise) {
  EXPECT_EQ(parse_duration("2"), 2s);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("200ms"), 200ms);
  EXPECT_EQ(parse_duration("50us"), 50us);
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("3m"), 3min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const char* text : {"", "-1", "s", "1 week", "9999999h"}) EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(ToolUnits, modes_are_octal) {
  EXPECT_EQ(parse_mode("0640"), 0640U);
  EXPECT_EQ(parse_mode("640"), 0640U);
  for (const char* text : {"", "8", "1777", "-1", "rw"}) EXPECT_EQ(parse_mode(text), std::nullopt) << text;
}

TEST(ToolUnits, sizes_are_printed_with_three_digits) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(112), "112 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1 KiB");
  EXPECT_EQ(format_size(210.0 * 1024), "210 KiB");
  EXPECT_EQ(format_size(1.5 * 1024 * 1024), "1.5 MiB");
  EXPECT_EQ(format_size(1024 * 1024 - 1), "1 MiB");
  EXPECT_EQ(format_size(12.34 * 1024 * 1024 * 1024), "12.3 GiB");
}

TEST(ToolUnits, short_counts_are_printed_in_full) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(99'999), "99999");
  EXPECT_EQ(format_count(100'000), "100 k");
  EXPECT_EQ(format_count(1'234'567), "1.23 M");
  EXPECT_EQ(format_count(999'999), "1 M");
  EXPECT_EQ(format_count(~std::uint64_t{0}), "18.4 E");
  EXPECT_EQ(format_rate(0), "0/s");
  EXPECT_EQ(format_rate(1.23e6), "1.23 M/s");
}

TEST(ToolUnits, ratios_tell_nothing_from_almost_nothing) {
  EXPECT_EQ(format_ratio(0), "0");
  EXPECT_EQ(format_ratio(0.0001), "<0.001");
  EXPECT_EQ(format_ratio(0.0124), "0.012");
  EXPECT_EQ(format_ratio(0.5), "0.5");
  EXPECT_EQ(format_ratio(1), "1");
  EXPECT_EQ(format_ratio(1.257), "1.26");
}

TEST(ToolUnits, times_are_printed_in_their_unit) {
  EXPECT_EQ(format_nanoseconds(85), "85 ns");
  EXPECT_EQ(format_nanoseconds(0.5), "0.5 ns");
  EXPECT_EQ(format_duration(1234us), "1.23 ms");
  EXPECT_EQ(format_duration(2500ms), "2.5 s");
  EXPECT_EQ(format_duration(12min), "12 min");
  EXPECT_EQ(format_duration(36h), "36 h");
}

TEST(ToolTable, a_table_aligns_columns_and_leaves_no_blanks_at_line_ends) {
  Table table{"NAME", ">SIZE", "GROUP"};
  EXPECT_TRUE(table.empty());
  table.add({"a", "5", "x"});
  table.add({"longer", "12345"});
  EXPECT_EQ(table.text(),
            "NAME     SIZE  GROUP\n"
            "a           5  x\n"
            "longer  12345\n");
  EXPECT_TRUE(table.text(2).starts_with("  NAME"));
}

TEST(ToolTable, a_table_counts_characters_and_not_bytes) {
  EXPECT_EQ(columns_of("\xc3\xa9t\xc3\xa9"), 3U);
  Table table{"A", "B"};
  table.add({"\xc3\xa9", "x"});
  table.add({"ee", "x"});
  EXPECT_EQ(table.text(), "A   B\n\xc3\xa9   x\nee  x\n");
}

TEST(ToolTable, facts_stand_in_two_columns) {
  Facts facts;
  facts.add("a", "1");
  facts.add("longer", "2");
  EXPECT_EQ(facts.text(1), " a       1\n longer  2\n");
}

TEST(ToolPayloadText, the_payload_text_knows_well_formed_utf8) {
  for (const char* text : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\n\t"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xf8\x88\x80\x80\x80", "\xe2\x82", "a\xff", "\xf0\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
}

TEST(ToolPayloadText, printable_text_cannot_control_a_terminal) {
  EXPECT_EQ(printable("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // C1: some terminals take it for ESC [
  EXPECT_EQ(printable("\xff\x7f"), "\\xff\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(ToolPayloadText, the_payload_text_shortens_between_characters) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4), "\xc3\xa9...");
}

TEST(ToolPayloadText, base64_is_that_of_rfc_4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace beltway::tool
