// A peer rewrites a message's properties while a consumer reads them: each text stays inside of the message, whatever it says.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/local_queue.hpp"

namespace beltway {
namespace {

using test::LocalQueue;
using namespace beltway::ring;

constexpr MessageHeader k_headers[] = {{"one", "1"}, {"two", "22"}, {"three", "333"}};
constexpr Properties k_some{.key = "a key", .trace_id = "a trace", .headers = k_headers};

TEST(HostileProperties, a_peer_that_rewrites_a_block_moves_no_text_out_of_the_message) {
  for (const std::uint32_t slot_bytes : {64U, 512U}) {
    LocalQueue queue({.slots = 4, .slot_bytes = slot_bytes, .lane_bytes = 4096});
    Producer out = queue.producer();
    Consumer in = queue.consumer();
    out.publish(std::string(64, 'p'), k_some);
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    const auto* const payload = reinterpret_cast<const char*>(message->bytes().data());
    auto* const block = slot_bytes == 64 ? queue.memory().lane(0) : queue.memory().slot(0).payload();
    const std::size_t bytes = static_cast<std::size_t>(message->bytes().data() - block);
    ASSERT_GT(bytes, 0U);
    std::atomic<bool> stop = false;
    std::thread peer([&] {
      std::mt19937_64 random(7);
      while (!stop) {
        reinterpret_cast<Word*>(block + random() % (bytes / 8) * 8)->store_relaxed(random());
      }
    });
    const auto check = [&](std::string_view text) {
      if (text.empty()) return;
      ASSERT_GE(text.data(), reinterpret_cast<const char*>(block));
      ASSERT_LE(text.data() + text.size(), payload);
    };
    std::uint64_t damaged = 0;
    // The peer gets no processor at first on a machine with much work.
    for (int i = 0; i < 200'000 || damaged == 0; ++i) {
      const PropertiesView properties = message->properties();
      check(properties.key());
      check(properties.correlation_id());
      check(properties.reply_to());
      check(properties.content_type());
      check(properties.trace_id());
      for (const MessageHeader& header : properties.headers()) check(header.name), check(header.value);
      damaged += properties.is_damaged() ? 1 : 0;
    }
    stop = true;
    peer.join();
    EXPECT_EQ(message->text(), std::string(64, 'p'));
  }
}

}  // namespace
}  // namespace beltway
