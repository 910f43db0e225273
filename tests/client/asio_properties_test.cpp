// async_publish() and async_loan() with properties.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <span>
#include <string>
#include <string_view>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using boost::system::error_code;

struct AsioProperties : testing::Test {
  LocalQueue queue{{.slots = 16, .lane_bytes = 8192, .groups = {"g"}}};
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  boost::asio::io_context io;
  AsyncProducer producer{io, out};
};

TEST_F(AsioProperties, publishing_with_properties_waits_while_the_queue_is_full) {
  const std::string key = "order-7";
  const MessageHeader headers[] = {{"tenant", key}};
  const Properties properties{.key = key, .headers = headers};
  for (int i = 0; i < 16; ++i) out.publish("x", properties);
  int published = 0;
  const auto count = [&](error_code error) {
    EXPECT_FALSE(error) << error.message();
    ++published;
  };
  Properties named = properties;
  producer.async_publish("named", named, count);
  producer.async_publish("braces", {.key = key}, count);
  producer.async_publish("deferred", named)(count);
  io.poll();
  EXPECT_EQ(published, 0);
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(in.try_receive()->ack());
  io.run();
  EXPECT_EQ(published, 3);
  for (const char* const text : {"named", "braces", "deferred"}) {
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), text);
    EXPECT_EQ(message->properties().key(), key);
    EXPECT_EQ(message->properties().header("tenant").has_value(), std::string_view(text) != "braces");
    EXPECT_TRUE(message->ack());
  }
}

TEST_F(AsioProperties, properties_that_are_too_large_are_an_error_of_their_operation) {
  const std::string key(k_max_property_bytes + 1, 'k');
  error_code published;
  error_code lent;
  producer.async_publish("x", {.key = key}, [&](error_code error) { published = error; });
  producer.async_loan(8, {.key = key}, [&](error_code error, const Loan& /*loan*/) { lent = error; });
  io.run();
  EXPECT_EQ(published, Status::too_large);
  EXPECT_EQ(lent, Status::too_large);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST_F(AsioProperties, a_loan_takes_properties) {
  producer.async_loan(5, {.key = "k"}, [](error_code error, Loan loan) {
    ASSERT_FALSE(error) << error.message();
    std::ranges::copy(std::as_bytes(std::span("hello", 5)), loan.bytes().begin());
    loan.commit();
  });
  io.run();
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "hello");
  EXPECT_EQ(message->properties().key(), "k");
  EXPECT_TRUE(message->ack());
}

}  // namespace
}  // namespace beltway::test
