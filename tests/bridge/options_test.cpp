// What a bridge is told, by flags, file and environment.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>

#include "bridge/route_options.hpp"
#include "support/temp_dir.hpp"

namespace {

using namespace beltway::bridge;
using namespace beltway::test;

std::string error_text(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

std::string file_with(const TempDir& dir, const std::string& text, mode_t mode = 0600) {
  const std::string path = (dir.path() / "file").string();
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
  return path;
}

TEST(BridgeOptions, url_has_host_port_and_virtual_host) {
  ServerOptions server;
  read_url("amqp://broker.example", server);
  EXPECT_EQ(server.shown(), "amqp://broker.example:5672");
  read_url("amqps://broker.example/shop%2feast", server);
  EXPECT_EQ(server.shown(), "amqps://broker.example:5671/shop/east");
  EXPECT_TRUE(server.tls);
  read_url("amqp://[::1]:17/", server);
  EXPECT_EQ(server.host, "::1");
  EXPECT_EQ(server.port, 17);
  EXPECT_EQ(server.virtual_host, "/");
}

TEST(BridgeOptions, url_that_makes_no_sense_is_refused) {
  ServerOptions server;
  for (const char* url :
       {"http://x", "amqp://", "amqp://x:0", "amqp://x:65536", "amqp://x:y", "amqp://x/%2", "amqp://x/%zz", "x"})
    EXPECT_NE(error_text([&] { read_url(url, server); }), "no error") << url;
}

TEST(BridgeOptions, password_in_a_url_is_refused_and_not_repeated) {
  ServerOptions server;
  const std::string error = error_text([&] { read_url("amqp://user:secret@host", server); });
  EXPECT_NE(error.find("--credentials-file"), std::string::npos);
  EXPECT_EQ(error.find("secret"), std::string::npos);
}

TEST(BridgeOptions, routes_are_read_from_flags) {
  const RouteOptions out = read_out_route("orders:billing=remote");
  EXPECT_EQ(out.name(), "out orders:billing -> remote");
  EXPECT_EQ(read_out_route("orders=events//orders.new").exchange, "events");
  EXPECT_EQ(read_out_route("orders=events//").remote, "");
  EXPECT_EQ(read_in_route("remote=orders").name(), "in remote -> orders");
  for (const char* text : {"orders", "=x", "x=", ""})
    EXPECT_NE(error_text([&] { (void)read_in_route(text); }), "no error") << text;
}

TEST(BridgeOptions, two_routes_of_one_source_are_refused) {
  BridgeOptions options{.routes = {read_out_route("a=x"), read_out_route("a=y")}};
  EXPECT_NE(error_text([&] { check(options); }).find("two routes take from a:bridge"), std::string::npos);
  options.routes = {read_out_route("a=x"), read_in_route("x=a"), read_out_route("a:other=x")};
  EXPECT_EQ(error_text([&] { check(options); }), "no error");
}

TEST(BridgeOptions, values_beyond_their_limits_are_refused) {
  BridgeOptions options;
  EXPECT_NE(error_text([&] { check(options); }).find("needs a route"), std::string::npos);
  options.routes = {read_out_route("a=x")};
  for (const std::uint32_t window : {0U, 65536U}) {
    options.routes[0].window = window;
    EXPECT_NE(error_text([&] { check(options); }).find("window"), std::string::npos);
  }
  options.routes[0].window = 1;
  options.name = "a/b";
  EXPECT_NE(error_text([&] { check(options); }).find("name"), std::string::npos);
}

TEST(BridgeOptions, file_gives_server_and_routes) {
  const TempDir dir;
  BridgeOptions options;
  read_bridge_file(file_with(dir, R"({"name": "shop", "url": "amqp://broker:17", "drain_ms": 50, "routes": [
    {"direction": "out", "queue": "a", "remote": "x", "window": 7},
    {"direction": "in", "queue": "b", "remote": "y", "deduplicate": false}]})"),
                   options);
  EXPECT_EQ(options.name, "shop");
  EXPECT_EQ(options.server.port, 17);
  ASSERT_EQ(options.routes.size(), 2U);
  EXPECT_EQ(options.routes[0].window, 7U);
  EXPECT_FALSE(options.routes[1].deduplicate);
}

TEST(BridgeOptions, file_that_makes_no_sense_is_refused_by_name) {
  const TempDir dir;
  const auto error_of_file = [&](const std::string& text) {
    BridgeOptions options;
    const std::string path = file_with(dir, text);
    return error_text([&] { read_bridge_file(path, options); });
  };
  EXPECT_NE(error_of_file("{").find("no JSON"), std::string::npos);
  EXPECT_NE(error_of_file("[]").find("not a JSON object"), std::string::npos);
  EXPECT_NE(error_of_file(R"({"rutes": []})").find("rutes"), std::string::npos);
  EXPECT_NE(error_of_file(R"({"password": "x"})").find("password"), std::string::npos);
  EXPECT_NE(error_of_file(R"({"routes": [{"direction": "up", "queue": "a"}]})").find("route 1"), std::string::npos);
  EXPECT_NE(error_of_file(R"({"routes": [{"direction": "out"}]})").find("queue"), std::string::npos);
  EXPECT_NE(error_of_file(R"({"routes": [{"direction": "out", "queue": "a", "window": -1}]})").find("window"),
            std::string::npos);
}

TEST(BridgeOptions, credentials_come_from_a_file_that_not_everybody_reads) {
  const TempDir dir;
  ServerOptions server;
  read_credentials(file_with(dir, "me\nse cret\n"), server);
  EXPECT_EQ(server.user, "me");
  EXPECT_EQ(server.password, "se cret");
  EXPECT_NE(error_text([&] { read_credentials(file_with(dir, "me\nx\n", 0644), server); }).find("chmod 600"),
            std::string::npos);
  EXPECT_NE(error_text([&] { read_credentials(file_with(dir, "me"), server); }).find("second"), std::string::npos);
  EXPECT_NE(error_text([&] { read_credentials((dir.path() / "none").string(), server); }), "no error");
}

TEST(BridgeOptions, credentials_come_from_the_environment_without_a_file) {
  setenv("BELTWAY_BRIDGE_USER", "me", 1);
  setenv("BELTWAY_BRIDGE_PASSWORD", "secret", 1);
  ServerOptions server;
  read_credentials({}, server);
  EXPECT_EQ(server.user, "me");
  EXPECT_EQ(server.password, "secret");
  unsetenv("BELTWAY_BRIDGE_USER");
  unsetenv("BELTWAY_BRIDGE_PASSWORD");
}

}  // namespace
