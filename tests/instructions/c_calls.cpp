#include "c_calls.hpp"

#include <string>
#include <utility>
#include <vector>

#include "c/handles.hpp"
#include "counting.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

// The C API beside C++ calls that are not inlined: what a C program pays for the boundary.

[[gnu::noipa]] Status call_try_publish(Producer& producer, const void* data, std::size_t size) {
  return producer.try_publish(Bytes(data, size));
}
[[gnu::noipa]] bool call_try_receive(Consumer& consumer, Message& message) {
  Result<Message> received = consumer.try_receive();
  if (!received) return false;
  message = std::move(*received);
  return true;
}
[[gnu::noipa]] bool call_ack(Message& message) { return message.ack(); }

void count_called_publish(std::size_t size) {
  LocalQueue queue(options(1));
  beltway_producer producer{queue.producer()};
  Consumer consumer = queue.consumer();
  const std::vector<std::byte> bytes(size);
  const std::string end = '_' + std::to_string(size);
  const auto drained = [&] { drain(consumer); };
  count(
      "call_publish" + end, 1, nothing,
      [&] { must(call_try_publish(producer.producer, bytes.data(), bytes.size()) == Status::ok); }, drained);
  count(
      "c_try_publish" + end, 1, nothing,
      [&] { must(beltway_try_publish(&producer, bytes.data(), bytes.size()) == BELTWAY_OK); }, drained);
  count(
      "c_publish" + end, 1, nothing,
      [&] { must(beltway_publish(&producer, bytes.data(), bytes.size()) == BELTWAY_OK); }, drained);
  const std::vector<beltway_bytes> batch(k_batch, {bytes.data(), bytes.size()});
  count(
      "c_publish_batch" + end, k_batch, nothing,
      [&] {
        std::size_t published = 0;
        must(beltway_try_publish_batch(&producer, batch.data(), k_batch, &published) == BELTWAY_OK);
        must(published == k_batch);
      },
      drained);
}

void count_called_receive(bool group) {
  LocalQueue queue(options(1, 1, group));
  Producer producer = queue.producer();
  beltway_consumer consumer{queue.consumer({.group = group ? k_group : ""})};
  const std::string end = group ? "lease_ack" : "receive";
  const auto filled = [&] { fill(producer); };
  Message message;
  count(
      "call_" + end, 1, filled,
      [&] {
        must(call_try_receive(consumer.consumer, message));
        must(call_ack(message));
      },
      nothing);
  beltway_message c_message = BELTWAY_MESSAGE_INIT;
  count(
      "c_" + end, 1, filled,
      [&] {
        must(beltway_try_receive(&consumer, &c_message) == BELTWAY_OK);
        must(beltway_ack(&c_message) == 1);
      },
      nothing);
  std::vector<beltway_message> batch(k_batch, BELTWAY_MESSAGE_INIT);
  count(
      "c_" + end + "_batch", k_batch, filled,
      [&] {
        std::size_t received = 0;
        must(beltway_try_receive_batch(&consumer, batch.data(), k_batch, &received) == BELTWAY_OK);
        must(received == k_batch && beltway_ack_batch(batch.data(), k_batch) == k_batch);
      },
      nothing);
}

}  // namespace

void count_c_calls() {
  count_called_publish(8);
  count_called_publish(64);
  count_called_receive(false);
  count_called_receive(true);
}

}  // namespace beltway::test
