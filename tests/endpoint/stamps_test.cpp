// Stamps: each way to publish stamps a message, each kind of consumer learns its age, and messages expire by their ttl.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "client/inspect.hpp"
#include "local_queue.hpp"
#include "ring/stamps.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

QueueOptions options(Stamps stamps, std::uint32_t producers = 1) {
  return {.slots = 16, .lane_bytes = 65536, .max_producers = producers, .groups = {"g"}, .stamps = stamps};
}

void publish_in_all_forms(Producer& out) {
  const std::string large(500, 'l');
  const Properties key{.key = "k"};
  out.publish("small");
  out.publish(large);
  out.publish("property", key);
  out.publish(large, key);
  const std::string_view text = "callback";
  out.publish(text.size(), [&](std::span<std::byte> place) { std::memcpy(place.data(), text.data(), text.size()); });
  const std::array<Bytes, 2> parts{Bytes("par"), Bytes("ts")};
  out.publish_parts(parts);
  out.publish_batch(parts);
  Loan small = out.loan(8);
  small.commit();
  Loan loan = out.loan(500);
  loan.commit();
  Loan with_key = out.loan(500, key);
  with_key.commit();
}
constexpr int k_forms = 11;

TEST(Stamps, every_way_to_publish_stamps_the_message_for_every_kind_of_consumer) {
  for (const Stamps stamps : {Stamps::coarse, Stamps::fine}) {
    for (const std::uint32_t producers : {1U, 4U}) {
      LocalQueue queue(options(stamps, producers));
      Producer out = queue.producer();
      std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic}),
                           queue.consumer({.lossy = true})};
      for (int lap = 0; lap < 3; ++lap) {
        publish_in_all_forms(out);
        std::this_thread::sleep_for(10ms);
        for (Consumer& in : consumers) {
          for (int i = 0; i < k_forms; ++i) {
            const Result<Message> message = in.try_receive();
            ASSERT_TRUE(message) << i;
            ASSERT_TRUE(message->age()) << i << " " << message->text().substr(0, 10);
            EXPECT_GE(*message->age(), 10ms - (stamps == Stamps::coarse ? 0ms : 1ms));
            EXPECT_LT(*message->age(), 10s);
          }
          EXPECT_EQ(in.try_receive().status(), Status::empty);
        }
      }
    }
  }
}

TEST(Stamps, messages_of_a_queue_without_stamps_have_no_age) {
  LocalQueue queue(options(Stamps::off));
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic}),
                       queue.consumer({.lossy = true})};
  publish_in_all_forms(out);
  for (Consumer& in : consumers) {
    const Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->age(), std::nullopt);
    EXPECT_EQ(message->published_at(), std::nullopt);
  }
  EXPECT_EQ(Message().age(), std::nullopt);
}

TEST(Stamps, a_message_says_when_it_was_published_by_the_clock_of_the_day) {
  LocalQueue queue(options(Stamps::fine));
  const auto offset =
      std::chrono::system_clock::now().time_since_epoch() - std::chrono::steady_clock::now().time_since_epoch();
  queue.memory().shared_status().clock_offset_us.store_relaxed(static_cast<std::uint64_t>(offset / 1us));
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const auto before = std::chrono::system_clock::now();
  out.publish("x");
  const auto after = std::chrono::system_clock::now();
  const Result<Message> message = in.try_receive();
  ASSERT_TRUE(message && message->published_at());
  EXPECT_GE(*message->published_at(), before - 5ms);
  EXPECT_LE(*message->published_at(), after + 5ms);
}

TEST(Stamps, producers_and_consumers_follow_when_stamps_are_turned_on_and_off) {
  LocalQueue queue(options(Stamps::off));
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic}),
                       queue.consumer({.lossy = true})};
  for (int lap = 0; lap < 4; ++lap) {
    const bool on = lap % 2 == 1;
    queue.set_stamps(on ? Stamps::coarse : Stamps::off);
    for (int i = 0; i < 5; ++i) out.publish("x");
    for (Consumer& in : consumers) {
      for (int i = 0; i < 5; ++i) {
        const Result<Message> message = in.try_receive();
        ASSERT_TRUE(message);
        EXPECT_EQ(message->age().has_value(), on) << lap << " " << i;
      }
      EXPECT_EQ(in.try_receive().status(), Status::empty);
    }
  }
}

TEST(Stamps, a_stamp_of_an_older_lap_is_not_that_of_the_message) {
  LocalQueue queue({.slots = 16, .max_producers = 1, .stamps = Stamps::coarse});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (unsigned i = 0; i < 16; ++i) {
    out.publish("x");
    ASSERT_TRUE(in.try_receive()->age());
  }
  queue.set_stamps(Stamps::off);
  for (unsigned i = 0; i < 16; ++i) {
    out.publish("x");
    EXPECT_EQ(in.try_receive()->age(), std::nullopt);
  }
}

TEST(Stamps, ages_at_delivery_are_counted_and_the_oldest_age_is_known) {
  LocalQueue queue(options(Stamps::fine));
  Producer out = queue.producer();
  Consumer all = queue.consumer();
  Consumer worker = queue.consumer({.group = "g", .ack = Ack::automatic});
  out.publish("a");
  out.publish("b");
  std::this_thread::sleep_for(20ms);
  const Result<Message> held = worker.try_receive();
  ASSERT_TRUE(held && all.try_receive());
  std::uint64_t sum[2] = {};
  for (unsigned consumer = 0; consumer < 2; ++consumer) {
    const AgeHistogram& histogram = queue.memory().age_histogram(consumer);
    for (std::size_t i = age_bucket(19'000); i < k_age_buckets; ++i)
      sum[consumer] += histogram.buckets[i].load_relaxed();
    EXPECT_EQ(sum[consumer], 1U);
  }
}

// -- ttl ---------------------------------------------------------------------------------------------------------

/// What a consumer receives until there is nothing.
std::string rest(Consumer& in) {
  std::string all;
  for (;;) {
    Result<Message> message = in.try_receive();
    if (!message) {
      EXPECT_EQ(message.status(), Status::empty);
      return all;
    }
    all += message->text();
    message->ack();
  }
}

TEST(Expiry, messages_older_than_the_ttl_are_passed_over_and_counted_by_every_kind_of_consumer) {
  for (const std::uint32_t producers : {1U, 4U}) {
    QueueOptions made = options(Stamps::off, producers);
    made.ttl = 30ms;
    LocalQueue queue(made);
    Producer out = queue.producer();
    std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic}),
                         queue.consumer({.lossy = true})};
    for (unsigned lap = 0; lap < 3; ++lap) {
      for (const char* text : {"a", "b", "c"}) out.publish(text);
      std::this_thread::sleep_for(60ms);
      for (const char* text : {"d", "e"}) out.publish(text);
      for (Consumer& in : consumers) {
        EXPECT_EQ(rest(in), "de");
        EXPECT_EQ(in.counters().expired, 3U * (lap + 1));
        EXPECT_EQ(in.counters().messages, 2U * (lap + 1)) << "expired ones are not received";
      }
    }
  }
}

TEST(Expiry, a_whole_ring_of_expired_messages_is_no_end_and_makes_room) {
  QueueOptions made = options(Stamps::off);
  made.ttl = 10ms;
  LocalQueue queue(made);
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic})};
  for (int i = 0; i < 16; ++i) out.publish("old");
  EXPECT_EQ(out.try_publish("x"), Status::full);
  std::this_thread::sleep_for(30ms);
  for (Consumer& in : consumers) EXPECT_EQ(rest(in), "");
  EXPECT_EQ(out.try_publish("x"), Status::ok);
  for (Consumer& in : consumers) EXPECT_EQ(rest(in), "x");
}

TEST(Expiry, a_group_has_a_ttl_of_its_own) {
  QueueOptions made = options(Stamps::coarse);
  LocalQueue queue(made);
  queue.set_ttl("g", 20ms);
  Producer out = queue.producer();
  Consumer all = queue.consumer();
  Consumer worker = queue.consumer({.group = "g", .ack = Ack::automatic});
  out.publish("a");
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(rest(worker), "");
  EXPECT_EQ(rest(all), "a");
  EXPECT_EQ(worker.counters().expired, 1U);
  queue.set_ttl("g", 0ms);
  out.publish("b");
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(rest(worker), "b");
}

TEST(Expiry, a_message_that_waits_for_its_retry_expires) {
  QueueOptions made = options(Stamps::off);
  made.ttl = 30ms;
  LocalQueue queue(made);
  Producer out = queue.producer();
  Consumer worker = queue.consumer({.group = "g", .ack = Ack::automatic});
  out.publish("a");
  {
    Result<Message> message = worker.try_receive();
    ASSERT_TRUE(message);
    message->nack(60ms);
  }
  EXPECT_EQ(worker.receive(150ms).status(), Status::timeout);
  EXPECT_EQ(worker.counters().expired, 1U);
}

TEST(Expiry, a_delivered_message_stays_delivered) {
  QueueOptions made = options(Stamps::off);
  made.ttl = 10ms;
  LocalQueue queue(made);
  Producer out = queue.producer();
  Consumer worker = queue.consumer({.group = "g", .ack = Ack::automatic});
  out.publish("a");
  Result<Message> message = worker.try_receive();
  ASSERT_TRUE(message);
  std::this_thread::sleep_for(30ms);
  EXPECT_TRUE(message->ack());
  EXPECT_EQ(worker.counters().expired, 0U);
}

TEST(Expiry, a_message_may_have_a_ttl_of_its_own_without_stamps) {
  const std::string large(500, 'l');
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue(options(Stamps::off, producers));
    Producer out = queue.producer();
    std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic}),
                         queue.consumer({.lossy = true})};
    for (unsigned lap = 0; lap < 3; ++lap) {
      out.publish("a", {.ttl = 20ms});
      out.publish(large, {.key = "k", .publish_time = Properties::now, .ttl = 20ms});
      Loan loan = out.loan(500, {.ttl = 20ms});
      std::memset(loan.bytes().data(), 'l', 500);
      loan.commit();
      out.publish("b", {.ttl = 1h});
      out.publish("past", {.ttl = -1s});
      (void)out.publish("c", PublishOptions{.properties = {.ttl = 1h}});
      out.publish("d");
      std::this_thread::sleep_for(40ms);
      for (Consumer& in : consumers) {
        EXPECT_EQ(rest(in), "bcd");
        EXPECT_EQ(in.counters().expired, 4U * (lap + 1));
        EXPECT_EQ(in.counters().corrupt, 0U);
      }
    }
  }
}

TEST(Expiry, a_batch_leaves_expired_messages_out) {
  LocalQueue queue(options(Stamps::off));
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g", .ack = Ack::automatic}),
                       queue.consumer({.lossy = true})};
  for (int i = 0; i < 5; ++i) {
    out.publish("x", {.ttl = -1us});
    out.publish("y");
  }
  for (Consumer& in : consumers) {
    std::array<Message, 16> got;
    std::size_t count = 0;
    while (count < 5) {
      const Result<std::size_t> more = in.try_receive_batch(std::span(got).subspan(count));
      ASSERT_TRUE(more);
      count += *more;
    }
    ASSERT_EQ(count, 5U);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(got[i].text(), "y");
    ack_batch(got);
    EXPECT_EQ(in.counters().expired, 5U);
  }
}

TEST(Expiry, more_expired_messages_than_a_consumer_puts_aside_at_once_are_passed_over) {
  QueueOptions made = options(Stamps::off);
  made.slots = 256;
  LocalQueue queue(made);
  Producer out = queue.producer();
  Consumer worker = queue.consumer({.group = "g", .ack = Ack::automatic});
  for (int lap = 0; lap < 3; ++lap) {
    for (int i = 0; i < 200; ++i) out.publish("x", {.ttl = -1us});
    out.publish("y");
    EXPECT_EQ(rest(worker), "y");
  }
  EXPECT_EQ(worker.counters().expired, 600U);
}

TEST(Expiry, the_properties_of_a_message_tell_when_it_expires) {
  LocalQueue queue(options(Stamps::off));
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const auto before = std::chrono::steady_clock::now();
  out.publish("x", {.key = "k", .ttl = 10s});
  const auto after = std::chrono::steady_clock::now();
  const Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  const PropertiesView properties = message->properties();
  ASSERT_TRUE(properties.expires_at());
  EXPECT_GE(*properties.expires_at(), before + 10s - 1us);
  EXPECT_LE(*properties.expires_at(), after + 10s);
  EXPECT_EQ(properties.key(), "k");
  EXPECT_EQ(Properties(properties).ttl, 0us) << "a message that is published again lives on";
}

}  // namespace
}  // namespace beltway::test
