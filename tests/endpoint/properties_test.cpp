// Properties: what a producer gives a message comes out of every kind of consumer, whole, in slots and lanes of every size.
#include "beltway/properties.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "client/inspect.hpp"
#include "error_of.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<MessageHeader, 3> k_headers{{{"tenant", "acme"}, {"", "no name"}, {"tenant", ""}}};
const Properties k_all{.key = "order-7",
                       .correlation_id = "c-1",
                       .reply_to = "replies/1",
                       .content_type = "application/json",
                       .trace_id = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                       .headers = k_headers,
                       .publish_time = PublishTime(123456789012345ns)};

void expect_all(const PropertiesView& properties) {
  EXPECT_EQ(properties.key(), k_all.key);
  EXPECT_EQ(properties.correlation_id(), k_all.correlation_id);
  EXPECT_EQ(properties.reply_to(), k_all.reply_to);
  EXPECT_EQ(properties.content_type(), k_all.content_type);
  EXPECT_EQ(properties.trace_id(), k_all.trace_id);
  EXPECT_EQ(properties.publish_time(), k_all.publish_time);
  ASSERT_EQ(properties.headers().size(), k_headers.size());
  for (std::size_t i = 0; i < k_headers.size(); ++i) {
    EXPECT_EQ(properties.headers()[i].name, k_headers[i].name);
    EXPECT_EQ(properties.headers()[i].value, k_headers[i].value);
  }
  EXPECT_EQ(properties.header("tenant"), "acme") << "the first of that name";
  EXPECT_EQ(properties.header("other"), std::nullopt);
  EXPECT_FALSE(properties.is_damaged());
}

bool is_aligned(const Message& message, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(message.bytes().data()) % alignment == 0;
}

TEST(Properties, all_fields_reach_every_kind_of_consumer_in_slots_and_lanes) {
  for (const std::uint32_t producers : {1U, 4U}) {
    for (const std::uint32_t slot_bytes : {32U, 64U, 512U}) {
      LocalQueue queue(
          {.slots = 64, .slot_bytes = slot_bytes, .lane_bytes = 65536, .max_producers = producers, .groups = {"g"}});
      Producer out = queue.producer();
      std::array consumers{queue.consumer(), queue.consumer({.group = "g"}), queue.consumer({.lossy = true})};
      const std::string payload(100, 'p');
      for (int i = 0; i < 30; ++i) {
        if (i % 3 == 2) {
          out.publish(payload);
        } else {
          out.publish(payload, k_all);
        }
      }
      for (Consumer& in : consumers) {
        for (int i = 0; i < 30; ++i) {
          Result<Message> message = in.try_receive();
          ASSERT_TRUE(message) << i;
          EXPECT_EQ(message->text(), payload);
          EXPECT_TRUE(is_aligned(*message, k_payload_alignment));
          EXPECT_EQ(message->has_properties(), i % 3 != 2);
          if (message->has_properties()) {
            expect_all(message->properties());
          } else {
            EXPECT_EQ(message->properties().key(), "");
          }
          message->ack();
        }
        EXPECT_EQ(in.counters().corrupt, 0U);
        EXPECT_EQ(in.counters().bytes, 3000U) << "of payload";
      }
      EXPECT_EQ(out.counters().bytes, 3000U);
    }
  }
}

TEST(Properties, batches_deliver_properties) {
  LocalQueue queue({.slots = 64, .slot_bytes = 64, .lane_bytes = 65536, .groups = {"g"}});
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g"}), queue.consumer({.lossy = true})};
  for (std::size_t i = 0; i < 40; ++i) out.publish(std::string(i, 'x'), {.key = std::to_string(i)});
  for (Consumer& in : consumers) {
    std::array<Message, 40> got;
    std::size_t count = 0;
    while (count < 40) {
      const auto more = in.try_receive_batch(std::span(got).subspan(count));
      ASSERT_TRUE(more);
      count += *more;
    }
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(got[i].size(), i);
      EXPECT_EQ(got[i].properties().key(), std::to_string(i));
    }
    ack_batch(got);
  }
}

TEST(Properties, a_message_at_each_size_around_the_slot_keeps_bytes_and_alignment) {
  for (const std::uint32_t producers : {1U, 2U}) {
    LocalQueue queue({.slots = 4, .slot_bytes = 128, .lane_bytes = 4096, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    for (std::size_t key = 1; key < 60; ++key) {
      for (std::size_t size = 0; size <= 130; ++size) {
        const std::string payload(size, static_cast<char>('a' + size % 26));
        out.publish(payload, {.key = std::string(key, 'k')});
        Result<Message> message = in.try_receive();
        ASSERT_TRUE(message) << key << " " << size;
        ASSERT_EQ(message->text(), payload);
        ASSERT_EQ(message->properties().key(), std::string(key, 'k'));
        const std::size_t block = (8 + 1 + key + 15) / 16 * 16;
        const bool in_slot = block + size <= 112;
        ASSERT_EQ(message->bytes().data() > queue.memory().ring &&
                      message->bytes().data() < queue.memory().ring + queue.memory().geometry.ring_bytes(),
                  in_slot);
        ASSERT_TRUE(is_aligned(*message, in_slot ? 16 : 64));
      }
    }
    EXPECT_EQ(in.counters().corrupt, 0U);
  }
}

TEST(Properties, the_largest_properties_fit) {
  LocalQueue queue({.slots = 4, .lane_bytes = 16384});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::string text(k_max_property_bytes, 't');
  const std::string value(k_max_headers_bytes / k_max_headers - 1, 'v');
  const std::vector<MessageHeader> headers(k_max_headers, {"n", value});
  out.publish("payload", {.key = text,
                          .correlation_id = text,
                          .reply_to = text,
                          .content_type = text,
                          .trace_id = text,
                          .headers = headers,
                          .publish_time = Properties::now});
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "payload");
  const PropertiesView properties = message->properties();
  EXPECT_EQ(properties.trace_id(), text);
  ASSERT_EQ(properties.headers().size(), k_max_headers);
  for (const MessageHeader& header : properties.headers()) EXPECT_EQ(header.value, value);
}

TEST(Properties, a_property_beyond_its_limit_is_refused_by_name) {
  LocalQueue queue({.slots = 4, .lane_bytes = 16384});
  Producer out = queue.producer();
  const std::string longer(k_max_property_bytes + 1, 't');
  const auto refused = [&](const Properties& properties, const char* part) {
    EXPECT_EQ(out.try_publish("x", properties), Status::too_large);
    EXPECT_EQ(out.publish_until("x", properties, 1s), Status::too_large);
    EXPECT_EQ(out.try_loan(1, properties).status(), Status::too_large);
    EXPECT_EQ(out.loan_until(1, properties, 1s).status(), Status::too_large);
    for (const Error& error : {error_of([&] { out.publish("x", properties); }),
                               error_of([&] { static_cast<void>(out.loan(1, properties)); })}) {
      EXPECT_EQ(error.reason(), Errc::too_large);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refused({.key = longer}, "a key of 256 bytes, but a message may have at most 255");
  refused({.correlation_id = longer}, "a correlation id of 256");
  refused({.reply_to = longer}, "a reply-to of 256");
  refused({.content_type = longer}, "a content type of 256");
  refused({.trace_id = longer}, "a trace id of 256");
  const std::vector<MessageHeader> many(k_max_headers + 1);
  refused({.headers = many}, "a list of headers of 33 headers, but a message may have at most 32");
  const std::array<MessageHeader, 1> name{{{longer, ""}}};
  refused({.headers = name}, "a header name of 256 bytes");
  const std::string large(k_max_headers_bytes, 'v');
  const std::array<MessageHeader, 1> value{{{"n", large}}};
  refused({.headers = value}, "a list of headers of 4097 bytes, but a message may have at most 4096");
  EXPECT_EQ(out.counters().messages, 0U);
}

TEST(Properties, payload_and_properties_together_must_fit_the_queue) {
  LocalQueue queue({.slots = 4, .slot_bytes = 64, .lane_bytes = 4096});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::string most(4096 - 64, 'm');
  EXPECT_EQ(out.try_publish(most + "m", {.key = "k"}), Status::too_large);
  EXPECT_EQ(out.try_loan(most.size() + 1, {.key = "k"}).status(), Status::too_large);
  const std::string error = error_of([&] { out.publish(most + "m", {.key = "k"}); }).what();
  EXPECT_NE(error.find("4097 bytes, but the largest message is 4096"), std::string::npos) << error;
  EXPECT_EQ(out.try_publish(~std::size_t{0} - 8, {.key = "k"}, [](std::span<std::byte>) { FAIL(); }),
            Status::too_large);
  EXPECT_EQ(out.try_loan(~std::size_t{0} - 8, {.key = "k"}).status(), Status::too_large);
  EXPECT_EQ(out.try_publish(most, {.key = "k"}), Status::ok);
  EXPECT_EQ(in.try_receive()->text(), most);
  LocalQueue small({.slots = 4, .slot_bytes = 64, .lane_bytes = 0});
  Producer without_lane = small.producer();
  EXPECT_EQ(without_lane.try_publish(std::string(32, 'x'), {.key = "k"}), Status::ok);
  EXPECT_EQ(without_lane.try_publish(std::string(33, 'x'), {.key = "k"}), Status::too_large);
}

TEST(Properties, empty_properties_are_none) {
  LocalQueue queue({.slots = 4});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  out.publish("x", Properties{});
  Loan loan = out.loan(1, Properties{});
  loan.bytes()[0] = std::byte{'y'};
  loan.commit();
  for (const char* text : {"x", "y"}) {
    Result<Message> message = in.try_receive();
    EXPECT_EQ(message->text(), text);
    EXPECT_FALSE(message->has_properties());
  }
  EXPECT_FALSE(Message().has_properties());
  EXPECT_EQ(Message().properties().key(), "");
}

TEST(Properties, parts_and_callbacks_take_properties) {
  LocalQueue queue({.slots = 8, .slot_bytes = 64, .lane_bytes = 4096});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::array<Bytes, 2> parts{Bytes("one "), Bytes("two")};
  const auto write = [](std::span<std::byte> place) { std::memset(place.data(), 'w', place.size()); };
  out.publish_parts(parts, {.key = "0"});
  EXPECT_EQ(out.try_publish_parts(parts, {.key = "1"}), Status::ok);
  EXPECT_EQ(out.publish_parts_until(parts, {.key = "2"}, 1s), Status::ok);
  out.publish(5, {.key = "3"}, write);
  EXPECT_EQ(out.try_publish(50, {.key = "4"}, write), Status::ok);
  EXPECT_EQ(out.publish_until(500, {.key = "5"}, write, 1s), Status::ok);
  for (int i = 0; i < 6; ++i) {
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), i < 3 ? "one two" : std::string(i == 3 ? 5 : i == 4 ? 50 : 500, 'w'));
    EXPECT_EQ(message->properties().key(), std::to_string(i));
  }
}

TEST(Properties, a_callback_that_throws_leaves_no_message) {
  LocalQueue queue({.slots = 8, .slot_bytes = 64, .lane_bytes = 4096});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (const std::size_t size : {5U, 500U}) {
    EXPECT_THROW(out.publish(size, {.key = "k"}, [](std::span<std::byte>) { throw 1; }), int);
  }
  out.publish("after", {.key = "k"});
  EXPECT_EQ(in.try_receive()->text(), "after");
  EXPECT_EQ(out.counters().messages, 1U);
  EXPECT_EQ(out.counters().bytes, 5U);
}

TEST(Properties, a_loan_begins_with_its_properties_and_keeps_its_alignment) {
  for (const std::uint32_t producers : {1U, 2U}) {
    LocalQueue queue({.slots = 8, .slot_bytes = 256, .lane_bytes = 65536, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    for (const std::size_t size : {0U, 1U, 100U, 1000U}) {
      Loan loan = out.loan(1000, k_all);
      ASSERT_EQ(loan.size(), 1000U);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loan.bytes().data()) % 64, 0U);
      std::memset(loan.bytes().data(), 'l', size);
      EXPECT_EQ(reason_of([&] { loan.commit(1001); }), Errc::misuse);
      Loan moved = std::move(loan);
      moved.commit(size);
      Result<Message> message = in.try_receive();
      ASSERT_TRUE(message);
      EXPECT_EQ(message->text(), std::string(size, 'l'));
      expect_all(message->properties());
    }
    EXPECT_EQ(in.counters().bytes, 1101U);
    EXPECT_EQ(out.counters().bytes, 1101U);
  }
}

TEST(Properties, the_publish_time_is_that_of_the_publish_or_commit) {
  LocalQueue queue({.slots = 8, .slot_bytes = 64, .lane_bytes = 65536});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  Loan loan = out.loan(100, {.publish_time = Properties::now});
  std::this_thread::sleep_for(2ms);
  const PublishTime before = std::chrono::system_clock::now();
  out.publish("x", {.publish_time = Properties::now});
  loan.commit();
  const PublishTime after = std::chrono::system_clock::now();
  for (int i = 0; i < 2; ++i) {
    Result<Message> message = in.try_receive();
    EXPECT_GE(message->properties().publish_time(), before);
    EXPECT_LE(message->properties().publish_time(), after);
  }
}

TEST(Properties, properties_of_a_received_message_can_be_published_again) {
  LocalQueue queue({.slots = 8, .lane_bytes = 65536});
  LocalQueue other({.slots = 8, .lane_bytes = 65536});
  Producer out = queue.producer();
  Producer again = other.producer();
  Consumer in = queue.consumer();
  Consumer last = other.consumer();
  out.publish("x", k_all);
  Result<Message> message = in.try_receive();
  const PropertiesView properties = message->properties();
  again.publish(message->bytes(), properties);
  expect_all(last.try_receive()->properties());
}

struct Order {
  static constexpr std::string_view beltway_name = "test.Order";
  std::uint64_t id = 0;
};

TEST(Properties, typed_messages_take_properties) {
  LocalQueue queue({.slots = 8, .slot_bytes = 64, .lane_bytes = 4096});
  TypedProducer<Order> out(queue.producer());
  TypedConsumer<Order> in(queue.consumer());
  out.publish({.id = 0}, {.key = "0"});
  EXPECT_EQ(out.try_publish({.id = 1}, {.key = "1"}), Status::ok);
  EXPECT_EQ(out.publish_until({.id = 2}, {.key = "2"}, 1s), Status::ok);
  TypedLoan<Order> loan = out.loan({.key = "3"});
  loan->id = 3;
  loan.commit();
  Result<TypedLoan<Order>> tried = out.try_loan({.key = "4"});
  (*tried)->id = 4;
  tried->commit();
  Result<TypedLoan<Order>> waited = out.loan_until({.key = "5"}, 1s);
  (*waited)->id = 5;
  waited->commit();
  for (std::uint64_t i = 0; i < 6; ++i) {
    Result<TypedMessage<Order>> order = in.try_receive();
    ASSERT_TRUE(order);
    EXPECT_EQ((*order)->id, i);
    EXPECT_TRUE(order->has_properties());
    EXPECT_EQ(order->properties().key(), std::to_string(i));
  }
}

TEST(Properties, peeked_messages_have_their_properties) {
  LocalQueue queue({.slots = 8, .slot_bytes = 64, .lane_bytes = 4096});
  Producer out = queue.producer();
  out.publish(std::string(1000, 'x'), k_all);
  out.publish("without");
  const std::vector<PeekedMessage> peeked = client::copy_messages(queue.memory(), 10, 4, std::nullopt);
  ASSERT_EQ(peeked.size(), 2U);
  EXPECT_EQ(peeked[0].size, 1000U);
  EXPECT_EQ(peeked[0].bytes.size(), 4U);
  expect_all(peeked[0].properties());
  EXPECT_TRUE(peeked[1].properties_block.empty());
}

}  // namespace
}  // namespace beltway::test
