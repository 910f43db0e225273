// Typed queues through a real daemon: types that are refused, loans, batches, and what a message tells of itself.
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/typed_queues.hpp"

namespace beltway {
namespace {

using test::connect;
using test::error_of;
using test::Price;
using test::TestDaemon;
using test::Weight;

TEST(Typed, queues_refuse_other_types) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const auto prices = link.declare<Price>("prices");
  auto out = prices.producer();
  auto in = prices.consumer({.start = Start::oldest});
  out.publish({.cents = 42});
  const auto received = in.try_receive();
  EXPECT_EQ(error_of([&] { (void)link.open_queue<Weight>("prices"); }).reason(), Errc::wrong_type);
  EXPECT_EQ(error_of([&] { (void)link.declare<Weight>("prices"); }).reason(), Errc::already_exists);
}

struct Named {
  std::uint32_t value = 0;
};

}  // namespace

template <>
struct TypeName<Named> {
  static constexpr std::string_view value = "test.Named";
};

namespace {

TEST(Typed, name_may_stand_outside_of_the_type) {
  EXPECT_EQ(type_tag<Named>(), (TypeTag{"test.Named", 4, 4}));
  static_assert(MessageType<Named> && MessageType<Price> && !MessageType<std::string> && !MessageType<int>);
}

TEST(Typed, message_tells_position_losses_and_deliveries) {
  const TestDaemon daemon;
  const auto prices = connect(daemon).declare<Price>("prices", {.slots = 4, .max_producers = 1});
  auto out = prices.producer();
  auto lossy = prices.consumer({.lossy = true});
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < 10; ++i) last = out.publish({.cents = i});
  auto first = lossy.receive();
  ASSERT_TRUE(first);
  EXPECT_GE(first->lost(), 6U);
  EXPECT_EQ((*first)->cents, first->lost());
  EXPECT_EQ(first->position() + 9 - (*first)->cents, last);
  prices.untyped().add_group("g", Start::oldest);
  auto in = prices.consumer({.group = "g"});
  auto message = in.receive();
  EXPECT_EQ(message->deliveries(), 1U);
  EXPECT_TRUE(message->nack(std::chrono::microseconds(0))) << "without a pause";
  EXPECT_FALSE(*message) << "it is given back";
  message = in.receive();
  EXPECT_EQ(message->deliveries(), 2U);
  EXPECT_TRUE(message->ack());
}

TEST(Typed, loan_is_written_in_place_and_published_by_commit) {
  const TestDaemon daemon;
  const auto prices = connect(daemon).declare<Price>("prices");
  auto out = prices.producer();
  auto in = prices.consumer();
  TypedLoan<Price> loan = out.loan();
  ASSERT_TRUE(loan);
  EXPECT_EQ(loan->cents, 0U) << "members with an initialiser have it";
  loan->cents = 42;
  EXPECT_FALSE(in.try_receive()) << "nobody sees it before commit";
  loan.commit();
  EXPECT_EQ((*in.receive())->cents, 42U);
  const auto small = connect(daemon).declare<Price>("no-lane", {.lane_bytes = 0});
  auto none = small.producer();
  EXPECT_EQ(none.try_loan().status(), Status::too_large);
}

TEST(Typed, batches_of_any_length_arrive_whole_and_in_order) {
  const TestDaemon daemon;
  const auto prices = connect(daemon).declare<Price>("prices", {.slots = 256, .groups = {"g"}});
  auto out = prices.producer();
  auto in = prices.consumer({.group = "g"});
  std::vector<Price> values(150);
  for (std::size_t i = 0; i < values.size(); ++i) values[i].cents = i;
  out.publish_batch(values);
  EXPECT_EQ(*out.try_publish_batch(values), 106U) << "the ring has 256 slots";
  EXPECT_EQ(out.try_publish_batch(values).status(), Status::full);
  std::array<TypedMessage<Price>, 100> messages;
  std::size_t seen = 0;
  while (const std::size_t count = in.try_receive_batch(messages).value_or(0)) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(messages[i]->cents, seen++ % values.size());
    EXPECT_EQ(ack_batch(std::span(messages).first(count)), count);
    EXPECT_FALSE(messages[0]);
  }
  EXPECT_EQ(seen, 256U);
  EXPECT_EQ(*out.publish_batch_until(values, std::chrono::seconds(1)), values.size());
  EXPECT_EQ(*in.receive_batch(messages, std::chrono::seconds(1)), 64U) << "at most 64 at a time";
}

TEST(Typed, error_of_publish_batch_counts_in_the_batch_of_the_caller) {
  const TestDaemon daemon;
  for (const std::uint32_t slots : {128U, 64U, 32U}) {
    const auto prices =
        connect(daemon).declare<Price>("prices-" + std::to_string(slots), {.slots = slots, .groups = {"g"}});
    auto out = prices.producer();
    out.untyped().interrupt();
    const Error error = error_of([&] { out.publish_batch(std::vector<Price>(150)); });
    EXPECT_EQ(error.reason(), Errc::interrupted);
    const std::string count = "the first " + std::to_string(slots) + " of the batch of 150 were published";
    EXPECT_NE(std::string(error.what()).find(count), std::string::npos) << error.what();
  }
}

TEST(Typed, interrupt_in_the_middle_of_a_batch_is_told_by_the_next_call) {
  const TestDaemon daemon;
  for (const std::uint32_t slots : {128U, 64U, 32U}) {
    const auto prices =
        connect(daemon).declare<Price>("prices-" + std::to_string(slots), {.slots = slots, .groups = {"g"}});
    auto out = prices.producer();
    const std::vector<Price> values(150);
    out.untyped().interrupt();
    EXPECT_EQ(*out.publish_batch_until(values, std::chrono::seconds(1)), slots);
    EXPECT_EQ(out.publish_batch_until(values, std::chrono::seconds(1)).status(), Status::interrupted);
    EXPECT_EQ(out.publish_batch_until(values, std::chrono::milliseconds(1)).status(), Status::timeout);
  }
}

TEST(Typed, handler_that_throws_in_consume_gives_the_message_back_whatever_the_option_ack_says) {
  const TestDaemon daemon;
  for (const Ack ack : {Ack::automatic, Ack::explicit_call}) {
    const auto prices =
        connect(daemon).declare<Price>(ack == Ack::automatic ? "automatic" : "explicit", {.groups = {"g"}});
    auto in = prices.consumer({.group = "g", .ack = ack});
    prices.producer().publish({.cents = 42});
    EXPECT_THROW((void)in.consume([](const Price&, TypedMessage<Price>&) { throw std::runtime_error("handler"); }),
                 std::runtime_error);
    const auto again = in.receive(std::chrono::seconds(5));  // after the pause that the group has by default
    ASSERT_TRUE(again) << to_string(again.status());
    EXPECT_EQ((*again)->cents, 42U);
    EXPECT_EQ(again->deliveries(), 2U);
  }
}

TEST(Typed, batch_with_a_message_of_another_size_keeps_the_good_ones) {
  const TestDaemon daemon;
  const auto prices = connect(daemon).declare<Price>("prices");
  auto in = prices.consumer();
  auto out = prices.producer();
  out.publish({.cents = 1});
  out.untyped().publish("wrong");
  out.publish({.cents = 2});
  std::array<TypedMessage<Price>, 8> messages;
  EXPECT_EQ(error_of([&] { (void)in.try_receive_batch(messages); }).reason(), Errc::wrong_type);
  EXPECT_EQ(messages[0]->cents, 1U);
  EXPECT_EQ(messages[1]->cents, 2U);
  EXPECT_FALSE(messages[2]);
}

}  // namespace
}  // namespace beltway
