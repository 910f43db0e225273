// Properties on the command line: `pub` writes them, `sub` and `peek` show them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

class ToolProperties : public ToolTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
    ASSERT_TRUE(tool({"pub", "q", "payload", "--key", "order 7", "--correlation-id", "c-1", "--reply-to", "replies",
                      "--content-type", "text/plain", "--trace-id", "00-1", "--header", "tenant=acme", "--header",
                      "empty=", "--header", "a=b=c"})
                    .exit.ok());
    ASSERT_TRUE(tool({"pub", "q", "plain"}).exit.ok());
  }
};

TEST_F(ToolProperties, sub_and_peek_print_properties_as_json) {
  const json expected{{"key", "order 7"},
                      {"correlation_id", "c-1"},
                      {"reply_to", "replies"},
                      {"content_type", "text/plain"},
                      {"trace_id", "00-1"},
                      {"headers",
                       {{{"name", "tenant"}, {"value", "acme"}},
                        {{"name", "empty"}, {"value", ""}},
                        {{"name", "a"}, {"value", "b=c"}}}}};
  const json peeked = tool_json({"peek", "q"});
  EXPECT_EQ(peeked["messages"][0]["properties"], expected);
  EXPECT_FALSE(peeked["messages"][1].contains("properties"));
  const json received = tool_json({"sub", "q", "--group", "g", "--count", "1"});
  EXPECT_EQ(received["properties"], expected);
  EXPECT_EQ(received["text"], "payload");
}

TEST_F(ToolProperties, sub_and_peek_print_properties_as_text_when_asked) {
  const std::string text =
      "key=order 7 correlation-id=c-1 reply-to=replies content-type=text/plain trace-id=00-1 header:tenant=acme "
      "header:empty= header:a=b=c";
  const Outcome peeked = tool({"peek", "q", "--properties"});
  EXPECT_NE(peeked.out.find("PROPERTIES"), std::string::npos);
  EXPECT_NE(peeked.out.find(text), std::string::npos) << peeked.out;
  EXPECT_EQ(tool({"peek", "q"}).out.find("order 7"), std::string::npos);
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--count", "2", "--properties"}).out, "[" + text + "] payload\nplain\n");
}

TEST_F(ToolProperties, a_publish_time_is_written_when_asked_for) {
  ASSERT_TRUE(tool({"pub", "q", "timed", "--publish-time"}).exit.ok());
  const json properties = tool_json({"peek", "q"})["messages"][2]["properties"];
  EXPECT_GT(properties["publish_time_ns"], 1'700'000'000'000'000'000);
  EXPECT_NE(tool({"peek", "q", "--properties"}).out.find("publish-time=20"), std::string::npos);
}

TEST_F(ToolProperties, lines_and_pieces_of_a_file_take_the_properties_too) {
  const std::string file = daemon_.dir().write("file", std::string(300'000, 'x')).string();
  ASSERT_TRUE(tool({"pub", "q", "--file", file, "--chunk", "100K", "--key", "chunk"}).exit.ok());
  const json peeked = tool_json({"peek", "q", "--max-bytes", "10"});
  ASSERT_EQ(peeked["messages"].size(), 5U);
  for (std::size_t i = 2; i < 5; ++i) EXPECT_EQ(peeked["messages"][i]["properties"]["key"], "chunk");
}

TEST_F(ToolProperties, digests_are_those_of_the_payload) {
  const json with = tool_json({"pub", "q", "a", "b", "--digest", "--key", "k"});
  const json without = tool_json({"pub", "q", "a", "b", "--digest"});
  EXPECT_EQ(with["digest"], without["digest"]);
  EXPECT_EQ(with["bytes"], without["bytes"]);
}

TEST_F(ToolProperties, properties_beyond_a_limit_are_usage_errors) {
  expect_failure({"pub", "q", "x", "--key", std::string(256, 'k')}, 2, "--key");
  expect_failure({"pub", "q", "x", "--header", "no value"}, 2, "NAME=VALUE");
  expect_failure({"pub", "q", "x", "--header", "n=" + std::string(5000, 'v')}, 2, "4096");
  expect_failure({"sub", "q", "--properties", "--raw"}, 2, "--properties");
}

}  // namespace
}  // namespace beltway::test
