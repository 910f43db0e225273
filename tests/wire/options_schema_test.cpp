// The table of options: no option without a row, and what is derived from the rows.
#include "wire/options_schema.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "beltway/error.hpp"
#include "wire/options_json.hpp"

namespace beltway {

using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// Initialises a member of any type, in code that is never run.
struct Anything {
  template <class T>
  [[maybe_unused]] operator T() const {  // NOLINT: implicit, that is what it is for
    std::abort();
  }
};

/// How many members a struct has.
template <class T, class... Members>
constexpr std::size_t member_count() {
  if constexpr (requires { T{Members{}..., Anything{}}; }) {
    return member_count<T, Members..., Anything>();
  } else {
    return sizeof...(Members);
  }
}

template <class Options>
std::set<std::string_view> names() {
  std::set<std::string_view> found;
  for (const auto& row : options_of<Options>()) found.insert(row.name);
  return found;
}

template <class Options>
void expect_a_row_for_each_member() {
  EXPECT_EQ(options_of<Options>().size(), member_count<Options>());
  EXPECT_EQ(names<Options>().size(), options_of<Options>().size()) << "two rows have one name";
}

TEST(OptionsSchema, the_options_schema_has_a_row_for_each_member) {
  expect_a_row_for_each_member<QueueOptions>();
  expect_a_row_for_each_member<ProducerOptions>();
  expect_a_row_for_each_member<ConsumerOptions>();
}

TEST(OptionsSchema, each_own_option_of_a_group_overrides_one_of_the_queue) {
  ASSERT_FALSE(options_of<GroupOptions>().empty());
  for (const GroupOption& row : options_of<GroupOptions>()) {
    const QueueOption* const general = find_option<QueueOptions>(row.name);
    ASSERT_NE(general, nullptr) << row.name;
    EXPECT_EQ(general->is_changeable(), row.is_changeable()) << row.name;
    EXPECT_FALSE(row.is_sent_if_default) << row.name << ": an unset option has no value";
  }
}

TEST(OptionsSchema, the_options_schema_names_flag_and_value_of_each_option_that_can_be_changed) {
  for (const QueueOption& row : options_of<QueueOptions>()) {
    EXPECT_TRUE(!row.is_changeable() || (!row.flag.empty() && !row.value_name.empty())) << row.name;
    EXPECT_TRUE(row.flag.empty() || row.flag.starts_with("--")) << row.name;
  }
}

TEST(OptionsSchema, the_options_schema_has_defaults_within_their_ranges) {
  EXPECT_NO_THROW(check_options("test", QueueOptions{}));
  EXPECT_NO_THROW(check_options("test", GroupOptions{}));
  EXPECT_NO_THROW(check_options("test", ProducerOptions{}));
  EXPECT_NO_THROW(check_options("test", ConsumerOptions{}));
}

TEST(OptionsSchema, the_options_schema_sends_values_and_leaves_out_needless_defaults) {
  json object;
  wire::encode_fields(object, QueueOptions{.slots = 64});
  EXPECT_EQ(object["slots"], 64);
  EXPECT_EQ(object["mode"], 0600);
  EXPECT_EQ(object["fence"], "asymmetric");
  for (const char* name : {"groups", "evict_after_ms", "type"}) EXPECT_FALSE(object.contains(name)) << name;
  json of_consumer;
  wire::encode_fields(of_consumer, ConsumerOptions{.group = "g", .wait = WaitStrategy::spin});
  EXPECT_EQ(of_consumer, json::parse(R"({"group": "g", "lossy": false, "start": "latest"})"));
}

TEST(OptionsSchema, the_options_schema_leaves_an_option_alone_if_its_field_is_missing) {
  ConsumerOptions options{.start = Start::oldest, .prefetch = 3};
  const json object{{"prefetch", 7}};
  wire::decode_fields(JsonReader(object, "test"), options, "test");
  EXPECT_EQ(options.start, Start::oldest);
  EXPECT_EQ(options.prefetch, 7U);
}

TEST(OptionsSchema, the_options_schema_gives_each_value_its_text) {
  const auto text = [](std::string_view name, const QueueOptions& options) {
    return find_option<QueueOptions>(name)->text(options);
  };
  EXPECT_EQ(text("mode", {.mode = 0}), "0000");
  EXPECT_EQ(text("mode", {.mode = 0640}), "0640");
  EXPECT_EQ(text("slots", {.slots = 64}), "64");
  EXPECT_EQ(text("fence", {.fence = Fence::symmetric}), "symmetric");
  EXPECT_EQ(text("evict_after_ms", {.evict_after = 2s}), "2000");
  EXPECT_EQ(text("type", {.type = {"price", 8, 4}}), "price (8 bytes, aligned to 4)");
}

TEST(OptionsSchema, the_options_schema_names_the_option_of_a_group_that_differs) {
  const auto found = differences(GroupOptions{.evict_after = 1s}, GroupOptions{});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found), "evict_after_ms 1000, not unset");
}

}  // namespace
}  // namespace beltway
