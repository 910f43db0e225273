// The loops of `pub` and `sub` over a queue in plain memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "support/local_queue.hpp"
#include "support/temp_dir.hpp"
#include "tool/commands/publishing.hpp"
#include "tool/commands/subscribing.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/process/interrupt.hpp"

namespace beltway::tool {
namespace {

using namespace std::chrono_literals;
using test::LocalQueue;
using test::TempDir;

using Texts = std::vector<std::string>;

/// Everything that is there now.
Texts drain(Consumer& consumer) {
  Texts texts;
  while (Result<Message> received = consumer.try_receive()) {
    texts.emplace_back(received->text());
    received->ack();
  }
  return texts;
}

class ToolPublishing : public testing::Test {
 protected:
  LocalQueue queue_{{.slots = 1024, .slot_bytes = 64, .lane_bytes = 1U << 20}};
  Consumer consumer_ = queue_.consumer();
  Producer producer_ = queue_.producer();
  TempDir dir_;
};

TEST_F(ToolPublishing, arguments_are_published_once_each) {
  Publishing publishing(producer_, {}, {});
  publishing.arguments({"one", "", "three"});
  EXPECT_EQ(drain(consumer_), (Texts{"one", "", "three"}));
  EXPECT_EQ(publishing.messages(), 3U);
  EXPECT_EQ(publishing.bytes(), 8U);
}

TEST_F(ToolPublishing, a_numbered_input_that_is_published_again_is_skipped_as_far_as_it_is_there) {
  endpoint::Attachment attachment = queue_.attach_producer();
  attachment.sequence_record = 0;
  Producer named = endpoint::make_producer(std::move(attachment), {});
  Publishing first(named, {.count = {}, .rate = {}, .timeout = {}, .numbered = true}, {});
  first.arguments({"one", "two"});
  Publishing again(named, {.count = {}, .rate = {}, .timeout = {}, .numbered = true}, {});
  again.arguments({"one", "two", "three"});
  EXPECT_EQ(drain(consumer_), (Texts{"one", "two", "three"}));
  EXPECT_EQ(again.messages(), 1U);
  EXPECT_EQ(again.skipped(), 2U);
}

TEST_F(ToolPublishing, a_count_repeats_or_cuts_arguments) {
  for (const std::uint64_t count : {0U, 1U, 2U, 3U, 4U, 255U, 257U, 1000U}) {
    Publishing publishing(producer_, {.count = count, .rate = {}, .timeout = {}}, {});
    publishing.arguments({"a", "b", "c"});
    const Texts texts = drain(consumer_);
    ASSERT_EQ(texts.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(texts[i], std::string(1, static_cast<char>('a' + i % 3)));
  }
}

TEST_F(ToolPublishing, a_count_cuts_lines_and_pieces) {
  const InputFile lines(dir_.write("lines", "a\nb\nc\nd\n").string());
  Publishing(producer_, {.count = 3, .rate = {}, .timeout = {}}, {}).lines(lines);
  EXPECT_EQ(drain(consumer_), (Texts{"a", "b", "c"}));
  const InputFile pieces(dir_.write("pieces", "aabbccdd").string());
  Publishing(producer_, {.count = 3, .rate = {}, .timeout = {}}, {}).pieces(pieces, 2);
  EXPECT_EQ(drain(consumer_), (Texts{"aa", "bb", "cc"}));
}

TEST_F(ToolPublishing, pieces_of_every_size_add_up_to_the_file) {
  std::string content;
  for (int i = 0; i < 30'000; ++i) content += std::to_string(i);
  // In slots; in the lane, buffered; by loans; the whole file and more in one loan.
  for (const std::size_t size : {300U, 4095U, 4096U, 10'000U, 524'288U}) {
    const InputFile file(dir_.write("file", content).string());
    Publishing publishing(producer_, {.count = {}, .rate = {}, .timeout = {}, .digest = true}, {});
    publishing.pieces(file, size);
    std::string joined;
    Digest digest;
    for (const std::string& text : drain(consumer_)) {
      EXPECT_LE(text.size(), size);
      digest.add(std::as_bytes(std::span(text)));
      joined += text;
    }
    EXPECT_EQ(joined, content) << size;
    EXPECT_EQ(publishing.digest(), digest) << size;
    EXPECT_EQ(publishing.messages(), (content.size() + size - 1) / size);
  }
}

TEST_F(ToolPublishing, a_piece_that_cannot_fit_is_refused_before_anything_is_published) {
  const InputFile file(dir_.write("file", "x").string());
  Publishing publishing(producer_, {}, {});
  EXPECT_THROW(publishing.pieces(file, 2U << 20), Failure);
  EXPECT_TRUE(drain(consumer_).empty());
}

TEST_F(ToolPublishing, a_full_queue_ends_pub_when_the_time_is_over) {
  Publishing publishing(producer_, {.count = 2000, .rate = {}, .timeout = 1ms}, {});
  try {
    publishing.arguments({"x"});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::timeout);
  }
  EXPECT_EQ(publishing.messages(), 1024U);
  EXPECT_EQ(drain(consumer_).size(), 1024U);
}

TEST_F(ToolPublishing, a_stop_ends_pub_while_the_queue_is_full) {
  Interrupt interrupt;
  Publishing publishing(producer_, {.count = 2000, .rate = {}, .timeout = {}}, interrupt.token());
  std::thread killer([] { kill(getpid(), SIGINT); });
  publishing.arguments({"x"});
  killer.join();
  EXPECT_LE(publishing.messages(), 1024U);
  EXPECT_EQ(drain(consumer_).size(), publishing.messages());
}

TEST_F(ToolPublishing, a_removed_queue_is_told) {
  queue_.remove();
  Publishing publishing(producer_, {}, {});
  try {
    publishing.arguments({"x"});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::gone);
  }
}

class ToolSubscribing : public testing::Test {
 protected:
  /// Receives into a file until the plan or the stream ends it.
  Status subscribe(Consumer& consumer, SubscribePlan plan) {
    const int fd = open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Output output(fd);
    Subscribing subscribing(consumer, plan, output, {});
    const Status status = subscribing.run();
    messages_ = subscribing.messages();
    digest_ = subscribing.digest();
    close(fd);
    return status;
  }
  [[nodiscard]] std::filesystem::path path() const { return dir_.path() / "out"; }
  [[nodiscard]] std::string written() const { return test::read_file(path()); }

  TempDir dir_;
  LocalQueue queue_{{.slots = 64, .slot_bytes = 64, .lane_bytes = 1U << 20, .groups = {"g"}}};
  std::uint64_t messages_ = 0;
  Digest digest_;
};

TEST_F(ToolSubscribing, a_subscriber_writes_a_line_a_message_until_the_stream_ends) {
  Consumer consumer = queue_.consumer();
  {
    Producer producer = queue_.producer();
    producer.publish("one");
    producer.publish("");
    producer.publish(std::string(100'000, 'x'));
    producer.publish("four");
  }
  EXPECT_EQ(subscribe(consumer, {.count = {}, .timeout = 10s, .batch = 16}), Status::end_of_stream);
  EXPECT_EQ(written(), "one\n\n" + std::string(100'000, 'x') + "\nfour\n");
  EXPECT_EQ(messages_, 4U);
}

TEST_F(ToolSubscribing, raw_writes_the_bytes_alone) {
  Consumer consumer = queue_.consumer();
  {
    Producer producer = queue_.producer();
    producer.publish("one");
    producer.publish(std::string(50'000, 'x'));
    producer.publish("two");
  }
  EXPECT_EQ(subscribe(consumer, {.count = {}, .timeout = 10s, .format = MessageFormat::raw, .batch = 2}),
            Status::end_of_stream);
  EXPECT_EQ(written(), "one" + std::string(50'000, 'x') + "two");
}

TEST_F(ToolSubscribing, json_is_an_object_a_line) {
  Consumer consumer = queue_.consumer({.group = "g"});
  Producer producer = queue_.producer();
  producer.publish("hi");
  EXPECT_EQ(subscribe(consumer, {.count = 1, .timeout = 10s, .format = MessageFormat::json}), Status::ok);
  EXPECT_EQ(written(), "{\"position\":0,\"producer\":0,\"tries\":0,\"lost\":0,\"size\":2,\"text\":\"hi\"}\n");
}

TEST_F(ToolSubscribing, a_count_takes_no_more_than_it_says) {
  Consumer consumer = queue_.consumer({.group = "g"});
  Consumer other = queue_.consumer({.group = "g"});
  Producer producer = queue_.producer();
  for (int i = 0; i < 5; ++i) producer.publish(std::to_string(i));
  EXPECT_EQ(subscribe(consumer, {.count = 3, .timeout = 10s, .batch = 16}), Status::ok);
  EXPECT_EQ(written(), "0\n1\n2\n");
  EXPECT_EQ(drain(other), (Texts{"3", "4"}));
}

TEST_F(ToolSubscribing, a_timeout_ends_an_empty_wait) {
  Consumer consumer = queue_.consumer({.group = "g"});
  Producer producer = queue_.producer();
  EXPECT_EQ(subscribe(consumer, {.count = {}, .timeout = 1ms}), Status::timeout);
}

TEST_F(ToolSubscribing, a_consumer_that_follows_goes_on_after_the_last_producer) {
  Consumer consumer = queue_.consumer({.group = "g", .follow = true});
  queue_.producer().publish("one");
  EXPECT_EQ(subscribe(consumer, {.count = {}, .timeout = 1ms}), Status::timeout);
  EXPECT_EQ(written(), "one\n");
  queue_.producer().publish("two");
  EXPECT_EQ(subscribe(consumer, {.count = 1, .timeout = 10s}), Status::ok);
  EXPECT_EQ(written(), "two\n");
}

TEST_F(ToolSubscribing, a_digest_needs_no_output) {
  Consumer consumer = queue_.consumer();
  Digest expected;
  {
    Producer producer = queue_.producer();
    for (const std::string& text : {std::string("one"), std::string(5000, 'y')}) {
      producer.publish(text);
      expected.add(std::as_bytes(std::span(text)));
    }
  }
  EXPECT_EQ(
      subscribe(consumer, {.count = {}, .timeout = 10s, .digest = true, .format = MessageFormat::none, .batch = 16}),
      Status::end_of_stream);
  EXPECT_EQ(written(), "");
  EXPECT_EQ(digest_, expected);
}

TEST_F(ToolSubscribing, a_message_that_could_not_be_written_goes_back_to_the_group) {
  Consumer consumer = queue_.consumer({.group = "g"});
  Consumer other = queue_.consumer({.group = "g"});
  Producer producer = queue_.producer();
  for (int i = 0; i < 5; ++i) producer.publish(std::to_string(i));
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  {
    Output output(full);
    Subscribing subscribing(consumer, {.count = {}, .timeout = 10s, .batch = 16}, output, {});
    EXPECT_THROW(static_cast<void>(subscribing.run()), Failure);
    EXPECT_EQ(subscribing.messages(), 0U);
  }
  close(full);
  EXPECT_EQ(drain(other), (Texts{"0", "1", "2", "3", "4"}));
}

TEST_F(ToolSubscribing, a_stop_gives_back_what_a_stuck_reader_has_not_got) {
  Consumer consumer = queue_.consumer({.group = "g"});
  Consumer other = queue_.consumer({.group = "g"});
  Producer producer = queue_.producer();
  for (int i = 0; i < 8; ++i) producer.publish(std::string(100'000, static_cast<char>('a' + i)));
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  Interrupt interrupt;
  {
    Output output(ends[1], "pipe", interrupt.token());
    Subscribing subscribing(consumer, {.count = {}, .timeout = 10s, .format = MessageFormat::raw, .batch = 16}, output,
                            interrupt.token());
    std::thread killer([] { kill(getpid(), SIGINT); });
    EXPECT_EQ(subscribing.run(), Status::stopped);
    killer.join();
    EXPECT_EQ(subscribing.messages(), 0U) << "a pipe holds less than one message";
  }
  EXPECT_EQ(drain(other).size(), 8U);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ToolSubscribing, a_lossy_consumer_counts_what_it_lost) {
  LocalQueue queue({.slots = 64});  // without the group, which would hold the producer
  Consumer consumer = queue.consumer({.lossy = true});
  {
    Producer producer = queue.producer();
    for (int i = 0; i < 1000; ++i) producer.publish(std::to_string(i));
  }
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  Output output(null);
  Subscribing subscribing(consumer, {.count = {}, .timeout = 10s, .batch = 16}, output, {});
  EXPECT_EQ(subscribing.run(), Status::end_of_stream);
  EXPECT_EQ(subscribing.messages() + subscribing.lost(), 1000U);
  EXPECT_GT(subscribing.lost(), 0U);
  close(null);
}

}  // namespace
}  // namespace beltway::tool
