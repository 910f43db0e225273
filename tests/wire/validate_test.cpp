// Every option and name at its limits and beyond; the words of the refusals.
#include "wire/validate.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "wire/options_schema.hpp"

namespace beltway {

using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;

/// The message of the refusal; empty if the options are accepted.
std::string refusal(const QueueOptions& options) {
  try {
    check_options("declare \"x\"", options);
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), Errc::invalid_option);
    return error.what();
  }
  return {};
}

std::string refusal_after(const std::function<void(QueueOptions&)>& change) {
  QueueOptions options;
  change(options);
  return refusal(options);
}

TEST(Validate, validation_accepts_the_defaults_and_every_limit) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.slots = k_min_slots, .slot_bytes = k_min_slot_bytes, .lane_bytes = 0, .max_groups = 0}), "");
  EXPECT_EQ(refusal({.slots = k_max_slots, .slot_bytes = 64}), "");
  EXPECT_EQ(refusal({.slots = 2, .slot_bytes = k_max_slot_bytes}), "");
  EXPECT_EQ(refusal({.lane_bytes = k_max_lane_bytes, .max_producers = 64, .max_consumers = 64, .max_groups = 64}), "");
  EXPECT_EQ(refusal({.mode = 0666, .fence = Fence::symmetric}), "");
  EXPECT_EQ(refusal({.type = {.name = "price", .size = 112, .alignment = 16}}), "");
  EXPECT_EQ(refusal({.description = std::string(126, 'x') + "\xc3\xb6"}), "");
}

TEST(Validate, validation_names_option_value_and_range_of_each_refusal) {
  struct Case {
    std::function<void(QueueOptions&)> change;
    std::string message;
  };
  const std::vector<Case> cases{
      {[](auto& o) { o.slots = 1000; }, "slots is 1000; it must be a power of two from 2 to 1048576"},
      {[](auto& o) { o.slots = 1; }, "slots is 1;"},
      {[](auto& o) { o.slots = 0; }, "slots is 0;"},
      {[](auto& o) { o.slots = 1U << 21; }, "slots is 2097152;"},
      {[](auto& o) { o.slot_bytes = 96; }, "slot_bytes is 96; it must be 32 or a multiple of 64 up to 65536"},
      {[](auto& o) { o.slot_bytes = 16; }, "slot_bytes is 16;"},
      {[](auto& o) { o.slot_bytes = k_max_slot_bytes + 64; }, "slot_bytes is 65600;"},
      {[](auto& o) { o.slots = k_max_slots, o.slot_bytes = k_max_slot_bytes; },
       "slots times slot_bytes is 68719476736;"},
      {[](auto& o) { o.lane_bytes = 4095; }, "lane_bytes is 4095; it must be 0 or a multiple of 4096"},
      {[](auto& o) { o.lane_bytes = k_max_lane_bytes + 4096; }, "lane_bytes is 4294971392;"},
      {[](auto& o) { o.max_producers = 0; }, "max_producers is 0; it must be 1 to 64"},
      {[](auto& o) { o.max_producers = 65; }, "max_producers is 65;"},
      {[](auto& o) { o.max_consumers = 0; }, "max_consumers is 0;"},
      {[](auto& o) { o.max_consumers = 65; }, "max_consumers is 65;"},
      {[](auto& o) { o.max_groups = 65; }, "max_groups is 65; it must be 0 to 64"},
      {[](auto& o) { o.max_groups = 1, o.groups = {"a", "b"}; }, "groups is 2 names; it must be at most max_groups, 1"},
      {[](auto& o) { o.groups = {"a", "a"}; }, "a list of different names"},
      {[](auto& o) { o.groups = {"a b"}; }, "group \"a b\": a group name has 1 to 255 characters of"},
      {[](auto& o) { o.mode = 0755; }, "mode is 0755;"},
      {[](auto& o) { o.mode = 04600; }, "mode is 04600;"},
      {[](auto& o) { o.type = {"price", 0, 8}; }, "type.size is 0; it must be 1 to 1048576"},
      {[](auto& o) { o.lane_bytes = 0, o.type = {"price", 113, 8}; }, "type.size is 113; it must be 1 to 112"},
      {[](auto& o) { o.type = {"price", 8, 32}; }, "type.alignment is 32; it must be a power of two up to 16"},
      {[](auto& o) { o.type = {"price", 8, 3}; }, "type.alignment is 3;"},
      {[](auto& o) { o.type = {"", 8, 8}; }, "type.name is 0 characters long"},
      {[](auto& o) { o.type = {std::string(128, 'x'), 8, 8}; }, "type.name is 128 characters long"},
      {[](auto& o) { o.type = {"a\n", 8, 8}; }, "type.name is not printable"},
      {[](auto& o) { o.description = std::string(129, 'x'); }, "description is 129 bytes long; it must be at most 128"},
      {[](auto& o) { o.expire_after = 999ms; }, "expire_after_ms is 999; it must be 0 or 1000 to 2147483647"},
      {[](auto& o) { o.expire_after = -1ms; }, "expire_after_ms is -1; it must be 0 or"},
      {[](auto& o) { o.expire_after = 600h; }, "expire_after_ms is 2160000000; it must be 0 or"},
      {[](auto& o) { o.description = "a\n"; }, "description is not printable; it must be UTF-8 without control"},
      {[](auto& o) { o.description = "a\xff"; }, "description is not printable;"},
  };
  for (const Case& one : cases) {
    const std::string message = refusal_after(one.change);
    EXPECT_NE(message.find(one.message), std::string::npos) << "\"" << message << "\" lacks \"" << one.message << "\"";
    EXPECT_EQ(message.find("declare \"x\": "), 0U) << message;
  }
}

TEST(Validate, validation_takes_names_of_the_characters_and_lengths_that_are_allowed) {
  EXPECT_NO_THROW(check_name("open", "queue", "AZaz09._-/"));
  EXPECT_NO_THROW(check_name("open", "queue", std::string(255, 'x')));
  const std::vector<std::string> wrong{"", std::string(256, 'x'), "a b", "a\n", "\xc3\xa9", std::string(1, '\0'), "a*"};
  for (const std::string& name : wrong) {
    EXPECT_THROW(check_name("open", "queue", name), Error) << name;
  }
}

TEST(Validate, refusal_of_a_name_shows_the_wrong_character_and_its_place) {
  const auto text = [](std::string_view name) {
    try {
      check_name("open", "queue", name);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_TRUE(text("my queue").ends_with("; this one has \" \" at character 3")) << text("my queue");
  EXPECT_TRUE(text("a*").ends_with("; this one has \"*\" at character 2")) << text("a*");
  EXPECT_TRUE(text("\xc3\xa9").ends_with("; this one has byte 0xc3 at character 1")) << text("\xc3\xa9");
  EXPECT_TRUE(text("").ends_with("; this one has 0 characters")) << text("");
  EXPECT_TRUE(text(std::string(256, '*')).ends_with("; this one has 256 characters"));
}

TEST(Validate, validation_shows_a_wrong_name_without_control_characters) {
  EXPECT_EQ(error_subject("open", "a\x1b[1m\n"), "open \"a?[1m?\"");
  EXPECT_LT(error_subject("open", std::string(100000, 'x')).size(), 300U);
}

TEST(Validate, validation_refuses_consumer_options_that_do_not_go_together) {
  EXPECT_NO_THROW(check_options("attach", ConsumerOptions{}));
  EXPECT_NO_THROW(check_options("attach", ConsumerOptions{.group = "g", .create_group = true, .prefetch = 3}));
  EXPECT_THROW(check_options("attach", ConsumerOptions{.group = "g", .lossy = true}), Error);
  EXPECT_THROW(check_options("attach", ConsumerOptions{.create_group = true}), Error);
  EXPECT_THROW(check_options("attach", ConsumerOptions{.prefetch = 1}), Error);
  EXPECT_THROW(check_options("attach", ConsumerOptions{.group = "g g"}), Error);
}

TEST(Validate, validation_names_each_option_that_differs_and_both_values) {
  const QueueOptions there;
  EXPECT_TRUE(differences(there, there).empty());
  const auto with = [&](const std::function<void(QueueOptions&)>& change) {
    QueueOptions wanted = there;
    change(wanted);
    return text_of(differences(there, wanted));
  };
  EXPECT_EQ(with([](auto& o) { o.groups = {"new"}; }), "") << "missing groups are made, not a difference";
  EXPECT_EQ(with([](auto& o) { o.slots = 512; }), "slots 1024, not 512");
  EXPECT_EQ(with([](auto& o) { o.slot_bytes = 64; }), "slot_bytes 128, not 64");
  EXPECT_EQ(with([](auto& o) { o.lane_bytes = 0; }), "lane_bytes 1048576, not 0");
  EXPECT_EQ(with([](auto& o) { o.max_producers = 1; }), "max_producers 8, not 1");
  EXPECT_EQ(with([](auto& o) { o.max_consumers = 1; }), "max_consumers 16, not 1");
  EXPECT_EQ(with([](auto& o) { o.max_groups = 1; }), "max_groups 8, not 1");
  EXPECT_EQ(with([](auto& o) { o.mode = 0; }), "mode 0600, not 0000");
  EXPECT_EQ(with([](auto& o) { o.fence = Fence::symmetric; }), "fence asymmetric, not symmetric");
  EXPECT_EQ(with([](auto& o) { o.evict_after = 5s; }), "evict_after_ms 0, not 5000");
  EXPECT_EQ(with([](auto& o) { o.type = {"price", 8, 8}; }), "type untyped, not price (8 bytes, aligned to 8)");
  EXPECT_EQ(with([](auto& o) { o.slots = 2, o.mode = 0666, o.max_groups = 0; }),
            "slots 1024, not 2; max_groups 8, not 0; mode 0600, not 0666");
}

}  // namespace
}  // namespace beltway
