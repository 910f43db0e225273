// Messages as they leave and arrive: each field both ways, limits, origins.
#include "bridge/mapping.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "bridge/stored_runs.hpp"
#include "endpoint/properties_block.hpp"

namespace {

using namespace beltway;
using namespace beltway::bridge;
using namespace std::chrono_literals;

/// Properties as a consumer sees them.
class Seen {
 public:
  explicit Seen(const Properties& properties) : block_(properties) { block_.stamp(); }
  [[nodiscard]] PropertiesView view() const {
    return PropertiesView(std::span<const std::byte>(block_.data(), block_.size()));
  }

 private:
  endpoint::PropertiesBlock block_;
};

Departure departure() {
  return {.origin = {"host", 77, 5}, .place = StreamPlace{0xabc, 6}, .now = std::chrono::steady_clock::now()};
}

RemoteMessage sent(const Properties& properties, const Departure& from = departure()) {
  RemoteMessage remote;
  const Seen seen(properties);
  to_remote(seen.view(), from, remote);
  return remote;
}

Arrival arrived(const RemoteMessage& remote) {
  std::string why;
  auto arrival = Arrival::read(remote, why);
  EXPECT_TRUE(arrival) << why;
  return std::move(*arrival);
}

std::string header_of(const RemoteMessage& remote, std::string_view name) {
  for (const RemoteHeader& header : remote.headers)
    if (header.name == name) return header.value;
  return "none";
}

TEST(Mapping, all_fields_come_back_as_they_left) {
  const std::array<MessageHeader, 3> headers{{{"a", "1"}, {"a", "2"}, {"b", std::string_view("\0\xff", 2)}}};
  const Properties properties{.key = "customer",
                              .correlation_id = "c1",
                              .reply_to = "answers",
                              .content_type = "text/plain",
                              .trace_id = "a trace",
                              .headers = headers,
                              .publish_time = PublishTime(1'700'000'000'123'456'789ns)};
  const RemoteMessage remote = sent(properties);
  EXPECT_EQ(remote.message_id, "host/77/5");
  EXPECT_EQ(remote.routing_key, "customer");
  EXPECT_EQ(remote.timestamp_s, 1'700'000'000);
  const Arrival arrival = arrived(remote);
  const Properties back = arrival.properties();
  EXPECT_EQ(back.key, "customer");
  EXPECT_EQ(back.correlation_id, "c1");
  EXPECT_EQ(back.reply_to, "answers");
  EXPECT_EQ(back.content_type, "text/plain");
  EXPECT_EQ(back.trace_id, "a trace");
  EXPECT_EQ(back.publish_time, properties.publish_time);
  ASSERT_EQ(back.headers.size(), 4U);
  EXPECT_EQ(back.headers[1].value, "2");
  EXPECT_EQ(back.headers[2].value, std::string_view("\0\xff", 2));
  EXPECT_EQ(back.headers[3].name, k_origin_header);
  EXPECT_EQ(arrival.place(), (StreamPlace{0xabc, 6}));
  EXPECT_EQ(arrival.path(), (std::vector<Origin>{{"host", 77, 5}}));
}

TEST(Mapping, w3c_trace_has_the_name_that_others_know) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const RemoteMessage remote = sent({.trace_id = trace});
  EXPECT_EQ(header_of(remote, "traceparent"), trace);
  EXPECT_EQ(header_of(remote, k_trace_header), "none");
  EXPECT_EQ(arrived(remote).properties().trace_id, trace);
}

TEST(Mapping, stamp_of_the_queue_stands_for_a_missing_publish_time) {
  Departure from = departure();
  from.stamped = PublishTime(5s);
  EXPECT_EQ(sent({}, from).timestamp_s, 5);
  EXPECT_EQ(sent({.publish_time = PublishTime(9s)}, from).timestamp_s, 9);
  EXPECT_FALSE(sent({}).timestamp_s);
}

TEST(Mapping, time_that_is_left_is_the_expiration) {
  const auto left = sent({.ttl = 60s}).expiration_ms;
  ASSERT_TRUE(left);
  EXPECT_LE(*left, 60'001);
  EXPECT_GE(*left, 50'000);
  Departure late = departure();
  late.now += 2min;
  EXPECT_EQ(sent({.ttl = 60s}, late).expiration_ms, 0);
  EXPECT_EQ(arrived({.expiration_ms = 250}).properties().ttl, 250ms);
  EXPECT_LT(arrived({.expiration_ms = 0}).properties().ttl, 0us);
  EXPECT_LT(arrived({.expiration_ms = -5}).properties().ttl, 0us);
  EXPECT_EQ(arrived({.expiration_ms = std::numeric_limits<std::int64_t>::max()}).properties().ttl,
            std::chrono::milliseconds(k_max_ttl_ms));
}

TEST(Mapping, routing_key_is_the_key_only_behind_an_exchange_with_a_name) {
  EXPECT_EQ(arrived({.routing_key = "queue"}).properties().key, "");
  EXPECT_EQ(arrived({.routing_key = "topic", .exchange = "events"}).properties().key, "topic");
}

TEST(Mapping, times_beyond_all_clocks_count_as_absent) {
  EXPECT_EQ(arrived({.timestamp_s = -1}).properties().publish_time, PublishTime{});
  EXPECT_EQ(arrived({.timestamp_s = std::numeric_limits<std::int64_t>::max()}).properties().publish_time,
            PublishTime{});
  EXPECT_EQ(arrived({.headers = {{std::string(k_time_header), "99999999999999999999"}}}).properties().publish_time,
            PublishTime{});
}

TEST(Mapping, properties_beyond_the_limits_are_refused_with_a_reason) {
  std::string why;
  EXPECT_FALSE(Arrival::read({.correlation_id = std::string(256, 'x')}, why));
  EXPECT_NE(why.find("255"), std::string::npos);
  EXPECT_FALSE(Arrival::read({.headers = {{std::string(256, 'n'), ""}}}, why));
  EXPECT_FALSE(Arrival::read({.headers = {{"n", std::string(4096, 'v')}}}, why));
  EXPECT_FALSE(Arrival::read({.headers = std::vector<RemoteHeader>(33, {"n", "v"})}, why));
  EXPECT_NE(why.find("32"), std::string::npos);
  EXPECT_TRUE(Arrival::read({.headers = std::vector<RemoteHeader>(32, {"n", "v"})}, why));
}

TEST(Mapping, message_that_passes_on_keeps_its_path) {
  Departure first = departure();
  const Arrival between = arrived(sent({.key = "k"}, first));
  Departure second = departure();
  second.origin = {"other", 88, 1};
  const Arrival end = arrived(sent(between.properties(), second));
  EXPECT_EQ(end.path(), (std::vector<Origin>{{"host", 77, 5}, {"other", 88, 1}}));
  EXPECT_TRUE(end.is_loop(77));
  EXPECT_TRUE(end.is_loop(88));
  EXPECT_FALSE(end.is_loop(99));
}

TEST(Mapping, message_that_passed_too_many_queues_is_in_a_loop) {
  RemoteMessage remote;
  Arrival arrival = arrived(remote);
  for (std::uint64_t id = 1; id <= k_max_hops; ++id) {
    EXPECT_FALSE(arrival.is_loop(1000)) << id;
    Departure from = departure();
    from.origin.queue_id = id;
    arrival = arrived(sent(arrival.properties(), from));
  }
  EXPECT_TRUE(arrival.is_loop(1000));
}

TEST(Mapping, headers_of_a_bridge_cannot_be_forged_by_a_local_message) {
  const std::array<MessageHeader, 2> headers{{{k_stream_header, "1/2"}, {k_key_header, "other"}}};
  const Arrival arrival = arrived(sent({.key = "real", .headers = headers}));
  EXPECT_EQ(arrival.place(), (StreamPlace{0xabc, 6}));
  EXPECT_EQ(arrival.properties().key, "real");
}

TEST(Origin, texts_that_make_no_sense_are_no_origin) {
  for (const char* text : {"", " ", "host", "host/1", "host/1/2/3", "/1/2", "host//2", "host/1/", "host/-1/2",
                           "host/x/2", "ho st/1/2", "host/1/2  host/1/2", "host/99999999999999999999/2", "h\n/1/2"})
    EXPECT_FALSE(read_path(text)) << text;
  std::string many;
  for (std::size_t i = 0; i <= k_max_hops; ++i) many += (many.empty() ? "" : " ") + std::string("h/1/2");
  EXPECT_FALSE(read_path(many));
  EXPECT_TRUE(read_path("h/1/2 i/3/4"));
}

TEST(Origin, texts_that_make_no_sense_are_no_place) {
  for (const char* text : {"", "1", "1/2/3", "1/0", "g/2", "1/", "/1", "1/-2", "1/2/", "1/140737488355328"})
    EXPECT_FALSE(read_place(text)) << text;
  EXPECT_EQ(read_place("ff/2"), (StreamPlace{255, 2}));
  const StreamPlace last{~0ULL, StoredRuns::k_max_sequence};
  EXPECT_EQ(read_place(text_of(last)), last);
}

TEST(Origin, streams_of_different_groups_and_queues_differ) {
  EXPECT_NE(stream_of("h", 1, "a"), stream_of("h", 1, "b"));
  EXPECT_NE(stream_of("h", 1, "a"), stream_of("h", 2, "a"));
  EXPECT_NE(stream_of("h", 1, "a"), stream_of("i", 1, "a"));
  EXPECT_EQ(stream_of("h", 1, "a"), stream_of("h", 1, "a"));
}

}  // namespace
