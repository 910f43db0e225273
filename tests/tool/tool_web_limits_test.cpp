// What `beltway web` does with peers that send too much, too slowly, or too often. The server runs in a thread of the test, with
// small limits.
#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/connection.hpp"
#include "support/daemon.hpp"
#include "support/http_client.hpp"
#include "support/web_program.hpp"
#include "tool/web/web_server.hpp"

namespace {

using namespace beltway::test;
using beltway::tool::WebLimits;
using beltway::tool::WebOptions;
using beltway::tool::WebServer;
using std::chrono::milliseconds;

/// A server in a thread.
class Served {
 public:
  Served(const TestDaemon& daemon, const WebLimits& limits)
      : server_(options_of(daemon, limits)), thread_([this](const std::stop_token& stop) { server_.run(stop); }) {}

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] HttpClient connect(int receive_bytes = 0) const { return HttpClient(server_.port(), receive_bytes); }
  /// The first lines of a request with the token.
  [[nodiscard]] std::string begin(const std::string& line) const {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port()) + "\r\nX-Beltway-Token: " + server_.token() +
           "\r\n";
  }
  [[nodiscard]] std::string get(const std::string& target) const { return begin("GET " + target) + "\r\n"; }

 private:
  static WebOptions options_of(const TestDaemon& daemon, const WebLimits& limits) {
    WebOptions options;
    options.connection = {.socket = daemon.socket(), .start_daemon = false};
    options.limits = limits;
    return options;
  }
  WebServer server_;
  std::jthread thread_;
};

class WebLimitsTest : public testing::Test {
 protected:
  TestDaemon daemon_;
};

TEST_F(WebLimitsTest, header_that_is_too_large_is_refused) {
  const Served served(daemon_, {.header_bytes = 1024});
  HttpClient client = served.connect();
  client.send(served.begin("GET /api/fleet") + "X-Long: " + std::string(2000, 'a') + "\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 431);
  EXPECT_TRUE(client.is_closed());
  HttpClient endless = served.connect();
  endless.send("GET /" + std::string(4000, 'a'));
  EXPECT_EQ(endless.read_answer().status, 431);
}

TEST_F(WebLimitsTest, body_that_is_too_large_is_refused_before_it_is_read) {
  const Served served(daemon_, {.body_bytes = 100});
  HttpClient client = served.connect();
  client.send(served.begin("POST /api/queues/q/purge") + "Content-Length: 101\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
  HttpClient chunked = served.connect();
  chunked.send(served.begin("POST /api/queues/q/purge") + "Transfer-Encoding: chunked\r\n\r\n80\r\n" +
               std::string(128, 'a'));
  EXPECT_EQ(chunked.read_answer().status, 413);
}

TEST_F(WebLimitsTest, bytes_that_are_no_request_are_refused) {
  const Served served(daemon_, {});
  for (const char* bytes :
       {"hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n"}) {
    HttpClient client = served.connect();
    client.send(bytes);
    EXPECT_EQ(client.read_answer().status, 400) << bytes;
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_F(WebLimitsTest, slow_sender_is_cut) {
  const Served served(daemon_, {.request = milliseconds(100)});
  HttpClient silent = served.connect();
  EXPECT_TRUE(silent.is_closed());
  HttpClient half = served.connect();
  half.send("GET / HTT");
  EXPECT_TRUE(half.is_closed());
  HttpClient body = served.connect();
  body.send(served.begin("POST /api/queues/q/purge") + "Content-Length: 50\r\n\r\n{");
  EXPECT_TRUE(body.is_closed());
}

TEST_F(WebLimitsTest, idle_connection_is_cut_after_its_time) {
  const Served served(daemon_, {.idle = milliseconds(100)});
  HttpClient client = served.connect();
  client.send(served.get("/api/fleet"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(WebLimitsTest, slow_reader_is_cut) {
  // Two hundred messages of 64 KiB are more than the kernel keeps for a reader.
  ASSERT_TRUE(daemon_.tool({"declare", "large", "--slots", "256", "--lane-bytes", "64M", "--group", "g"}).exit.ok());
  const std::string file = daemon_.dir().write("payload", std::string(200 * 65536, 'a'));
  ASSERT_TRUE(daemon_.tool({"pub", "large", "--file", file, "--chunk", "64K"}).exit.ok());
  const Served served(daemon_, {.connections = 1, .request = milliseconds(100)});
  HttpClient slow = served.connect(4096);
  slow.send(served.get("/api/queues/large/messages?count=500&max_bytes=65536"));
  ASSERT_EQ(slow.read_header().status, 200);
  // Its place is free again once it was cut; it has shown the token, so nobody else takes the place before.
  EXPECT_TRUE(eventually([&] {
    HttpClient next = served.connect();
    next.send(served.get("/api/fleet"));
    return next.read_answer().status == 200;
  }));
}

TEST_F(WebLimitsTest, slow_reader_of_the_news_is_cut) {
  // The whole state is more than the kernel keeps for a reader: each row has the names of its groups.
  beltway::QueueOptions options{.slots = 2, .lane_bytes = 0, .max_producers = 1, .max_consumers = 1, .max_groups = 64};
  for (int i = 0; i < 64; ++i) options.groups.emplace_back(std::string(200, 'g') + std::to_string(i));
  const beltway::Connection link = beltway::Connection::open({.socket = daemon_.socket(), .start_daemon = false});
  for (int i = 0; i < 400; ++i) (void)link.declare("queue" + std::to_string(i), options);
  // No time cuts a connection here, and no news may wait behind what is being written.
  const Served served(daemon_, {.connections = 1, .backlog_bytes = 1, .request = std::chrono::hours(1)});
  HttpClient slow = served.connect(4096);
  slow.send(served.get("/api/events"));
  ASSERT_EQ(slow.read_header().status, 200);
  // It has shown the token, so nobody takes its place before it was cut.
  EXPECT_TRUE(eventually([&] {
    HttpClient next = served.connect();
    next.send(served.get("/metrics"));
    return next.read_answer().status == 200;
  }));
  EXPECT_TRUE(slow.is_closed());
}

// A header of nearly so many bytes, and one of more, to the server as a user starts it.
TEST_F(WebLimitsTest, header_of_16_kib_and_body_of_64_kib_are_the_limits_of_the_program) {
  ASSERT_TRUE(daemon_.tool({"declare", "orders", "--group", "g"}).exit.ok());
  const WebProgram web(daemon_);
  const auto with_header = [&](std::size_t bytes) {
    return web.get("/api/fleet", "X-Long: " + std::string(bytes, 'a') + "\r\n").status;
  };
  EXPECT_EQ(with_header(15 * 1024), 200);
  EXPECT_EQ(with_header(16 * 1024), 431);
  const auto with_body = [&](std::size_t bytes) {
    HttpClient client(web.port());
    std::string body = R"({"group":"g"})";
    body.resize(bytes, ' ');
    client.send(web.request("POST", "/api/queues/orders/purge", "Origin: http://" + web.host() + "\r\n", body));
    return client.read_answer().status;
  };
  EXPECT_EQ(with_body(64 * 1024), 200);
  EXPECT_EQ(with_body(64 * 1024 + 1), 413);
}

TEST_F(WebLimitsTest, sixty_four_connections_are_the_limit_of_the_program) {
  const WebProgram web(daemon_);
  std::vector<HttpClient> known;
  for (int i = 0; i < 64; ++i) {
    known.emplace_back(web.port()).send(web.request("GET", "/api/fleet"));
    EXPECT_EQ(known.back().read_answer().status, 200) << i;
  }
  HttpClient more(web.port());
  const HttpAnswer answer = more.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("64 connections"), std::string::npos) << answer.body;
}

TEST_F(WebLimitsTest, connection_beyond_the_limit_is_refused_with_the_reason) {
  const Served served(daemon_, {.connections = 3});
  std::vector<HttpClient> known;
  for (int i = 0; i < 3; ++i) {
    known.push_back(served.connect());
    known.back().send(served.get("/api/fleet"));
    EXPECT_EQ(known.back().read_answer().status, 200);
  }
  HttpClient more = served.connect();
  const HttpAnswer answer = more.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("3 connections"), std::string::npos) << answer.body;
  EXPECT_TRUE(more.is_closed());
  known.front().send(served.get("/api/fleet"));
  EXPECT_EQ(known.front().read_answer().status, 200) << "who came before is not disturbed";
  known.pop_back();
  EXPECT_TRUE(eventually([&] {
    HttpClient next = served.connect();
    next.send(served.get("/api/fleet"));
    return next.read_answer().status == 200;
  }));
}

TEST_F(WebLimitsTest, strangers_who_take_all_places_do_not_keep_the_owner_out) {
  const Served served(daemon_, {.connections = 3});
  std::vector<HttpClient> strangers;
  for (int i = 0; i < 3; ++i) strangers.push_back(served.connect());
  HttpClient owner = served.connect();
  owner.send(served.get("/api/fleet"));
  EXPECT_EQ(owner.read_answer().status, 200);
  EXPECT_TRUE(strangers.front().is_closed()) << "the oldest of them gave way";
}

}  // namespace
