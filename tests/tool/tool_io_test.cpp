// The tool's reading of messages, its writing, and its pace.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_dir.hpp"
#include "tool/commands/pacer.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/input.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {
namespace {

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::vector<std::string> messages_of(const std::string& content, MessageReader::Options options,
                                     std::size_t most = 256) {
  const test::TempDir dir;
  const InputFile file(dir.write("input", content).string());
  MessageReader reader(file, options, {});
  std::vector<std::string> messages;
  for (auto some = reader.next(most); !some.empty(); some = reader.next(most)) {
    EXPECT_LE(some.size(), most);
    for (const Bytes& each : some) messages.push_back(text_of(each));
  }
  return messages;
}

using Texts = std::vector<std::string>;

TEST(ToolInput, a_line_is_a_message) {
  EXPECT_EQ(messages_of("one\ntwo\n", {.max_bytes = 100}), (Texts{"one", "two"}));
  EXPECT_EQ(messages_of("one\ntwo", {.max_bytes = 100}), (Texts{"one", "two"}));
  EXPECT_EQ(messages_of("\n\n", {.max_bytes = 100}), (Texts{"", ""}));
  EXPECT_EQ(messages_of("", {.max_bytes = 100}), Texts{});
}

TEST(ToolInput, the_input_hands_out_no_more_than_asked_for) {
  EXPECT_EQ(messages_of("a\nb\nc\nd\ne\n", {.max_bytes = 100}, 2), (Texts{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(messages_of("abcde", {.piece_bytes = 1, .max_bytes = 100}, 2), (Texts{"a", "b", "c", "d", "e"}));
}

TEST(ToolInput, lines_of_every_length_survive_the_buffer) {
  std::string content;
  Texts expected;
  for (std::size_t size = 0; size < 3000; ++size) {
    expected.push_back(std::string(size, static_cast<char>('a' + size % 26)));
    content += expected.back() + '\n';
  }
  expected.push_back(std::string(600'000, 'x'));  // longer than the buffer at first
  content += expected.back();
  EXPECT_EQ(messages_of(content, {.max_bytes = 1'000'000}), expected);
}

TEST(ToolInput, a_line_that_cannot_fit_is_refused_by_number) {
  try {
    static_cast<void>(messages_of("short\n" + std::string(101, 'x') + "\n", {.max_bytes = 100}, 1));
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::failed);
    EXPECT_TRUE(std::string(failure.what()).starts_with("line 2: more than the 100 bytes")) << failure.what();
  }
}

TEST(ToolInput, an_endless_line_is_refused_without_reading_it_all) {
  const InputFile zeros("/dev/zero");
  MessageReader reader(zeros, {.max_bytes = 1000}, {});
  EXPECT_THROW(static_cast<void>(reader.next(1)), Failure);
}

TEST(ToolInput, pieces_have_one_size_but_the_last) {
  EXPECT_EQ(messages_of("aaabbbcc", {.piece_bytes = 3, .max_bytes = 3}), (Texts{"aaa", "bbb", "cc"}));
  EXPECT_EQ(messages_of("aaabbb", {.piece_bytes = 3, .max_bytes = 3}), (Texts{"aaa", "bbb"}));
  EXPECT_EQ(messages_of("", {.piece_bytes = 3, .max_bytes = 3}), Texts{});
  const std::string large(1'000'001, 'y');
  std::string joined;
  for (const std::string& piece : messages_of(large, {.piece_bytes = 999, .max_bytes = 999})) joined += piece;
  EXPECT_EQ(joined, large);
}

TEST(ToolInput, lines_that_have_arrived_do_not_wait_for_more) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const InputFile reading("/proc/self/fd/" + std::to_string(ends[0]));
  MessageReader reader(reading, {.max_bytes = 100}, {});
  ASSERT_EQ(write(ends[1], "one\ntw", 6), 6);
  EXPECT_EQ(text_of(reader.next(10).front()), "one");
  ASSERT_EQ(write(ends[1], "o\n", 2), 2);
  EXPECT_EQ(text_of(reader.next(10).front()), "two");
  close(ends[1]);
  EXPECT_TRUE(reader.next(10).empty());
  close(ends[0]);
}

TEST(ToolInput, a_missing_file_is_named) {
  try {
    const InputFile file("/nowhere/at/all");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "open /nowhere/at/all: No such file or directory");
  }
}

class ToolOutput : public testing::Test {
 protected:
  ToolOutput() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
  }
  ~ToolOutput() override {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  std::array<int, 2> ends_{};
};

TEST_F(ToolOutput, the_output_keeps_the_order_of_buffered_and_unbuffered_bytes) {
  std::string written;
  std::thread reader([&] {
    std::array<char, 4096> some{};
    for (ssize_t got = 0; (got = read(ends_[0], some.data(), some.size())) > 0;)
      written.append(some.data(), static_cast<std::size_t>(got));
  });
  std::string expected;
  {
    Output output(ends_[1]);
    for (int i = 0; i < 2000; ++i) {
      const std::string text(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
      if (i % 3 == 0) {
        output.write_through(std::as_bytes(std::span(text)), "\n");
        EXPECT_EQ(output.pending(), 0U);
      } else {
        output.append(text);
        output.append('\n');
      }
      expected += text + '\n';
    }
    output.flush();
  }
  close_end(1);
  reader.join();
  EXPECT_EQ(written, expected);
}

TEST_F(ToolOutput, a_reader_that_has_gone_ends_the_output_quietly) {
  close_end(0);
  Output output(ends_[1]);
  output.append("text");
  try {
    output.flush();
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::broken_pipe);
    EXPECT_STREQ(failure.what(), "");
  }
}

TEST_F(ToolOutput, an_error_is_told) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  Output output(full);
  output.append("text");
  try {
    output.flush();
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::failed);
    EXPECT_STREQ(failure.what(), "write to standard output: No space left on device");
  }
  close(full);
}

TEST_F(ToolOutput, a_stop_ends_a_write_to_a_reader_that_does_not_read) {
  Interrupt interrupt;
  Output output(ends_[1], "standard output", interrupt.token());
  const std::string more_than_a_pipe_holds(4U << 20, 'x');
  std::thread killer([] { kill(getpid(), SIGINT); });
  EXPECT_THROW(output.write_through(std::as_bytes(std::span(more_than_a_pipe_holds))), Stopped);
  killer.join();
  EXPECT_EQ(interrupt.signal(), SIGINT);
  EXPECT_EQ(interrupt.exit_code(), ExitCode{130});
}

TEST_F(ToolOutput, a_stop_ends_a_read_of_a_writer_that_does_not_write) {
  Interrupt interrupt;
  const InputFile reading("/proc/self/fd/" + std::to_string(ends_[0]));
  MessageReader reader(reading, {.max_bytes = 100}, interrupt.token());
  std::thread killer([] { kill(getpid(), SIGTERM); });
  EXPECT_TRUE(reader.next(1).empty());
  killer.join();
  EXPECT_EQ(interrupt.exit_code(), ExitCode{143});
}

TEST(ToolPacer, a_pacer_lets_the_due_messages_through_and_no_more) {
  Pacer pacer(1e9);
  std::size_t sent = 0;
  while (sent < 1000) {
    const std::size_t due = pacer.wait(1000 - sent, {});
    ASSERT_GE(due, 1U);
    ASSERT_LE(due, 1000 - sent);
    sent += due;
  }
  // The first one is due at once, the second in 11 days.
  Pacer slow(1e-6);
  EXPECT_EQ(slow.wait(100, {}), 1U);
}

TEST(ToolPacer, a_stop_ends_its_sleep) {
  Interrupt interrupt;
  Pacer pacer(1e-6);
  ASSERT_EQ(pacer.wait(1, interrupt.token()), 1U);
  std::thread killer([] { kill(getpid(), SIGINT); });
  EXPECT_EQ(pacer.wait(1, interrupt.token()), 0U);
  killer.join();
}

}  // namespace
}  // namespace beltway::tool
