// Who watches takes no place of a consumer: commands that look work while all places are taken, and leave the last one free.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/error_of.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

class ToolWatching : public ToolTest {
 protected:
  /// With one place for a consumer.
  Queue declare_narrow() const {
    QueueOptions options = k_small;
    options.max_consumers = 1;
    options.groups = {"g"};
    return connect(daemon_).declare("narrow", options);
  }
  Child start(std::vector<std::string> arguments, const std::filesystem::path& out) const {
    arguments.insert(arguments.begin(), program("beltway"));
    Child::Options options = daemon_.client_options();
    options.standard_output = out;
    return Child::spawn(arguments, options);
  }
};

/// Whether the process has a queue's memory mapped.
bool looks_at_a_queue(const Child& child) {
  return read_file("/proc/" + std::to_string(child.pid()) + "/maps").find("memfd:") != std::string::npos;
}

TEST_F(ToolWatching, a_queue_that_is_watched_keeps_its_only_place_free) {
  const Queue queue = declare_narrow();
  const std::filesystem::path out = daemon_.dir().write("out", "");
  Child top = start({"top", "--batch", "--interval", "100ms"}, out);
  Child doctor = start({"doctor", "--for", "60s"}, "/dev/null");
  Child metrics = start({"metrics", "--for", "60s"}, "/dev/null");
  Child show = start({"show", "narrow", "--watch", "100ms"}, "/dev/null");
  for (const Child* const child : {&top, &doctor, &metrics, &show}) {
    ASSERT_TRUE(eventually([&] { return looks_at_a_queue(*child); }));
  }
  ASSERT_TRUE(eventually([&] { return read_file(out).find("narrow") != std::string::npos; }));
  EXPECT_TRUE(queue.snapshot().consumers.empty());
  Consumer in = queue.consumer({.group = "g"});
  EXPECT_NO_THROW(queue.producer().publish("x"));
  EXPECT_EQ(in.receive()->text(), "x");
  EXPECT_EQ(error_of([&] { (void)queue.consumer({.group = "g"}); }).reason(), Errc::limit_reached)
      << "there is one place";
  for (Child* const child : {&top, &doctor, &metrics, &show}) child->kill(SIGINT);
  for (Child* const child : {&top, &doctor, &metrics, &show}) EXPECT_EQ(child->wait().code, 130);
}

TEST_F(ToolWatching, a_queue_whose_only_place_is_taken_is_watched) {
  const Queue queue = declare_narrow();
  Consumer in = queue.consumer({.group = "g"});
  const json top = tool_json({"top", "--batch", "-n", "1"})["queues"][0];
  EXPECT_EQ(top["name"], "narrow");
  EXPECT_EQ(top["readable"], true);
  EXPECT_EQ(top["consumers"], 1);
  const Outcome doctor = tool({"doctor", "--for", "0.2", "--format", "json"});
  EXPECT_EQ(doctor.exit.code, 0) << doctor.out << doctor.err;
  EXPECT_EQ(json::parse(doctor.out)["queues"], 1);
  EXPECT_EQ(tool_json({"list"})["queues"][0]["used"], 0) << "null: it could not be read";
  queue.producer().publish("x");
  EXPECT_EQ(in.receive()->text(), "x") << "the consumer has kept its place";
}

}  // namespace
}  // namespace beltway::test
