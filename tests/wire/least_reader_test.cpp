// Which layout a program must know to work on a queue, with options of layouts yet to come.
#include "wire/least_reader.hpp"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "beltway/error.hpp"
#include "support/error_of.hpp"

namespace beltway::wire {
namespace {

using nlohmann::json;

constexpr std::uint32_t k_major = ring::k_layout_major;

const std::array k_later_options{
    QueueOption{.name = "old", .member = &QueueOptions::evict_after, .since{k_major, 0}},
    QueueOption{.name = "later", .member = &QueueOptions::ttl, .since{k_major, 7}},
    QueueOption{.name = "between", .member = &QueueOptions::lease_timeout, .since{k_major, 3}},
    QueueOption{.name = "for_people", .member = &QueueOptions::description, .is_ignorable = true, .since{k_major, 9}}};

std::string later(unsigned minor) { return LayoutVersion{k_major, minor}.text(); }

LeastReader reader_of(const QueueOptions& options) {
  LeastReader least;
  least.raise(options, std::span<const QueueOption>(k_later_options));
  return least;
}

TEST(LeastReader, least_reader_of_a_queue_is_the_layout_of_its_latest_option_that_is_set) {
  using namespace std::chrono_literals;
  EXPECT_EQ(reader_of({}).text(), "layout " + later(0));
  EXPECT_EQ(reader_of({.evict_after = 1s}).option, "");
  EXPECT_EQ(reader_of({.lease_timeout = 1s}).text(), "layout " + later(3) + " for its option between");
  EXPECT_EQ(reader_of({.ttl = 1s, .lease_timeout = 1s}).option, "later");
  EXPECT_EQ(reader_of({.description = "text"}).layout, (LayoutVersion{k_major, 0})) << "older programs may ignore it";
}

TEST(LeastReader, least_reader_admits_programs_of_its_major_layout_from_its_minor_on) {
  const LeastReader least{{4, 3}, "x"};
  EXPECT_FALSE(least.admits({4, 2}));
  EXPECT_TRUE(least.admits({4, 3}));
  EXPECT_TRUE(least.admits({4, 9}));
  EXPECT_FALSE(least.admits({3, 9}));
  EXPECT_FALSE(least.admits({5, 0}));
}

TEST(LeastReader, options_of_this_layout_close_a_queue_to_no_program_of_it) {
  using namespace std::chrono_literals;
  const QueueOptions options{.groups = {{"g", {.dead_letter = "failed", .ttl = 5s}}}, .ttl = 5s, .drop_oldest = 7};
  EXPECT_TRUE(least_reader(options).admits(k_own_layout));
  for (const QueueOption& row : options_of<QueueOptions>()) EXPECT_LE(row.since, k_own_layout) << row.name;
  for (const GroupOption& row : options_of<GroupOptions>()) EXPECT_LE(row.since, k_own_layout) << row.name;
}

TEST(LeastReader, description_of_a_queue_that_needs_a_later_layout_is_refused_by_the_name_of_its_option) {
  const json needy{{"reader", later(7)}, {"reader_option", "later"}};
  const Error refused = test::error_of([&] { check_reader({needy, "queue"}, "open \"orders\"", {k_major, 6}); });
  EXPECT_EQ(refused.reason(), Errc::incompatible);
  EXPECT_NE(
      std::string(refused.what()).find("open \"orders\": the queue needs layout " + later(7) + " for its option later"),
      std::string::npos)
      << refused.what();
  EXPECT_NO_THROW(check_reader({needy, "queue"}, "open", {k_major, 7}));
  EXPECT_NO_THROW(check_reader({json::object(), "queue"}, "open"));
  const json nonsense{{"reader", "seven"}};
  EXPECT_EQ(test::error_of([&] { check_reader({nonsense, "queue"}, "open"); }).reason(), Errc::protocol);
}

TEST(LeastReader, layout_version_is_parsed_from_two_numbers_and_nothing_else) {
  EXPECT_EQ(parse_layout("4.0"), (LayoutVersion{4, 0}));
  EXPECT_EQ(parse_layout("12.34"), (LayoutVersion{12, 34}));
  for (const char* text : {"", "4", "4.", ".1", "4.0.1", "4.-1", " 4.0", "4.0 ", "x.y", "99999999999.0"}) {
    EXPECT_EQ(parse_layout(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace beltway::wire
