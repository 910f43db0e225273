// The program that instructions_test runs under callgrind: hot operations of one process over plain memory, each in bursts
// that alone are counted; what fills or empties the ring between them is not. After each operation the counts so far are dumped
// under its name, with the number of messages: "publish_8 messages 5120".
#include <string>
#include <vector>

#include "c_calls.hpp"
#include "counting.hpp"
#include "local_queue.hpp"

namespace {

using beltway::Ack;
using beltway::Bytes;
using beltway::Consumer;
using beltway::Message;
using beltway::Producer;
using beltway::QueueOptions;
using beltway::Result;
using namespace beltway::test;

void count_publish(const std::string& name, std::uint32_t producers, std::size_t size, unsigned consumers = 1) {
  LocalQueue queue(options(producers, consumers));
  Producer producer = queue.producer();
  std::vector<Consumer> all;
  for (unsigned i = 0; i < consumers; ++i) all.push_back(queue.consumer());
  const std::vector<std::byte> bytes(size);
  count(
      name, 1, nothing, [&] { must(producer.try_publish(bytes) == beltway::Status::ok); },
      [&] {
        for (Consumer& consumer : all) drain(consumer);
      });
}

void count_publish_batch(const std::string& name, std::size_t size) {
  LocalQueue queue(options(1));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  const std::vector<std::byte> bytes(size);
  const std::vector<Bytes> batch(k_batch, Bytes(bytes));
  count(
      name, k_batch, nothing, [&] { must(producer.try_publish_batch(batch).value_or(0) == k_batch); },
      [&] { drain(consumer); });
}

void count_loan(const std::string& name) {
  LocalQueue queue(options(1));
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer();
  count(
      name, 1, nothing,
      [&] {
        beltway::Result<beltway::Loan> lent = producer.try_loan(1024);
        must(lent->try_commit() == beltway::Status::ok);
      },
      [&] { drain(consumer); });
}

void count_receive(const std::string& name, bool group, std::uint32_t lease_timeout_ms = 0) {
  LocalQueue queue(options(1, 1, group));
  if (group) queue.set_lease_timeout(k_group, lease_timeout_ms);
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer({.group = group ? k_group : ""});
  count(
      name, 1, [&] { fill(producer); },
      [&] {
        Result<Message> received = consumer.try_receive();
        must(static_cast<bool>(received));
        received->ack();
      },
      nothing);
}

void count_receive_batch(const std::string& name, bool group, std::uint32_t lease_timeout_ms = 0) {
  LocalQueue queue(options(1, 1, group));
  if (group) queue.set_lease_timeout(k_group, lease_timeout_ms);
  Producer producer = queue.producer();
  Consumer consumer = queue.consumer({.group = group ? k_group : ""});
  std::vector<Message> batch(k_batch);
  count(
      name, k_batch, [&] { fill(producer); },
      [&] {
        must(consumer.try_receive_batch(batch).value_or(0) == k_batch);
        if (group) {
          ack_batch(batch);
        } else {
          for (Message& message : batch) message.ack();
        }
      },
      nothing);
}

}  // namespace

int main() {
  count_publish("publish_8", 1, 8);
  count_publish("publish_64", 1, 64);
  count_publish("publish_mp_8", 4, 8);
  count_publish("publish_mp_64", 4, 64);
  count_publish("publish_to_4", 1, 8, 4);
  count_publish("publish_to_16", 1, 8, 16);
  count_publish_batch("publish_batch_8", 8);
  count_publish_batch("publish_batch_64", 64);
  count_loan("loan_commit");
  count_receive("receive", false);
  count_receive_batch("receive_batch", false);
  count_receive("lease_ack", true);
  count_receive_batch("lease_ack_batch", true);
  count_receive("timed_lease_ack", true, 600'000);
  count_receive_batch("timed_lease_ack_batch", true, 600'000);
  beltway::test::count_c_calls();
  return 0;
}
