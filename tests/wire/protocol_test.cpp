// Everything arrives as it was sent; what does not keep the protocol is refused.
#include "wire/protocol.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "beltway/limits.hpp"
#include "support/error_of.hpp"
#include "wire/validate.hpp"

namespace beltway {

using namespace beltway::ring;
using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;
using test::reason_of;
using wire::AttachReply;
using wire::AttachRequest;
using wire::Description;
using wire::json;
using wire::Role;

Description sample() {
  Description description;
  description.info = {.name = "orders",
                      .id = wire::k_max_queue_id,
                      .owner_uid = 1000,
                      .owner_gid = 100,
                      .options = {.slots = 64, .groups = {"billing", {"audit", {.evict_after = 5s}}}, .mode = 0640},
                      .shared_bytes = 12345,
                      .endpoints = {{.index = 3, .producer = true, .pid = 77, .uid = 1000, .group = ""},
                                    {.index = 1, .pid = 78, .uid = 1001, .group = "audit"},
                                    {.index = 2, .pid = 79, .uid = 1001, .group = "", .lossy = true}}};
  description.group_indexes = {0, 5};
  return description;
}

TEST(Protocol, a_purge_result_arrives_as_it_was_sent_and_an_older_daemon_says_less) {
  const PurgeResult sent{.purged = 252,
                         .left = 4,
                         .used = 256,
                         .holders = {{.producer = true, .index = 63, .pid = 7, .messages = 1, .oldest = 12},
                                     {.producer = false, .index = 63, .pid = 8, .messages = 3, .oldest = 13}}};
  const PurgeResult arrived = wire::decode_purge_result(wire::encode(sent), "test");
  EXPECT_EQ(arrived.purged, sent.purged);
  EXPECT_EQ(arrived.left, sent.left);
  EXPECT_EQ(arrived.used, sent.used);
  ASSERT_EQ(arrived.holders.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(arrived.holders[i].producer, sent.holders[i].producer);
    EXPECT_EQ(arrived.holders[i].index, sent.holders[i].index);
    EXPECT_EQ(arrived.holders[i].pid, sent.holders[i].pid);
    EXPECT_EQ(arrived.holders[i].messages, sent.holders[i].messages);
    EXPECT_EQ(arrived.holders[i].oldest, sent.holders[i].oldest);
  }
  const PurgeResult older = wire::decode_purge_result({{"messages", 3}}, "test");
  EXPECT_EQ(older.purged, 3U);
  EXPECT_TRUE(older.holders.empty());
  EXPECT_EQ(
      reason_of([] { (void)wire::decode_purge_result({{"messages", 3}, {"holders", {{{"endpoint", 900}}}}}, "test"); }),
      Errc::protocol);
}

TEST(Protocol, a_reset_arrives_as_it_was_asked_for_and_as_it_was_done) {
  const auto arrived = [](const wire::ResetTarget& sent) {
    return wire::decode_reset_target({{"to", wire::encode(sent)}}, "test");
  };
  EXPECT_EQ(arrived({.start = Start::oldest}).start, Start::oldest);
  EXPECT_EQ(arrived({.start = Start::oldest}).position, std::nullopt);
  EXPECT_EQ(arrived({.start = Start::latest}).start, Start::latest);
  EXPECT_EQ(arrived({.position = 1ULL << 53}).position, 1ULL << 53);
  for (const json& wrong : {json(-1), json(1.5), json("first"), json(nullptr)}) {
    EXPECT_EQ(reason_of([&] { (void)wire::decode_reset_target({{"to", wrong}}, "test"); }), Errc::protocol) << wrong;
  }
  const ResetResult done = wire::decode_reset_result(
      wire::encode(ResetResult{.position = 1, .acknowledged = 2, .restored = 3, .held = 4}), "test");
  EXPECT_EQ(done.position, 1U);
  EXPECT_EQ(done.acknowledged, 2U);
  EXPECT_EQ(done.restored, 3U);
  EXPECT_EQ(done.held, 4U);
}

TEST(Protocol, options_arrive_as_they_were_sent) {
  const QueueOptions options{.slots = 64,
                             .slot_bytes = 256,
                             .lane_bytes = 8192,
                             .max_producers = 1,
                             .max_consumers = 2,
                             .max_groups = 3,
                             .groups = {"a", {"b", {.evict_after = 0s}}, {"c", {.evict_after = 7s}}},
                             .mode = 0640,
                             .fence = Fence::symmetric,
                             .type = {"price", 16, 8}};
  const QueueOptions arrived = wire::decode_options(wire::encode(options), "test");
  EXPECT_EQ(text_of(differences(options, arrived)), "");
  EXPECT_EQ(arrived.groups, options.groups);
}

TEST(Protocol, a_declare_has_the_description_in_its_options_and_a_queue_has_it_beside_them) {
  EXPECT_EQ(wire::encode(QueueOptions{.description = "d"})["description"], "d");
  Description sent = sample();
  sent.info.options.description = "orders";
  const json object = wire::encode(sent);
  EXPECT_FALSE(object["options"].contains("description")) << "a client that does not know it would refuse the queue";
  EXPECT_EQ(wire::decode_description(object, "test").info.options.description, "orders");
}

TEST(Protocol, missing_options_have_their_defaults) {
  EXPECT_EQ(text_of(differences(wire::decode_options(json::object(), "test"), {})), "");
}

TEST(Protocol, an_option_that_is_not_known_is_refused_by_name) {
  try {
    static_cast<void>(wire::decode_options({{"slots", 64}, {"evict_after_ms", 5}}, "declare \"x\""));
    FAIL() << "the daemon could not have kept it";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), Errc::invalid_option);
    EXPECT_NE(std::string(error.what()).find("evict_after_ms"), std::string::npos) << error.what();
  }
}

TEST(Protocol, options_of_a_wrong_kind_or_range_are_refused) {
  const auto reason = [](const json& options) {
    return reason_of([&] { static_cast<void>(wire::decode_options(options, "test")); });
  };
  for (const json& value : {json(-1), json(1.5), json("64"), json(nullptr), json::array(), json(1ULL << 40)}) {
    EXPECT_EQ(reason({{"slots", value}}), Errc::protocol) << value;
    EXPECT_EQ(reason({{"mode", value}}), Errc::protocol) << value;
  }
  EXPECT_EQ(reason({{"slots", 63}}), Errc::invalid_option);
  EXPECT_EQ(reason({{"fence", "weak"}}), Errc::protocol);
  EXPECT_EQ(reason({{"groups", "a"}}), Errc::protocol);
  EXPECT_EQ(reason({{"groups", {1}}}), Errc::protocol);
  EXPECT_EQ(reason({{"groups", {"a b"}}}), Errc::invalid_option);
  EXPECT_EQ(reason({{"groups", {{{"name", "a"}, {"evict_after_ms", "5"}}}}}), Errc::protocol);
  EXPECT_EQ(reason({{"groups", {{{"name", "a"}, {"evict_after_ms", 5}}}}}), Errc::invalid_option);
  EXPECT_EQ(reason({{"groups", {{{"name", "a"}, {"later", 5}}}}}), Errc::invalid_option) << "it could not be kept";
  EXPECT_EQ(reason({{"groups", {{{"name", "a"}, {"evict_after_ms", 50}}}}}), Errc{});
  EXPECT_EQ(reason({{"type", 1}}), Errc::protocol);
  EXPECT_EQ(reason({{"type", {{"name", "x"}}}}), Errc::protocol);
  EXPECT_EQ(reason(json::array()), Errc::protocol);
}

TEST(Protocol, a_declare_has_a_lifetime_in_its_options_and_a_queue_has_it_beside_them) {
  const QueueOptions wanted{.exclusive = true, .expire_after = std::chrono::seconds(60)};
  EXPECT_EQ(wire::encode(wanted)["exclusive"], true);
  EXPECT_EQ(wire::encode(wanted)["expire_after_ms"], 60'000);
  EXPECT_FALSE(wire::encode(QueueOptions{}).contains("exclusive")) << "a daemon that does not know it serves";
  EXPECT_FALSE(wire::encode(sample()).contains("owner_pid"));
  Description sent = sample();
  sent.info.options.exclusive = true;
  sent.info.options.expire_after = std::chrono::seconds(60);
  sent.info.owner_pid = 7;
  sent.info.expires_in = std::chrono::seconds(59);
  const json object = wire::encode(sent);
  EXPECT_FALSE(object["options"].contains("exclusive")) << "a client that does not know it would refuse the queue";
  EXPECT_FALSE(object["options"].contains("expire_after_ms"));
  const QueueInfo arrived = wire::decode_description(object, "test").info;
  EXPECT_TRUE(arrived.options.exclusive);
  EXPECT_EQ(arrived.options.expire_after, std::chrono::seconds(60));
  EXPECT_EQ(arrived.owner_pid, 7);
  EXPECT_EQ(arrived.expires_in, std::chrono::seconds(59));
}

TEST(Protocol, a_queue_s_description_arrives_as_it_was_sent) {
  const Description sent = sample();
  const Description arrived = wire::decode_description(json::parse(wire::encode(sent).dump()), "test");
  EXPECT_EQ(arrived.info.name, sent.info.name);
  EXPECT_EQ(arrived.info.id, sent.info.id);
  EXPECT_EQ(arrived.info.owner_uid, 1000U);
  EXPECT_EQ(arrived.info.owner_gid, 100U);
  EXPECT_EQ(arrived.info.shared_bytes, 12345U);
  EXPECT_EQ(arrived.info.options.groups, sent.info.options.groups);
  EXPECT_EQ(arrived.group_indexes, sent.group_indexes);
  ASSERT_EQ(arrived.info.endpoints.size(), 3U);
  EXPECT_TRUE(arrived.info.endpoints[0].producer);
  EXPECT_EQ(arrived.info.endpoints[0].index, 3U);
  EXPECT_EQ(arrived.info.endpoints[1].group, "audit");
  EXPECT_EQ(arrived.info.endpoints[1].pid, 78);
  EXPECT_TRUE(arrived.info.endpoints[2].lossy);
  EXPECT_EQ(arrived.info.endpoints[2].group, "");
}

TEST(Protocol, description_names_the_dead_letter_queues_that_are_missing) {
  Description sent = sample();
  EXPECT_FALSE(encode(sent).contains("missing_dead_letter_queues"));
  EXPECT_FALSE(encode(sent).contains("reader")) << "each program of this layout may attach";
  sent.info.missing_dead_letter_queues = {"failed", "more"};
  EXPECT_EQ(decode_description(encode(sent), "test").info.missing_dead_letter_queues,
            sent.info.missing_dead_letter_queues);
  json nonsense = encode(sent);
  nonsense["missing_dead_letter_queues"] = {1, 2};
  EXPECT_THROW(static_cast<void>(decode_description(nonsense, "test")), Error);
}

TEST(Protocol, the_largest_description_fits_into_a_message) {
  Description most;
  most.info.name = std::string(k_max_name_length, 'q');
  most.info.options.max_groups = k_max_groups;
  for (unsigned i = 0; i < k_max_groups; ++i) {
    std::string name = std::to_string(i);
    most.info.options.groups.push_back({name + std::string(k_max_name_length - name.size(), 'g'),
                                        {.evict_after = std::chrono::milliseconds(k_max_evict_after_ms)}});
    most.group_indexes.push_back(i);
  }
  for (unsigned i = 0; i < k_max_producers; ++i) {
    most.info.endpoints.push_back({.index = i, .producer = true, .pid = 4'000'000, .uid = 4'000'000'000U, .group = ""});
    most.info.endpoints.push_back(
        {.index = i, .pid = 4'000'000, .uid = 4'000'000'000U, .group = most.info.options.groups[i].name});
  }
  EXPECT_LT(wire::encode(most).dump().size(), k_max_protocol_bytes / 2);
}

TEST(Protocol, a_description_with_any_field_missing_or_wrong_is_refused) {
  const json good = wire::encode(sample());
  for (const auto& item : good.items()) {
    if (item.key() == "endpoints") continue;  // not in every answer
    json without = good;
    without.erase(item.key());
    EXPECT_NE(reason_of([&] { static_cast<void>(wire::decode_description(without, "test")); }), Errc{})
        << "without " << item.key();
  }
  for (const auto& item : good.items()) {
    json wrong = good;
    wrong[item.key()] = true;
    EXPECT_NE(reason_of([&] { static_cast<void>(wire::decode_description(wrong, "test")); }), Errc{}) << item.key();
  }
  json outside = good;
  outside["groups"][0]["index"] = 8;  // max_groups is 8
  EXPECT_EQ(reason_of([&] { static_cast<void>(wire::decode_description(outside, "test")); }), Errc::protocol);
}

TEST(Protocol, attach_requests_arrive_as_they_were_sent) {
  const AttachRequest sent{.queue = 42,
                           .role = Role::consumer,
                           .barriers = true,
                           .bells = true,
                           .consumer = {.group = "g", .create_group = true, .start = Start::oldest}};
  const AttachRequest arrived = wire::decode_attach_request(wire::encode(sent), "test");
  EXPECT_EQ(arrived.queue, 42U);
  EXPECT_EQ(arrived.role, Role::consumer);
  EXPECT_TRUE(arrived.barriers && arrived.bells && arrived.consumer.create_group && !arrived.consumer.lossy);
  EXPECT_EQ(arrived.consumer.group, "g");
  EXPECT_EQ(arrived.consumer.start, Start::oldest);
}

TEST(Protocol, a_place_outside_the_queue_is_refused) {
  const Geometry geometry = geometry_of({.max_producers = 2, .max_consumers = 3, .max_groups = 4});
  const auto reason = [&](AttachReply reply, Role role, const std::string& group) {
    const AttachRequest request{.role = role, .consumer = {.group = group}};
    return reason_of(
        [&] { static_cast<void>(wire::decode_attach_reply(wire::encode(reply), request, geometry, "test")); });
  };
  EXPECT_EQ(reason({.endpoint = 1}, Role::producer, ""), Errc{});
  EXPECT_EQ(reason({.endpoint = 2}, Role::producer, ""), Errc::protocol);
  EXPECT_EQ(reason({.endpoint = 64}, Role::producer, ""), Errc::protocol);
  EXPECT_EQ(reason({.endpoint = 66, .group = 6}, Role::consumer, ""), Errc{});
  EXPECT_EQ(reason({.endpoint = 66, .group = 5}, Role::consumer, ""), Errc::protocol) << "another's private group";
  EXPECT_EQ(reason({.endpoint = 67, .group = 7}, Role::consumer, ""), Errc::protocol);
  EXPECT_EQ(reason({.endpoint = 0, .group = 6}, Role::consumer, ""), Errc::protocol);
  EXPECT_EQ(reason({.endpoint = 64, .group = 3, .kind = GroupKind::named}, Role::consumer, "g"), Errc{});
  EXPECT_EQ(reason({.endpoint = 64, .group = 4, .kind = GroupKind::named}, Role::consumer, "g"), Errc::protocol);
  EXPECT_EQ(reason({.endpoint = 64, .group = 3, .kind = GroupKind::named}, Role::consumer, ""), Errc::protocol);
  EXPECT_EQ(reason({.endpoint = 64, .group = 4}, Role::consumer, "g"), Errc::protocol);
}

TEST(Protocol, a_consumer_is_told_whether_it_may_be_thrown_out) {
  const AttachRequest request{.role = Role::consumer};
  for (const bool evictable : {false, true}) {
    AttachReply reply{.endpoint = 64, .group = 8};
    reply.evictable = evictable;
    EXPECT_EQ(wire::decode_attach_reply(wire::encode(reply), request, geometry_of({}), "test").evictable, evictable);
  }
}

TEST(Protocol, a_consumer_is_told_how_many_producers_had_ended) {
  const AttachRequest request{.role = Role::consumer};
  const auto arrived = [&](const AttachReply& reply) {
    return wire::decode_attach_reply(wire::encode(reply), request, geometry_of({}), "test").producers_ended;
  };
  AttachReply reply{.endpoint = 64, .group = 8};
  EXPECT_EQ(arrived(reply), std::nullopt) << "an older daemon does not say";
  reply.producers_ended = 7;
  EXPECT_EQ(arrived(reply), 7U);
}

TEST(Protocol, every_error_arrives_with_its_reason_and_message) {
  for (int code = static_cast<int>(Errc::invalid_option); code <= static_cast<int>(Errc::system); ++code) {
    const Error sent(static_cast<Errc>(code), "open \"x\": number " + std::to_string(code));
    try {
      wire::throw_if_error({{"n", 1}, {"error", wire::encode(sent)}});
      FAIL() << code;
    } catch (const Error& arrived) {
      EXPECT_EQ(arrived.reason(), sent.reason());
      EXPECT_STREQ(arrived.what(), sent.what());
    }
  }
  EXPECT_NO_THROW(wire::throw_if_error({{"n", 1}}));
  EXPECT_EQ(reason_of([] { wire::throw_if_error({{"error", "no"}}); }), Errc::protocol);
}

TEST(Protocol, the_largest_description_fits_one_message) {
  wire::Description description;
  QueueInfo& info = description.info;
  info.name = std::string(k_max_name_length, 'q');
  info.id = wire::k_max_queue_id;
  info.options.max_groups = k_max_groups;
  for (unsigned i = 0; i < k_max_groups; ++i) {
    std::string name = std::to_string(i) + std::string(k_max_name_length - 2, 'g');
    name.resize(k_max_name_length);
    if (i % 2 == 0) {
      description.leaving.push_back({i, name});
    } else {
      description.group_indexes.push_back(i);
      info.options.groups.push_back({name, {.evict_after = std::chrono::milliseconds(k_max_evict_after_ms)}});
    }
  }
  for (unsigned i = 0; i < k_max_producers + k_max_consumers; ++i) {
    const bool producer = i < k_max_producers;
    EndpointInfo endpoint{
        .index = i % k_max_producers, .producer = producer, .pid = 0x7fffffff, .uid = 0xfffffffe, .group = {}};
    endpoint.orphan = endpoint.evicted = endpoint.evictable = true;
    endpoint.prefetch = 0xffffffff;
    endpoint.leaving = !producer && i % 2 == 0;
    if (!producer) endpoint.group = endpoint.leaving ? description.leaving[0].name : info.options.groups[0].name;
    info.endpoints.push_back(endpoint);
  }
  const auto encoded = wire::encode(description);
  EXPECT_LT(encoded.dump().size(), 40U * 1024) << "also beside another on a page of a list";
  const wire::Description arrived = wire::decode_description(encoded, "test");
  ASSERT_EQ(arrived.info.endpoints.size(), info.endpoints.size());
  const EndpointInfo& consumer = arrived.info.endpoints[k_max_producers];
  EXPECT_TRUE(consumer.leaving && consumer.orphan && consumer.evictable);
  EXPECT_EQ(consumer.group, description.leaving[0].name);
  EXPECT_EQ(consumer.prefetch, 0xffffffffU);
}

}  // namespace
}  // namespace beltway
