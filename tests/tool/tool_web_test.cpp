// `beltway web` as a program: what it shows and does, for whom, and how it ends.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "beltway/connection.hpp"
#include "support/own_user.hpp"
#include "support/tool_test.hpp"
#include "support/web_program.hpp"
#include "tool/web/web_page.hpp"

namespace {

using namespace beltway::test;
using nlohmann::json;

class WebTest : public ToolTest {
 protected:
  /// A queue with three messages that the group has not got.
  void make_orders() {
    ASSERT_TRUE(tool({"declare", "orders", "--group", "billing"}).exit.ok());
    ASSERT_TRUE(tool({"pub", "orders", "one", "two", "three"}).exit.ok());
  }
  /// The rows of an event, by queue.
  static json rows_of(const std::string& event) {
    const json parsed = json::parse(event);
    json rows = json::object();
    for (const json& row : parsed.at("rows")) rows[row.at("name").get<std::string>()] = row;
    return rows;
  }
};

TEST_F(WebTest, every_path_needs_the_token) {
  const WebProgram web(daemon_);
  for (const char* method : {"GET", "POST", "HEAD", "DELETE", "OPTIONS", "PUT"}) {
    for (const char* target :
         {"/", "/page.js", "/worker.js", "/api/fleet", "/api/events", "/api/queues/orders",
          "/api/queues/orders/messages", "/api/queues/orders/remove", "/metrics", "/unknown",
          "/?token=", "/?token=0000000000000000000000000000000000000000000000000000000000000000", "*"}) {
      HttpClient client(web.port());
      client.send(std::string(method) + " " + target + " HTTP/1.1\r\nHost: " + web.host() +
                  "\r\nX-Beltway-Token: 0\r\n\r\n");
      const HttpAnswer answer = std::string(method) == "HEAD" ? client.read_header() : client.read_answer();
      EXPECT_EQ(answer.status, 401) << method << " " << target;
      EXPECT_EQ(answer.header("access-control-allow-origin"), "");
    }
  }
}

TEST_F(WebTest, printed_url_gives_a_cookie_and_leads_to_the_page) {
  const WebProgram web(daemon_);
  HttpClient client(web.port());
  client.send("GET /?token=" + web.token() + " HTTP/1.1\r\nHost: " + web.host() + "\r\n\r\n");
  const HttpAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 303);
  EXPECT_EQ(answer.header("location"), "/#" + web.token());
  const std::string cookie = answer.header("set-cookie");
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos) << cookie;
  const std::string with_cookie = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n\r\n";
  client.send("GET / HTTP/1.1\r\nHost: " + web.host() + "\r\n" + with_cookie);
  const HttpAnswer page = client.read_answer();
  EXPECT_EQ(page.status, beltway::tool::page_files().empty() ? 503 : 200);
  EXPECT_NE(page.header("content-security-policy").find("script-src 'self'"), std::string::npos);
  EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(page.header("referrer-policy"), "no-referrer");
  client.send("GET /api/fleet HTTP/1.1\r\nHost: " + web.host() + "\r\n" + with_cookie);
  EXPECT_EQ(client.read_answer().status, 401) << "the cookie opens no data";
}

TEST_F(WebTest, page_is_small_and_names_the_licences_of_its_parts) {
  if (beltway::tool::page_files().empty()) GTEST_SKIP() << "built without npm: there is no page";
  std::size_t bytes = 0;
  for (const auto& file : beltway::tool::page_files()) {
    bytes += file.content.size();
    EXPECT_EQ(file.content.find("eval("), std::string_view::npos) << file.name;
  }
  EXPECT_LT(bytes, 120U * 1024);
  // preact has a way to set HTML; the page must not use it.
  for (const auto& source : std::filesystem::directory_iterator(BELTWAY_TEST_SOURCES "/src/tool/web/page/src"))
    EXPECT_EQ(read_file(source.path()).find("nnerHTML"), std::string::npos) << source.path();
  const Outcome licences = tool({"web", "--licenses"});
  EXPECT_TRUE(licences.exit.ok()) << licences.err;
  for (const char* part : {"preact", "htm", "uplot"}) EXPECT_NE(licences.out.find(part), std::string::npos) << part;
}

TEST_F(WebTest, foreign_origin_neither_reads_nor_acts) {
  make_orders();
  const WebProgram web(daemon_);
  EXPECT_EQ(web.get("/api/fleet", "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(web.get("/api/fleet", "Sec-Fetch-Site: cross-site\r\n").status, 403);
  for (const char* headers : {"", "Origin: http://evil.example\r\n", "Origin: null\r\n"}) {
    HttpClient client(web.port());
    client.send(web.request("POST", "/api/queues/orders/remove", headers, R"({"confirm":"orders"})"));
    EXPECT_EQ(client.read_answer().status, 403) << headers;
  }
  EXPECT_TRUE(tool({"show", "orders"}).exit.ok());
}

TEST_F(WebTest, name_that_leads_to_loopback_is_no_host_of_ours) {
  const WebProgram web(daemon_);
  for (const std::string& host : {std::string("evil.example"), "evil.example:" + std::to_string(web.port()),
                                  "127.0.0.1:" + std::to_string(web.port() ^ 1), std::string()}) {
    HttpClient client(web.port());
    client.send("GET /api/fleet HTTP/1.1\r\nHost: " + host + "\r\nX-Beltway-Token: " + web.token() + "\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 403) << host;
  }
}

TEST_F(WebTest, queue_is_told_as_show_tells_it) {
  make_orders();
  const WebProgram web(daemon_);
  const HttpAnswer answer = web.get("/api/queues/orders");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json told = json::parse(answer.body);
  const json shown = tool_json({"show", "orders"});
  EXPECT_EQ(told.at("queue"), shown.at("queue"));
  EXPECT_EQ(told.at("state"), shown.at("state"));
  for (const char* more : {"view", "endpoints_view", "strip", "history"}) EXPECT_TRUE(told.contains(more)) << more;
  EXPECT_EQ(web.get("/api/queues/none").status, 404);
}

TEST_F(WebTest, queue_is_told_as_soon_as_it_is_declared) {
  const WebProgram web(daemon_);
  HttpClient news(web.port());
  news.send(web.request("GET", "/api/events"));
  (void)news.read_header();
  ASSERT_NE(news.read_event(), "");
  // More than come between two samples.
  for (const char* name : {"a", "b", "c", "d"}) {
    const std::string target = std::string("/api/queues/") + name;
    EXPECT_EQ(web.get(target).status, 404);
    ASSERT_TRUE(tool({"declare", name}).exit.ok());
    EXPECT_EQ(web.get(target).status, 200) << name;
    HttpClient other(web.port());
    other.send(web.request("GET", "/api/events"));
    (void)other.read_header();
    EXPECT_NE(other.read_event(), "") << "a new reader of news finds a queue that none was told of";
  }
}

TEST_F(WebTest, messages_are_shown_in_pages_and_stay) {
  make_orders();
  const WebProgram web(daemon_);
  const json first = json::parse(web.get("/api/queues/orders/messages?count=2").body);
  ASSERT_EQ(first.at("messages").size(), 2U);
  EXPECT_EQ(first.at("messages")[0].at("text"), "one");
  ASSERT_EQ(first.at("next"), 2);
  const json rest = json::parse(web.get("/api/queues/orders/messages?from=2&group=billing").body);
  ASSERT_EQ(rest.at("messages").size(), 1U);
  EXPECT_EQ(rest.at("messages")[0].at("text"), "three");
  EXPECT_EQ(rest.at("next"), nullptr);
  EXPECT_EQ(tool_json({"show", "orders"}).at("state").at("groups")[0].at("available"), 3);
  EXPECT_EQ(web.get("/api/queues/orders/messages?group=none").status, 404);
}

TEST_F(WebTest, acts_do_what_the_commands_do) {
  make_orders();
  const WebProgram web(daemon_);
  const auto group = [&] { return tool_json({"show", "orders"}).at("state").at("groups")[0]; };
  EXPECT_EQ(web.post("/api/queues/orders/pause", {{"group", "billing"}}).status, 200);
  EXPECT_NE(group().at("paused_ms"), nullptr);
  EXPECT_EQ(web.post("/api/queues/orders/resume", {{"group", "billing"}}).status, 200);
  EXPECT_EQ(group().at("paused_ms"), nullptr);
  const HttpAnswer purged = web.post("/api/queues/orders/purge", {{"group", "billing"}});
  EXPECT_EQ(json::parse(purged.body).at("purged"), 3) << purged.body;
  EXPECT_EQ(web.post("/api/queues/orders/reset", {{"group", "billing"}, {"to", "oldest"}}).status, 200);
  EXPECT_EQ(group().at("available"), 3);
  EXPECT_EQ(web.post("/api/queues/orders/reset", {{"group", "billing"}, {"to", "2"}}).status, 200);
  EXPECT_EQ(group().at("available"), 1);
  EXPECT_EQ(web.post("/api/queues/orders/pause", {{"group", "none"}}).status, 404);
  EXPECT_EQ(web.post("/api/queues/orders/remove", {{"confirm", "orders"}}).status, 200);
  EXPECT_EQ(tool({"show", "orders"}).exit.code, 5);
}

TEST_F(WebTest, requeue_moves_messages_to_another_queue) {
  make_orders();
  ASSERT_TRUE(tool({"declare", "again", "--group", "workers"}).exit.ok());
  const WebProgram web(daemon_);
  const HttpAnswer answer = web.post("/api/queues/orders/requeue", {{"to", "again"}, {"count", 2}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body).at("requeued"), 2);
  EXPECT_EQ(tool_json({"show", "again"}).at("state").at("groups")[0].at("available"), 2);
  EXPECT_EQ(tool_json({"show", "orders"}).at("state").at("groups")[0].at("available"), 1);
}

TEST_F(WebTest, one_message_is_moved_and_a_consumer_that_is_not_there_is_not_evicted) {
  make_orders();
  ASSERT_TRUE(tool({"declare", "aside"}).exit.ok());
  const WebProgram web(daemon_);
  const HttpAnswer moved = web.post("/api/queues/orders/move", {{"position", 1}, {"to", "aside"}});
  EXPECT_EQ(moved.status, 200) << moved.body;
  EXPECT_EQ(tool_json({"show", "orders"}).at("state").at("groups")[0].at("available"), 2);
  EXPECT_EQ(tool_json({"peek", "aside"}).at("messages")[0].at("text"), "two");
  EXPECT_EQ(web.post("/api/queues/orders/move", {{"position", 9}, {"to", "aside"}}).status, 404);
  EXPECT_EQ(web.post("/api/queues/orders/evict", {{"consumer", 0}}).status, 404);
  EXPECT_EQ(web.post("/api/queues/orders/evict", {{"consumer", 4711}}).status, 404);
}

TEST_F(WebTest, read_only_server_shows_and_does_nothing) {
  make_orders();
  const WebProgram web(daemon_, {"--read-only"});
  EXPECT_EQ(web.get("/api/queues/orders").status, 200);
  for (const char* act : {"purge", "pause", "resume"})
    EXPECT_EQ(web.post(std::string("/api/queues/orders/") + act, {{"group", "billing"}}).status, 403);
  const HttpAnswer answer = web.post("/api/queues/orders/remove", {{"confirm", "orders"}});
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.body.find("--read-only"), std::string::npos) << answer.body;
  EXPECT_EQ(tool_json({"show", "orders"}).at("state").at("groups")[0].at("available"), 3);
}

TEST_F(WebTest, stream_tells_all_first_and_then_what_changes) {
  make_orders();
  ASSERT_TRUE(tool({"declare", "idle"}).exit.ok());
  const WebProgram web(daemon_);
  HttpClient client(web.port());
  client.send(web.request("GET", "/api/events"));
  EXPECT_EQ(client.read_header().header("content-type"), "text/event-stream");
  const std::string first = client.read_event();
  EXPECT_TRUE(json::parse(first).at("whole"));
  EXPECT_EQ(rows_of(first).at("orders").at("used"), 3);
  EXPECT_TRUE(rows_of(first).contains("idle"));
  ASSERT_TRUE(tool({"pub", "orders", "four"}).exit.ok());
  ASSERT_TRUE(tool({"remove", "idle"}).exit.ok());
  bool grew = false;
  bool went = false;
  while (!grew || !went) {
    const std::string event = client.read_event();
    ASSERT_NE(event, "") << "the stream ended";
    const json rows = rows_of(event);
    grew = grew || (rows.contains("orders") && rows.at("orders").at("used") == 4);
    const json gone = json::parse(event).at("gone");
    went = went || std::find(gone.begin(), gone.end(), "idle") != gone.end();
  }
}

TEST_F(WebTest, death_of_the_daemon_is_told_and_the_last_state_stays) {
  make_orders();
  const WebProgram web(daemon_);
  HttpClient client(web.port());
  client.send(web.request("GET", "/api/events"));
  (void)client.read_header();
  EXPECT_TRUE(json::parse(client.read_event()).at("daemon_answers"));
  daemon_.process().kill(SIGSTOP);
  json event;
  do {
    const std::string text = client.read_event();
    if (text.empty()) break;
    event = json::parse(text);
  } while (event.at("daemon_answers"));
  daemon_.process().kill(SIGCONT);
  EXPECT_EQ(event.value("daemon_answers", true), false);
  EXPECT_EQ(web.get("/api/queues/orders").status, 200);
}

TEST_F(WebTest, unix_socket_is_for_its_owner_alone_and_goes_at_the_end) {
  make_orders();
  const std::string path = daemon_.dir().path() / "web.sock";
  {
    WebProgram web(daemon_, {"--unix", path});
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    HttpClient client(path);
    client.send("GET /api/fleet HTTP/1.1\r\nHost: localhost:9000\r\nX-Beltway-Token: " + web.token() + "\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
    HttpClient without(path);
    without.send("GET /api/fleet HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(without.read_answer().status, 401);
    expect_failure({"web", "--unix", path}, 1, "another process listens there");
    web.process().kill(SIGTERM);
    EXPECT_EQ(web.process().wait().code, 143);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(WebTest, socket_of_a_killed_server_is_taken_and_another_file_is_not) {
  const std::string path = daemon_.dir().path() / "web.sock";
  {
    WebProgram web(daemon_, {"--unix", path});
    web.process().kill(SIGKILL);
    EXPECT_EQ(web.process().wait().signal, SIGKILL);
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  {
    const WebProgram web(daemon_, {"--unix", path});
  }
  const std::string file = daemon_.dir().write("file", "precious");
  expect_failure({"web", "--unix", file}, 1, "no socket");
  EXPECT_EQ(read_file(file), "precious");
}

TEST_F(WebTest, another_user_gets_401_everywhere_and_cannot_open_the_unix_socket) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be another user";
  const OwnUser user;
  const std::string path = daemon_.dir().path() / "web.sock";
  const WebProgram web(daemon_);
  const WebProgram local(daemon_, {"--unix", path});
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms::all);
  const auto as_user = [&]() -> int {
    if (setgid(user.id()) != 0 || setuid(user.id()) != 0) return 90;
    for (const char* asked : {"GET /", "GET /api/fleet", "GET /metrics", "GET /unknown", "POST /", "POST /api/fleet",
                              "POST /api/queues/orders/purge", "POST /api/queues/orders/remove", "POST /unknown"}) {
      HttpClient client(web.port());
      client.send(std::string(asked) + " HTTP/1.1\r\nHost: " + web.host() + "\r\nOrigin: http://" + web.host() +
                  "\r\nContent-Length: 2\r\n\r\n{}");
      if (client.read_answer().status != 401) return 91;
    }
    try {
      const HttpClient client(path);
    } catch (const std::system_error& error) {
      return error.code().value() == EACCES ? 0 : 92;
    }
    return 93;
  };
  EXPECT_EQ(Child::fork(as_user).wait().code, 0);
}

TEST_F(WebTest, server_has_the_rights_of_the_user_who_started_it) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be another user";
  const OwnUser user;
  ASSERT_TRUE(tool({"declare", "open", "--mode", "0604", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"declare", "closed", "--mode", "0600", "--group", "g"}).exit.ok());
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms::all);
  const std::string id = std::to_string(user.id());
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
  const std::string out = dir.path() / "out";
  Child::Options options = daemon_.client_options();
  options.standard_output = out;
  const Child server = Child::spawn({"setpriv", "--reuid", id, "--regid", id, "--clear-groups",
                                     program("beltway").string(), "web", "--format", "json"},
                                    options);
  ASSERT_TRUE(eventually([&] { return read_file(out).ends_with("\n"); }));
  const json said = json::parse(read_file(out));
  const std::string head = " HTTP/1.1\r\nHost: 127.0.0.1:" + said.at("port").dump() +
                           "\r\nX-Beltway-Token: " + said.at("token").get<std::string>() + "\r\n";
  const auto ask = [&](const std::string& line, const std::string& body) {
    HttpClient client(said.at("port").get<std::uint16_t>());
    client.send(line + head + "Origin: http://127.0.0.1:" + said.at("port").dump() +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_answer();
  };
  EXPECT_EQ(ask("GET /api/queues/open", "").status, 200);
  EXPECT_EQ(ask("GET /api/queues/closed", "").status, 404);
  EXPECT_EQ(ask("GET /api/queues/closed/messages", "").status, 403);
  EXPECT_EQ(ask("POST /api/queues/open/purge", R"({"group":"g"})").status, 403);
  EXPECT_EQ(ask("POST /api/queues/open/remove", R"({"confirm":"open"})").status, 403);
}

TEST_F(WebTest, sigterm_ends_it_and_the_port_is_free_again) {
  WebProgram web(daemon_);
  HttpClient client(web.port());
  client.send(web.request("GET", "/api/events"));
  ASSERT_NE(client.read_event(), "");
  web.process().kill(SIGTERM);
  EXPECT_EQ(web.process().wait().code, 143);
  EXPECT_TRUE(client.is_closed());
  const WebProgram again(daemon_, {"--port", std::to_string(web.port())});
  EXPECT_EQ(again.port(), web.port());
  expect_failure({"web", "--port", std::to_string(web.port())}, 1, "listen on 127.0.0.1");
}

TEST_F(WebTest, token_file_keeps_the_address_over_a_restart) {
  const std::string file = daemon_.dir().path() / "token";
  const std::string first = WebProgram(daemon_, {"--token-file", file}).token();
  EXPECT_EQ(WebProgram(daemon_, {"--token-file", file}).token(), first);
}

TEST_F(WebTest, address_that_others_reach_is_refused_with_the_way_that_works) {
  for (const char* address : {"0.0.0.0", "::", "192.168.1.1", "example.org"})
    expect_failure({"web", "--bind", address}, 2, "ssh -L");
  expect_failure({"web", "--port", "65536"}, 2, "65535");
}

TEST_F(WebTest, server_without_a_daemon_ends_with_4) {
  expect_failure({"--socket", (daemon_.dir().path() / "none").string(), "web"}, 4, "");
}

}  // namespace
