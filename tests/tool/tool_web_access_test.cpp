// Who may ask `beltway web`, and what a request means: the pure parts.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "support/temp_dir.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/web/web_access.hpp"
#include "tool/web/web_reply.hpp"
#include "tool/web/web_request.hpp"

namespace {

using namespace beltway::tool;
using beltway::test::TempDir;

constexpr std::uint16_t k_port = 8765;

class WebAccessTest : public testing::Test {
 protected:
  static RequestHead head() { return {.host = "127.0.0.1:8765"}; }
  const WebSecrets secrets_ = make_web_secrets();
  const WebAccess access_{secrets_, k_port};
};

TEST_F(WebAccessTest, secrets_are_long_and_new_each_time) {
  const WebSecrets others = make_web_secrets();
  EXPECT_EQ(secrets_.token.size(), 64U);
  EXPECT_NE(secrets_.token, secrets_.cookie);
  EXPECT_NE(secrets_.token, others.token);
}

TEST_F(WebAccessTest, equality_is_that_of_texts) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST_F(WebAccessTest, loopback_names_with_our_port_are_hosts) {
  for (const char* host : {"127.0.0.1:8765", "localhost:8765", "LocalHost:8765", "[::1]:8765"})
    EXPECT_TRUE(is_loopback_host(host, k_port)) << host;
  for (const char* host : {"", "127.0.0.1", "127.0.0.1:8766", "127.0.0.1:", "127.0.0.1:8765x", "evil.example:8765",
                           "localhost.evil.example:8765", "127.0.0.1.evil.example:8765", "evil@127.0.0.1:8765", ":8765",
                           "[::1]", "[::2]:8765", "127.0.0.1:8765:8765", "127.0.0.1:+8765", "127.0.0.1:74301"})
    EXPECT_FALSE(is_loopback_host(host, k_port)) << host;
}

TEST_F(WebAccessTest, tunnel_to_a_unix_socket_may_have_any_port) {
  for (const char* host : {"localhost", "localhost:9000", "127.0.0.1:1"})
    EXPECT_TRUE(is_loopback_host(host, std::nullopt)) << host;
  EXPECT_FALSE(is_loopback_host("evil.example:9000", std::nullopt));
}

TEST_F(WebAccessTest, token_opens_everything_in_two_headers_and_nothing_else_does) {
  RequestHead asked = head();
  EXPECT_EQ(access_.admit(asked), Admission::nobody);
  asked.token = secrets_.token;
  EXPECT_EQ(access_.admit(asked), Admission::full);
  const std::string bearer = "Bearer " + secrets_.token;
  asked = head();
  asked.authorization = bearer;
  EXPECT_EQ(access_.admit(asked), Admission::full);
  const std::string wrong = secrets_.token.substr(1) + "x";
  const std::string cookie = secrets_.cookie;
  for (const std::string& each : {wrong, cookie, secrets_.token + "0", std::string("Bearer ")}) {
    asked = head();
    asked.token = each;
    EXPECT_EQ(access_.admit(asked), Admission::nobody) << each;
  }
}

TEST_F(WebAccessTest, cookie_opens_the_page_alone) {
  const std::string set = access_.set_cookie();
  const std::string cookies = "a=b; " + set.substr(0, set.find(';')) + "; c=d";
  RequestHead asked = head();
  asked.cookies = cookies;
  EXPECT_EQ(access_.admit(asked), Admission::page_only);
  const std::string of_other_port = "beltway_1=" + secrets_.cookie;
  asked.cookies = of_other_port;
  EXPECT_EQ(access_.admit(asked), Admission::nobody);
  EXPECT_NE(set.find("; HttpOnly; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(set.find(secrets_.token), std::string::npos);
}

TEST_F(WebAccessTest, token_in_the_url_counts_for_the_first_page_alone) {
  RequestHead asked = head();
  const std::string printed = "/?token=" + secrets_.token;
  asked.target = printed;
  EXPECT_EQ(access_.admit(asked), Admission::by_url);
  asked.method = "POST";
  EXPECT_EQ(access_.admit(asked), Admission::nobody);
  asked = head();
  const std::string elsewhere = "/api/fleet?token=" + secrets_.token;
  asked.target = elsewhere;
  EXPECT_EQ(access_.admit(asked), Admission::nobody);
}

TEST_F(WebAccessTest, request_of_another_origin_is_foreign_even_with_the_token) {
  for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:8766",
                             "http://localhost:8765", "http://127.0.0.1:8765.evil.example"}) {
    RequestHead asked = head();
    asked.token = secrets_.token;
    asked.origin = origin;
    EXPECT_EQ(access_.admit(asked), Admission::foreign) << origin;
    EXPECT_FALSE(WebAccess::may_act(asked)) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "other"}) {
    RequestHead asked = head();
    asked.token = secrets_.token;
    asked.fetch_site = site;
    EXPECT_EQ(access_.admit(asked), Admission::foreign) << site;
  }
  RequestHead own = head();
  own.token = secrets_.token;
  own.origin = "http://127.0.0.1:8765";
  own.fetch_site = "same-origin";
  EXPECT_EQ(access_.admit(own), Admission::full);
  EXPECT_TRUE(WebAccess::may_act(own));
  own.origin = "";
  EXPECT_FALSE(WebAccess::may_act(own)) << "an act must say its origin";
}

TEST_F(WebAccessTest, wrong_host_is_told_before_the_token_is_looked_at) {
  RequestHead asked = head();
  asked.host = "evil.example:8765";
  asked.token = secrets_.token;
  EXPECT_EQ(access_.admit(asked), Admission::wrong_host);
}

TEST_F(WebAccessTest, token_file_is_made_for_its_owner_alone_and_read_again) {
  const TempDir dir;
  const std::string path = dir.path() / "token";
  const WebSecrets first = web_secrets_of_file(path);
  const WebSecrets second = web_secrets_of_file(path);
  EXPECT_EQ(first.token, second.token);
  EXPECT_EQ(first.cookie, second.cookie);
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(WebAccessTest, token_file_that_others_may_read_or_that_holds_no_token_is_refused) {
  const TempDir dir;
  const std::string open_to_all = dir.path() / "open";
  (void)web_secrets_of_file(open_to_all);
  ASSERT_EQ(chmod(open_to_all.c_str(), 0640), 0);
  EXPECT_THROW((void)web_secrets_of_file(open_to_all), Failure);
  const std::string empty = dir.write("empty", "").string();
  ASSERT_EQ(chmod(empty.c_str(), 0600), 0);
  EXPECT_THROW((void)web_secrets_of_file(empty), Failure);
  std::filesystem::create_symlink("open", dir.path() / "link");
  EXPECT_THROW((void)web_secrets_of_file(dir.path() / "link"), Failure);
  EXPECT_THROW((void)web_secrets_of_file(dir.path() / "none" / "token"), Failure);
}

/// The status of the refusal; 0: none.
unsigned refusal_of(const std::string& method, const std::string& target, const std::string& body = "") {
  try {
    (void)parse_web_request(method, target, body);
    return 0;
  } catch (const WebRefusal& refusal) {
    EXPECT_STRNE(refusal.what(), "");
    return refusal.status();
  }
}

TEST(WebReplyTest, program_without_a_page_says_so_and_how_to_get_one) {
  const WebAnswer answer = file_answer("index.html", {});
  EXPECT_EQ(answer.status, 503U);
  for (const char* words : {"built without npm and has no page", "nodejs, npm", "/api/fleet"})
    EXPECT_NE(answer.body.find(words), std::string::npos) << answer.body;
  EXPECT_EQ(file_answer("page.js", {}).status, 404U);
}

TEST(WebRequestTest, paths_name_queues_with_any_character) {
  const auto one = std::get<QueueRequest>(parse_web_request("GET", "/api/queues/mail%2Fout?history_since=12", ""));
  EXPECT_EQ(one.queue, "mail/out");
  EXPECT_EQ(one.history_since_s, 12);
  EXPECT_EQ(std::get<FileRequest>(parse_web_request("GET", "/", "")).name, "index.html");
  EXPECT_EQ(std::get<FileRequest>(parse_web_request("GET", "/../../etc/passwd", "")).name, "../../etc/passwd");
  EXPECT_TRUE(std::holds_alternative<EventsRequest>(parse_web_request("GET", "/api/events", "")));
}

TEST(WebRequestTest, messages_have_a_group_a_place_and_bounds) {
  const auto all = std::get<MessagesRequest>(
      parse_web_request("GET", "/api/queues/q/messages?group=a%20b&from=88&count=5&max_bytes=16", ""));
  EXPECT_EQ(all.group, "a b");
  EXPECT_EQ(all.from, 88U);
  EXPECT_EQ(all.count, 5U);
  EXPECT_EQ(all.max_bytes, 16U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/q/messages?count=501"), 400U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/q/messages?max_bytes=1000000"), 400U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/q/messages?from=-1"), 400U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/q/messages?other=1"), 400U);
}

TEST(WebRequestTest, acts_are_posts_with_exactly_what_they_take) {
  const auto reset =
      std::get<ActRequest>(parse_web_request("POST", "/api/queues/q/reset", R"({"group":"g","to":"1200"})"));
  EXPECT_EQ(reset.act, WebAct::reset);
  EXPECT_EQ(reset.position, 1200U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/q/purge"), 405U);
  EXPECT_EQ(refusal_of("POST", "/api/fleet"), 405U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/purge", "{}"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/purge", "[]"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/purge", R"({"group":1})"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/purge", R"({"group":"g","force":true})"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/reset", R"({"group":"g","to":"yesterday"})"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/evict", R"({"consumer":"1"})"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/explode", "{}"), 404U);
}

TEST(WebRequestTest, removal_must_name_the_queue_once_more) {
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/remove", "{}"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/remove", R"({"confirm":"p"})"), 400U);
  EXPECT_EQ(refusal_of("POST", "/api/queues/q/remove", R"({"confirm":"q"})"), 0U);
}

TEST(WebRequestTest, percent_signs_need_two_digits) {
  EXPECT_EQ(percent_decoded("a%2fb%00"), std::string("a/b\0", 4));
  for (const char* text : {"%", "%2", "%zz", "%-1", "a%2"}) EXPECT_EQ(percent_decoded(text), std::nullopt) << text;
  EXPECT_EQ(refusal_of("GET", "/api/queues/%zz"), 400U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/"), 400U);
  EXPECT_EQ(refusal_of("GET", "/api/queues/" + std::string(256, 'a')), 400U);
  EXPECT_EQ(refusal_of("GET", "/api/none"), 404U);
}

}  // namespace
