// `beltway pub` and `beltway sub` end to end: what goes in comes out, ends, pipes, signals and sudden death.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/daemon.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

class ToolStream : public testing::Test {
 protected:
  void SetUp() override { declare("q", {"--group", "g"}); }

  void declare(const std::string& name, std::vector<std::string> options) const {
    options.insert(options.begin(), {"declare", name});
    const Outcome result = daemon_.tool(options);
    ASSERT_TRUE(result.exit.ok()) << result.err;
  }
  /// The command must succeed; its output.
  std::string tool(const std::vector<std::string>& arguments, const std::string& standard_input = "/dev/null") const {
    std::vector<std::string> argv{program("beltway")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Child::Options options = daemon_.client_options();
    options.standard_input = standard_input;
    const Outcome result = run(argv, options);
    EXPECT_TRUE(result.exit.ok()) << testing::PrintToString(arguments) << ' ' << result.exit.code << ' ' << result.err;
    return result.out;
  }
  Child start(const std::vector<std::string>& arguments, const std::string& output,
              const std::string& input = "/dev/null") const {
    std::vector<std::string> argv{program("beltway")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Child::Options options = daemon_.client_options();
    options.standard_input = input;
    options.standard_output = file(output);
    return Child::spawn(argv, options);
  }
  /// In a shell in which $BELTWAY is the tool.
  Outcome shell(const std::string& script) const {
    Child::Options options = daemon_.client_options();
    options.environment.emplace_back("BELTWAY", program("beltway"));
    return run({"/bin/sh", "-c", script}, options);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return daemon_.dir().path() / name; }
  [[nodiscard]] std::string content(const std::string& name) const { return read_file(file(name)); }
  [[nodiscard]] json state(const std::string& queue = "q") const {
    return json::parse(tool({"show", queue, "--format", "json"}))["state"];
  }
  void await_consumers(std::size_t count, const std::string& queue = "q") const {
    ASSERT_TRUE(eventually([&] { return state(queue)["consumers"].size() == count; }));
  }
  static std::string numbers(int count) {
    std::string lines;
    for (int i = 1; i <= count; ++i) lines += std::to_string(i) + '\n';
    return lines;
  }

  TestDaemon daemon_;
};

TEST_F(ToolStream, arguments_come_out_as_lines) {
  tool({"pub", "q", "first", "second", "--", "--third"});
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--end-of-stream", "drained"}), "first\nsecond\n--third\n");
}

TEST_F(ToolStream, words_that_are_commands_are_messages_too) {
  tool({"pub", "q", "list", "show", "pub"});
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--end-of-stream", "drained"}), "list\nshow\npub\n");
}

TEST_F(ToolStream, lines_of_standard_input_come_out_as_they_were) {
  const std::string lines = "one\n\n three \n" + std::string(5000, 'x') + "\n";
  tool({"pub", "q"}, daemon_.dir().write("in", lines));
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--end-of-stream", "drained"}), lines);
}

TEST_F(ToolStream, a_file_in_chunks_comes_out_raw) {
  std::string data;
  for (unsigned i = 0; data.size() < 3'000'000; ++i) data += static_cast<char>(i * i % 251);
  const std::string in = daemon_.dir().write("in", data);
  for (const char* chunk : {"100", "64K", "100000"}) {
    // A new queue each time: the stream of the last one has ended.
    const std::string queue = std::string("files") + chunk;
    declare(queue, {"--group", "g", "--slots", "16", "--lane-bytes", "256K"});
    Child sub = start({"sub", queue, "--group", "g", "--end-of-stream", "drained", "--raw"}, "out");
    await_consumers(1, queue);
    tool({"pub", queue, "--file", in, "--chunk", chunk});
    EXPECT_TRUE(sub.wait().ok());
    EXPECT_TRUE(content("out") == data) << chunk;
  }
}

TEST_F(ToolStream, digests_of_competing_consumers_add_up) {
  const std::string in = daemon_.dir().write("in", numbers(20'000));
  Child one = start({"sub", "q", "--group", "g", "--end-of-stream", "drained", "--digest"}, "one");
  Child two = start({"sub", "q", "--group", "g", "--end-of-stream", "drained", "--digest"}, "two");
  Child all = start({"sub", "q", "--digest"}, "all");
  await_consumers(3);
  const std::string published = tool({"pub", "q", "--digest"}, in);
  EXPECT_TRUE(one.wait().ok() && two.wait().ok() && all.wait().ok());
  EXPECT_TRUE(published.starts_with("messages=20000 bytes=")) << published;
  EXPECT_EQ(content("all"), published);
  EXPECT_EQ(tool({"digest", file("one"), file("two")}), published);
}

TEST_F(ToolStream, summaries_are_json_if_asked_for) {
  const json published = json::parse(tool({"pub", "q", "a", "bc", "--digest", "--format", "json"}));
  EXPECT_EQ(published["queue"], "q");
  EXPECT_EQ(published["messages"], 2);
  EXPECT_EQ(published["bytes"], 3);
  EXPECT_EQ(std::string(published["digest"]).size(), 32U);
  for (const char* key : {"seconds", "messages_per_s", "bytes_per_s"}) EXPECT_TRUE(published[key].is_number()) << key;
  const json received =
      json::parse(tool({"sub", "q", "--group", "g", "--end-of-stream", "drained", "--digest", "--format", "json"}));
  EXPECT_EQ(received["digest"], published["digest"]);
  EXPECT_EQ(received["end"], "end_of_stream");
  EXPECT_EQ(received["lost"], 0);
  EXPECT_EQ(received["redelivered"], 0);
}

TEST_F(ToolStream, messages_are_json_if_asked_for) {
  tool({"pub", "q", "a", "b"});
  std::istringstream lines(tool({"sub", "q", "--group", "g", "--end-of-stream", "drained", "--format", "json"}));
  std::vector<json> messages;
  for (std::string line; std::getline(lines, line);) messages.push_back(json::parse(line));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0]["text"], "a");
  EXPECT_EQ(messages[1]["position"], 1);
}

TEST_F(ToolStream, a_private_consumer_may_start_at_the_oldest) {
  tool({"pub", "q", "a", "b"});
  EXPECT_EQ(tool({"sub", "q", "--from", "oldest", "--count", "2"}), "a\nb\n");
}

TEST_F(ToolStream, a_group_can_be_made_in_passing) {
  tool({"pub", "q", "a"});
  EXPECT_EQ(tool({"sub", "q", "--group", "new", "--create-group", "--from", "oldest", "--count", "1"}), "a\n");
}

TEST_F(ToolStream, the_timeout_says_whether_enough_came) {
  const auto code = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"sub", "q", "--group", "g", "--timeout", "50ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return daemon_.tool(arguments).exit.code;
  };
  EXPECT_EQ(code({}), 3) << "nothing came";
  tool({"pub", "q", "a", "b", "c"});
  EXPECT_EQ(code({"--count", "2"}), 0);
  EXPECT_EQ(code({"--count", "2"}), 3) << "only one was left";
  tool({"pub", "q", "a"});
  EXPECT_EQ(code({}), 0) << "something came";
}

TEST_F(ToolStream, pub_gives_up_when_the_queue_stays_full) {
  declare("small", {"--slots", "4", "--group", "g"});
  const Outcome result = daemon_.tool({"pub", "small", "x", "--count", "10", "--timeout", "20ms", "--digest"});
  EXPECT_EQ(result.exit.code, 3);
  EXPECT_NE(result.err.find("4 messages are published"), std::string::npos) << result.err;
  EXPECT_TRUE(result.out.starts_with("messages=4 ")) << result.out;
}

TEST_F(ToolStream, subscribe_with_follow_goes_on_with_the_next_publisher) {
  Child sub = start({"sub", "q", "--follow", "--count", "2"}, "out");
  await_consumers(1);
  tool({"pub", "q", "one"});
  tool({"pub", "q", "two"});
  EXPECT_TRUE(sub.wait().ok());
  EXPECT_EQ(content("out"), "one\ntwo\n");
}

TEST_F(ToolStream, sub_of_a_group_waits_for_the_next_run_of_its_producer) {
  tool({"pub", "q", "one"});
  Child sub = start({"sub", "q", "--group", "g", "--count", "2"}, "out");
  ASSERT_TRUE(eventually([&] { return content("out") == "one\n"; }));
  tool({"pub", "q", "two"});
  EXPECT_TRUE(sub.wait().ok());
  EXPECT_EQ(content("out"), "one\ntwo\n");
}

TEST_F(ToolStream, private_sub_waits_between_two_producers_if_end_of_stream_says_so) {
  for (const char* end : {"after_producer", "by_group", "never"}) {
    declare(end, {});
    tool({"pub", end, "one"});
    EXPECT_EQ(tool({"sub", end, "--from", "oldest"}), "one\n") << "drained is the default";
    Child sub = start({"sub", end, "--from", "oldest", "--end-of-stream", end, "--count", "2"}, end);
    ASSERT_TRUE(eventually([&] { return content(end) == "one\n"; })) << end;
    tool({"pub", end, "two"});
    EXPECT_TRUE(sub.wait().ok());
    EXPECT_EQ(content(end), "one\ntwo\n") << end;
  }
}

TEST_F(ToolStream, subscribe_with_follow_ends_when_its_reader_ends_though_nothing_comes) {
  const Outcome result = shell(R"({ "$BELTWAY" sub q --follow; echo "$?" >&2; } | true)");
  EXPECT_EQ(result.err, "141\n");
  await_consumers(0);
}

TEST_F(ToolStream, a_lossy_consumer_blocks_no_producer_and_counts_its_losses) {
  declare("fast", {"--slots", "64"});
  Child sub = start({"sub", "fast", "--lossy", "--digest", "--format", "json"}, "out");
  await_consumers(1, "fast");
  sub.kill(SIGSTOP);
  tool({"pub", "fast", "x", "--count", "10k"});  // ends although the consumer stands still
  sub.kill(SIGCONT);
  EXPECT_TRUE(sub.wait().ok());
  const json end = json::parse(content("out"));
  EXPECT_EQ(end["messages"].get<int>() + end["lost"].get<int>(), 10'000);
  EXPECT_GT(end["lost"], 0);
}

TEST_F(ToolStream, a_killed_consumer_loses_nothing_of_its_group) {
  const int count = 20'000;
  const std::string in = daemon_.dir().write("in", numbers(count));
  Child pub = start({"pub", "q", "--rate", "40k"}, "pub", in);
  for (int round = 0; round < 5; ++round) {
    const std::string out = "out" + std::to_string(round);
    Child sub = start({"sub", "q", "--group", "g"}, out);
    // Each dies with something written, in the middle of whatever it does.
    ASSERT_TRUE(eventually([&] { return content(out).size() > 100; }));
    sub.kill(SIGKILL);
    EXPECT_EQ(sub.wait().signal, SIGKILL);
  }
  Child last = start({"sub", "q", "--group", "g", "--end-of-stream", "drained"}, "out5");
  EXPECT_TRUE(pub.wait().ok());
  EXPECT_TRUE(last.wait().ok());
  std::vector<bool> seen(count + 1);
  for (int round = 0; round <= 5; ++round) {
    std::istringstream lines(content("out" + std::to_string(round)));
    // A line that the kill cut off has no newline, was not acknowledged, and came again in full.
    for (std::string line; std::getline(lines, line) && !lines.eof();) seen.at(std::stoul(line)) = true;
  }
  EXPECT_EQ(std::count(seen.begin() + 1, seen.end(), true), count);
}

TEST_F(ToolStream, an_interrupted_consumer_gives_back_what_it_holds) {
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 129}}) {
    Child sub = start({"sub", "q", "--group", "g"}, "out");
    await_consumers(1);
    sub.kill(signal);
    EXPECT_EQ(sub.wait(), (Exit{.code = code}));
  }
  tool({"pub", "q", "a"});
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--count", "1"}), "a\n");
}

TEST_F(ToolStream, an_interrupted_publisher_tells_how_far_it_came) {
  declare("small", {"--slots", "4", "--group", "g"});
  Child pub = start({"pub", "small", "x", "--count", "10", "--digest"}, "out");
  ASSERT_TRUE(eventually([&] { return state("small")["position"] == 4; }));
  pub.kill(SIGINT);
  EXPECT_EQ(pub.wait(), (Exit{.code = 130}));
  EXPECT_TRUE(content("out").starts_with("messages=4 "));
}

TEST_F(ToolStream, a_publisher_that_waits_for_input_can_be_interrupted) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const int writer = open(file("fifo").c_str(), O_RDWR | O_CLOEXEC);  // so that neither side waits for the other
  ASSERT_EQ(write(writer, "one\ntw", 6), 6);
  Child pub = start({"pub", "q", "--digest"}, "out", file("fifo"));
  ASSERT_TRUE(eventually([&] { return state()["position"] == 1; }));
  pub.kill(SIGINT);
  EXPECT_EQ(pub.wait(), (Exit{.code = 130}));
  EXPECT_TRUE(content("out").starts_with("messages=1 ")) << "the unfinished line is not published";
  close(writer);
}

TEST_F(ToolStream, output_that_cannot_be_written_is_a_failure) {
  tool({"pub", "q", "a"});
  const Outcome result = shell("$BELTWAY sub q --group g --count 1 > /dev/full");
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_EQ(result.err, "beltway: write to standard output: No space left on device\n");
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--count", "1"}), "a\n") << "it went back";
}

TEST_F(ToolStream, a_rate_does_not_change_what_is_published) {
  EXPECT_EQ(tool({"pub", "q", "x", "--count", "500", "--rate", "100k/s", "--digest"}),
            tool({"pub", "q", "x", "--count", "500", "--digest"}));
}

}  // namespace
}  // namespace beltway::test
