// The records of queues as text, and what one version reads of another's.
#include "survival/record_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/raw_client.hpp"

namespace beltway::daemon {
namespace {

using nlohmann::json;

QueueRecord some_record() {
  QueueRecord record;
  record.name = "orders";
  record.id = 77;
  record.owner_uid = 1000;
  record.owner_gid = 100;
  record.options = test::k_small;
  record.options.mode = 0640;
  record.groups.resize(record.options.max_groups);
  record.endpoints.resize(record.options.max_producers + record.options.max_consumers);
  record.endpoints[1] = {.attached = true, .incarnation = 3, .pid = 5, .command = "worker\xff", .uid = 9};
  return record;
}

TEST(RecordText, the_record_text_says_its_layout_and_its_public_facts) {
  const RecordStamp stamp = decode_stamp(encode(some_record()));
  EXPECT_EQ(stamp.name, "orders");
  EXPECT_EQ(stamp.id, 77U);
  EXPECT_EQ(stamp.owner_uid, 1000U);
  EXPECT_EQ(stamp.owner_gid, 100U);
  EXPECT_EQ(stamp.mode, 0640U);
  EXPECT_EQ(stamp.layout, wire::k_own_layout);
  EXPECT_TRUE(stamp.readable_by(wire::k_own_layout));
}

TEST(RecordText, a_record_text_is_read_as_it_was_written_also_with_a_command_that_is_no_text) {
  const QueueRecord back = decode_record(encode(some_record()));
  EXPECT_EQ(back.name, "orders");
  EXPECT_EQ(back.endpoints[1].pid, 5);
  EXPECT_EQ(back.endpoints[1].command, "worker\xef\xbf\xbd");
}

TEST(RecordText, a_record_text_keeps_the_pause_and_the_reset_of_a_group) {
  QueueRecord record = some_record();
  record.groups[0] = {.state = GroupRecord::State::active, .name = "g", .incarnation = 1};
  EXPECT_EQ(decode_record(encode(record)).groups[0].paused_since, std::nullopt);
  EXPECT_EQ(decode_record(encode(record)).groups[0].reset_to, std::nullopt);
  record.groups[0].paused_since = std::chrono::milliseconds(123);
  record.groups[0].reset_to = (1ULL << 54) - 1;
  EXPECT_EQ(decode_record(encode(record)).groups[0].paused_since, std::chrono::milliseconds(123));
  EXPECT_EQ(decode_record(encode(record)).groups[0].reset_to, (1ULL << 54) - 1);
}

TEST(RecordText, a_record_text_of_version_0_1_without_a_layout_has_layout_1_1) {
  json record = json::parse(encode(some_record()));
  record.erase("layout");
  record.erase("reader");
  EXPECT_EQ(decode_stamp(record.dump()).layout, (wire::LayoutVersion{1, 1}));
}

TEST(RecordText, the_record_text_may_be_worked_on_by_the_same_major_layout_from_its_minimum_reader_on) {
  const auto readable = [](wire::LayoutVersion layout, wire::LayoutVersion reader, wire::LayoutVersion own) {
    RecordStamp stamp;
    stamp.layout = layout;
    stamp.reader = reader;
    return stamp.readable_by(own);
  };
  EXPECT_TRUE(readable({2, 0}, {2, 0}, {2, 0}));
  EXPECT_TRUE(readable({2, 3}, {2, 1}, {2, 1})) << "a later minor that earlier ones may read";
  EXPECT_TRUE(readable({2, 0}, {2, 0}, {2, 5}));
  EXPECT_FALSE(readable({2, 3}, {2, 3}, {2, 2}));
  EXPECT_FALSE(readable({3, 0}, {3, 0}, {2, 9}));
  EXPECT_FALSE(readable({1, 1}, {1, 1}, {2, 0}));
  EXPECT_FALSE(readable({3, 0}, {2, 0}, {2, 0}));
}

TEST(RecordText, a_record_text_of_nonsense_is_readable_by_no_program_and_throws_nothing) {
  for (const char* const text : {"", "{", "[]", "7", R"({"layout": "2.0"})", R"({"layout": [2]})",
                                 R"({"layout": [-1, 0], "name": 7, "options": []})"}) {
    EXPECT_FALSE(decode_stamp(text).readable_by(wire::k_own_layout)) << text;
  }
}

TEST(RecordText, a_record_text_with_an_option_of_a_later_version_is_not_read) {
  json record = json::parse(encode(some_record()));
  record["later_field"] = 1;
  EXPECT_NO_THROW(static_cast<void>(decode_record(record.dump())));
  record["options"]["later_option"] = 1;
  EXPECT_EQ(test::error_of([&] { static_cast<void>(decode_record(record.dump())); }).reason(), Errc::invalid_option);
  EXPECT_EQ(decode_stamp(record.dump()).name, "orders");
}

TEST(RecordText, the_description_in_a_record_text_is_ignored_by_programs_that_do_not_know_it) {
  QueueRecord record = some_record();
  EXPECT_FALSE(json::parse(encode(record)).contains("description"));
  record.options.description = "orders";
  const json text = json::parse(encode(record));
  EXPECT_FALSE(text["options"].contains("description")) << "such a program would not read the record";
  EXPECT_EQ(text["description"], "orders");
  EXPECT_EQ(decode_record(text.dump()).options.description, "orders");
}

TEST(RecordText, record_has_a_lifetime_where_a_program_that_does_not_know_it_ignores_it) {
  QueueRecord record = some_record();
  for (const char* name : {"exclusive", "expire_after_ms", "owner_process", "unused_since_ms"}) {
    EXPECT_FALSE(json::parse(encode(record)).contains(name)) << name;
  }
  record.options.exclusive = true;
  record.options.expire_after = std::chrono::seconds(60);
  record.owner_process = {.pid = 7, .command = "shop\xff", .session = 3};
  record.unused_since = std::chrono::milliseconds(123);
  const json text = json::parse(encode(record));
  EXPECT_FALSE(text["options"].contains("exclusive")) << "such a program would not read the record";
  EXPECT_FALSE(text["options"].contains("expire_after_ms"));
  const QueueRecord back = decode_record(text.dump());
  EXPECT_TRUE(back.options.exclusive);
  EXPECT_EQ(back.options.expire_after, std::chrono::seconds(60));
  EXPECT_EQ(back.owner_process.pid, 7);
  EXPECT_EQ(back.owner_process.command, "shop\xef\xbf\xbd");
  EXPECT_EQ(back.owner_process.session, 0U) << "connections end with the daemon";
  EXPECT_EQ(back.unused_since, std::chrono::milliseconds(123));
}

TEST(RecordText, record_with_nonsense_for_a_lifetime_is_refused) {
  const auto refused = [](const char* name, const json& value) {
    json record = json::parse(encode(some_record()));
    record[name] = value;
    return test::error_of([&] { static_cast<void>(decode_record(record.dump())); }).reason() != Errc{};
  };
  EXPECT_TRUE(refused("unused_since_ms", -1));
  EXPECT_TRUE(refused("unused_since_ms", 1ULL << 60)) << "it would not fit the clock";
  EXPECT_TRUE(refused("expire_after_ms", 1));
  EXPECT_TRUE(refused("exclusive", 1));
  EXPECT_TRUE(refused("owner_process", 7));
}

}  // namespace
}  // namespace beltway::daemon
