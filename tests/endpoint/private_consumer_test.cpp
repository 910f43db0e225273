// A private reliable consumer and its producers, over plain memory: delivery, order, full and empty, batches, wrap-around.
#include <gtest/gtest.h>

#include <array>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

TEST(PrivateConsumer, a_private_consumer_receives_messages_published_after_it_attached) {
  LocalQueue queue;
  Producer out = queue.producer();
  out.publish("before");
  Consumer in = queue.consumer();
  out.publish("one");
  const std::uint64_t position = out.publish("two");
  Result<Message> one = in.try_receive();
  ASSERT_TRUE(one);
  EXPECT_EQ(one->text(), "one");
  EXPECT_EQ(one->position() + 1, position);
  EXPECT_EQ(one->producer(), 0U);
  EXPECT_EQ(one->deliveries(), 1U);
  Result<Message> two = in.try_receive();
  ASSERT_TRUE(two);
  EXPECT_EQ(two->text(), "two");
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(PrivateConsumer, a_private_consumer_starts_at_the_oldest_if_asked) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers});
    Producer out = queue.producer();
    for (int i = 0; i < 6; ++i) out.publish(std::to_string(i));
    Consumer in = queue.consumer({.start = Start::oldest});
    // A single-producer ring gives up one position: its producer may just be claiming it (see groups.cpp).
    const int first = producers == 1 ? 3 : 2;
    for (int i = first; i < 6; ++i) EXPECT_EQ(in.receive()->text(), std::to_string(i));
    EXPECT_EQ(in.try_receive().status(), Status::empty);
  }
}

TEST(PrivateConsumer, a_private_consumer_at_the_oldest_passes_void_slots_before_its_first_receive) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers});
    Producer out = queue.producer();
    for (int i = 0; i < 4; ++i) {
      EXPECT_THROW(out.publish(3, [](std::span<std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
    }
    Consumer in = queue.consumer({.start = Start::oldest});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(out.try_publish(std::to_string(i)), Status::ok) << i;
    EXPECT_EQ(out.try_publish("no room"), Status::full);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(in.try_receive()->text(), std::to_string(i));
  }
}

TEST(PrivateConsumer, a_private_consumer_receives_messages_of_every_size_whole) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 16, .slot_bytes = 256, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    std::string text(200, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('A' + i % 61);
    for (std::size_t size = 0; size <= text.size(); ++size) {
      // From an odd address, between bytes that are not of the message.
      const std::string_view message = std::string_view(text).substr(size % 3 == 0 || size > 197 ? 0 : 3, size);
      out.publish(message);
      const std::array<Bytes, 2> batch{message, message};
      out.publish_batch(batch);
      for (int i = 0; i < 3; ++i) {
        Result<Message> received = in.try_receive();
        ASSERT_TRUE(received);
        EXPECT_EQ(received->text(), message) << size;
      }
    }
  }
}

TEST(PrivateConsumer, a_private_consumer_with_more_messages_wakes_producers_now_and_then) {
  LocalQueue queue({.slots = 256, .max_producers = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (int i = 0; i < 256; ++i) ASSERT_EQ(out.try_publish("x"), Status::ok);
  for (int taken = 1; taken < 16; ++taken) {
    in.receive()->ack();
    EXPECT_EQ(out.try_publish("y"), Status::full) << taken;
  }
  in.receive()->ack();
  for (int i = 0; i < 16; ++i) ASSERT_EQ(out.try_publish("y"), Status::ok) << "it is told of every 16th at latest";
  EXPECT_EQ(out.try_publish("y"), Status::full);
  for (int i = 0; i < 251; ++i) in.receive()->ack();
  EXPECT_EQ(out.try_publish("y"), Status::ok);
  for (int i = 0; i < 6; ++i) in.receive()->ack();
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  for (int i = 0; i < 256; ++i) ASSERT_EQ(out.try_publish("z"), Status::ok) << "nothing is left: all was told";
}

TEST(PrivateConsumer, a_private_consumer_wakes_producers_at_once_for_lane_memory) {
  LocalQueue queue({.slots = 256, .slot_bytes = 64, .lane_bytes = 8192, .max_producers = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::string large(1000, 'x');
  while (out.try_publish(large) == Status::ok) continue;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(out.try_publish("small"), Status::ok);
  in.receive()->ack();
  EXPECT_EQ(out.try_publish(large), Status::ok) << "the first let go";
  {
    std::array<Message, 3> batch;
    ASSERT_EQ(in.try_receive_batch(batch).value_or(0), 3U);
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(out.try_publish(large), Status::ok) << "a batch let go";
}

TEST(PrivateConsumer, a_private_consumer_blocks_the_producer_when_the_ring_is_full) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(out.try_publish("x"), Status::ok);
    EXPECT_EQ(out.try_publish("y"), Status::full);
    EXPECT_EQ(out.publish_until("y", 1ms), Status::timeout);
    EXPECT_EQ(out.counters().refused, 2U);
    {
      Result<Message> held = in.try_receive();
      EXPECT_EQ(out.try_publish("y"), Status::full) << "a message that is held is not let go";
    }
    EXPECT_EQ(out.try_publish("y"), Status::ok);
    EXPECT_EQ(out.try_publish("z"), Status::full);
  }
}

TEST(FullRing, a_message_that_never_fits_is_refused_at_once_and_by_name) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 2, .lane_bytes = 4096, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    while (out.try_publish("x") == Status::ok) continue;
    const std::string large(5000, 'x');
    EXPECT_EQ(out.try_publish(large), Status::too_large);
    EXPECT_EQ(out.publish_until(large, 20s), Status::too_large);
    try {
      out.publish(large);
      ADD_FAILURE() << "it was published";
    } catch (const Error& error) {
      EXPECT_EQ(error.reason(), Errc::too_large) << error.what();
    }
  }
}

TEST(Consume, consume_ends_at_a_stop_and_at_a_deadline_while_messages_keep_coming) {
  LocalQueue queue({.slots = 64});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  out.publish("first");
  std::stop_source stop;
  unsigned handled = 0;
  const auto publish_another = [&](Message& message) {
    message.ack();
    out.publish("another");
    if (++handled == 10) stop.request_stop();
  };
  EXPECT_EQ(in.consume(publish_another, stop.get_token()), Status::stopped);
  EXPECT_EQ(handled, 10U);
  EXPECT_EQ(in.consume(publish_another, 10ms), Status::timeout);
  EXPECT_EQ(in.try_receive()->text(), "another") << "no message is lost";
}

TEST(PrivateConsumer, a_private_consumer_may_release_messages_in_any_order) {
  LocalQueue queue({.slots = 8});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 8; ++i) ASSERT_EQ(out.try_publish(std::to_string(i)), Status::ok);
    std::array<Message, 8> held;
    ASSERT_EQ(in.try_receive_batch(held).value_or(0), 8U);
    for (const int i : {3, 1, 7, 0, 2}) held[static_cast<std::size_t>(i)] = Message();
    for (int i = 0; i < 4; ++i) ASSERT_EQ(out.try_publish("again"), Status::ok) << "0 to 3 are let go";
    ASSERT_EQ(out.try_publish("again"), Status::full) << "4 is held";
    for (const int i : {6, 5, 4}) held[static_cast<std::size_t>(i)] = Message();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(in.try_receive()->text(), "again");
  }
}

TEST(PrivateConsumer, every_size_around_each_limit_arrives_whole) {
  for (const std::uint32_t slot_bytes : {32U, 64U, 128U, 512U}) {
    LocalQueue queue({.slots = 8, .slot_bytes = slot_bytes, .lane_bytes = 8192});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    const std::size_t inlined = slot_bytes - k_slot_overhead_bytes;
    EXPECT_EQ(out.max_inline_bytes(), inlined);
    EXPECT_EQ(out.max_message_bytes(), 8192U);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, inlined - 1, inlined, inlined + 1,
          std::size_t{4095}, std::size_t{4096}, std::size_t{8191}, std::size_t{8192}}) {
      std::string text(size, 'a');
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + size) % 26);
      ASSERT_EQ(out.try_publish(text), Status::ok) << size;
      Result<Message> message = in.try_receive();
      ASSERT_TRUE(message) << size;
      EXPECT_EQ(message->size(), size);
      EXPECT_TRUE(message->text() == text) << size;
    }
    const std::string large(8193, 'x');
    EXPECT_EQ(out.try_publish(large), Status::too_large);
    try {
      out.publish(large);
      FAIL() << "a message that can never fit must be an error";
    } catch (const Error& error) {
      EXPECT_EQ(error.reason(), Errc::too_large);
      EXPECT_NE(std::string(error.what()).find("8192"), std::string::npos) << error.what();
    }
    out.publish("still usable");
    EXPECT_EQ(in.try_receive()->text(), "still usable");
  }
}

TEST(PrivateConsumer, order_holds_through_every_wrap_of_every_field) {
  const std::uint64_t one = 1;
  for (const std::uint32_t producers : {1U, 2U}) {
    for (const Position wrap_at : {one << 44, one << 46, one << 54}) {
      LocalQueue queue({.slots = 4, .max_producers = producers, .groups = {"g"}}, wrap(wrap_at - 13));
      Producer out = queue.producer();
      Consumer in = queue.consumer();
      Consumer competing = queue.consumer({.group = "g"});
      Consumer lossy = queue.consumer({.lossy = true});
      for (std::uint64_t i = 0; i < 40; ++i) {
        const std::uint64_t position = out.publish(std::to_string(i));
        EXPECT_EQ(position, wrap(wrap_at - 13 + i));
        Result<Message> message = in.try_receive();
        ASSERT_TRUE(message);
        EXPECT_EQ(message->text(), std::to_string(i));
        EXPECT_EQ(message->position(), position);
        Result<Message> leased = competing.try_receive();
        ASSERT_TRUE(leased);
        EXPECT_EQ(leased->text(), std::to_string(i));
        if (i % 3 == 0) {
          leased->nack();
          leased = competing.try_receive();
          ASSERT_TRUE(leased);
          EXPECT_EQ(leased->text(), std::to_string(i));
          EXPECT_EQ(leased->deliveries(), 2U);
        }
        EXPECT_TRUE(leased->ack());
        Result<Message> copy = lossy.try_receive();
        ASSERT_TRUE(copy);
        EXPECT_EQ(copy->text(), std::to_string(i));
      }
    }
  }
}

TEST(PrivateConsumer, batches_carry_the_same_messages) {
  for (const std::uint32_t producers : {1U, 3U}) {
    LocalQueue queue({.slots = 16, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    std::vector<std::string> texts;
    for (int i = 0; i < 20; ++i) texts.push_back(std::to_string(i));
    const std::vector<Bytes> messages(texts.begin(), texts.end());
    const Result<std::size_t> result = out.try_publish_batch(messages);
    EXPECT_EQ(result.value_or(0), 16U);
    EXPECT_EQ(out.try_publish_batch(std::span(messages).subspan(16)).status(), Status::full);
    std::array<Message, 10> got;
    Result<std::size_t> batch = in.try_receive_batch(got);
    EXPECT_EQ(batch.value_or(0), 10U);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(got[i].text(), texts[i]);
    batch = in.receive_batch(got, 1s);
    EXPECT_EQ(batch.value_or(0), 6U);
    EXPECT_EQ(got[5].text(), "15");
    EXPECT_EQ(in.receive_batch(got, 1ms).status(), Status::timeout);
  }
}

TEST(PrivateConsumer, the_removal_is_reported_after_the_last_message) {
  LocalQueue queue;
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  out.publish("still there");
  queue.remove();
  EXPECT_EQ(out.try_publish("no more"), Status::removed);
  EXPECT_THROW(out.publish("no more"), Error);
  EXPECT_EQ(in.receive()->text(), "still there");
  EXPECT_EQ(in.receive().status(), Status::removed);
}

TEST(PrivateConsumer, a_message_may_outlive_its_consumer) {
  LocalQueue queue({.slots = 2});
  Producer out = queue.producer();
  Result<Message> kept = Status::empty;
  {
    Consumer in = queue.consumer();
    out.publish("kept");
    kept = in.receive();
  }
  EXPECT_EQ(out.try_publish("a"), Status::ok);
  EXPECT_EQ(out.try_publish("b"), Status::full);
  EXPECT_EQ(kept->text(), "kept");
  kept = Status::empty;
  EXPECT_EQ(out.try_publish("b"), Status::ok) << "the consumer is detached now";
}

TEST(Callback, a_fill_callback_writes_into_the_slot_and_is_voided_if_it_throws) {
  for (const std::uint32_t producers : {1U, 2U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    out.publish(3, [](std::span<std::byte> place) {
      for (std::byte& byte : place) byte = std::byte{'c'};
    });
    EXPECT_THROW(out.publish(3, [](std::span<std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_THROW(out.publish(3000, [](std::span<std::byte>) { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(out.counters().messages, 1U);
    EXPECT_EQ(out.counters().bytes, 3U);
    out.publish_parts({"a", "", "bc"});
    EXPECT_EQ(in.receive()->text(), "ccc");
    EXPECT_EQ(in.receive()->text(), "abc");
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    for (int i = 0; i < 10; ++i) {
      out.publish(std::to_string(i));
      EXPECT_EQ(in.receive()->text(), std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace beltway::test
