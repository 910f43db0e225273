// The daemon from outside, as a process: what clients of all kinds, good and bad, get from it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using nlohmann::json;
using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::k_small;
using test::open_descriptors;
using test::program;
using test::RawClient;
using test::TestDaemon;

TEST(Daemon, a_daemon_declares_opens_lists_describes_and_removes_queues) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  QueueOptions options = k_small;
  options.groups = {"billing"};
  const Queue made = link.declare("orders", options);
  EXPECT_EQ(link.declare("orders", options).id(), made.id());
  EXPECT_EQ(link.open_queue("orders").id(), made.id());
  EXPECT_EQ(link.declare("a/b", k_small).name(), "a/b");
  const std::vector<QueueInfo> list = link.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name, "a/b");
  EXPECT_EQ(list[1].options.groups, options.groups);
  const QueueInfo info = made.describe();
  EXPECT_EQ(info.owner_uid, ::geteuid());
  EXPECT_GT(info.shared_bytes, 0U);
  link.remove("orders");
  EXPECT_EQ(error_of([&] { (void)link.open_queue("orders"); }).reason(), Errc::not_found);
  EXPECT_EQ(error_of([&] { link.remove("orders"); }).reason(), Errc::not_found);
  EXPECT_EQ(error_of([&] { (void)made.describe(); }).reason(), Errc::removed);
  EXPECT_EQ(error_of([&] { (void)made.producer(); }).reason(), Errc::removed);
}

TEST(Daemon, a_daemon_lists_more_queues_than_one_message_holds) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const QueueOptions options{.slots = 2, .lane_bytes = 0, .max_producers = 1, .max_consumers = 1, .max_groups = 0};
  for (int i = 100; i < 250; ++i) {
    (void)link.declare(std::to_string(i) + std::string(k_max_name_length - 3, 'x'), options);
  }
  const std::vector<QueueInfo> list = link.list();
  ASSERT_EQ(list.size(), 150U);
  for (int i = 0; i < 150; ++i) EXPECT_EQ(list[static_cast<std::size_t>(i)].name.substr(0, 3), std::to_string(100 + i));
}

TEST(Daemon, a_daemon_refuses_other_options_naming_the_option_and_both_values) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  (void)link.declare("orders", k_small);
  QueueOptions other = k_small;
  other.slot_bytes = 256;
  const Error error = error_of([&] { (void)link.declare("orders", other); });
  EXPECT_EQ(error.reason(), Errc::already_exists);
  EXPECT_NE(std::string(error.what()).find("slot_bytes 128, not 256"), std::string::npos) << error.what();
}

TEST(Daemon, a_daemon_refuses_to_start_beside_a_live_one_and_names_it) {
  TestDaemon daemon;
  const test::Outcome second = test::run({program("beltwayd"), "--socket", daemon.socket()});
  EXPECT_EQ(second.exit.code, 3);
  EXPECT_NE(second.err.find("process " + std::to_string(daemon.process().pid())), std::string::npos) << second.err;
  EXPECT_EQ(connect(daemon).ping().pid, daemon.process().pid());
}

TEST(Daemon, a_daemon_starts_beside_a_stale_socket) {
  const test::TempDir dir;
  const std::vector<std::string> command{program("beltwayd"), "--no-keeper", "--socket", dir.socket()};
  const auto answers = [&](pid_t pid) {
    return eventually([&] {
      try {
        return Connection::open({.socket = dir.socket()}).ping().pid == pid;
      } catch (const Error&) {
        return false;
      }
    });
  };
  Child first = Child::spawn(command);
  ASSERT_TRUE(answers(first.pid()));
  first.kill(SIGKILL);
  first.wait();
  ASSERT_TRUE(std::filesystem::is_socket(dir.socket()));
  Child second = Child::spawn(command);
  EXPECT_TRUE(answers(second.pid()));
  second.kill(SIGINT);
  EXPECT_TRUE(second.wait().ok());
  EXPECT_FALSE(std::filesystem::exists(dir.socket())) << "a clean end takes the socket away";
}

TEST(Daemon, a_daemon_does_not_replace_a_file_that_is_no_socket) {
  const test::TempDir dir;
  const auto file = dir.write("precious", "text");
  EXPECT_EQ(test::run({program("beltwayd"), "--socket", file}).exit.code, 1);
  EXPECT_EQ(test::read_file(file), "text");
}

TEST(Daemon, a_daemon_says_what_is_wrong_with_its_command_line) {
  EXPECT_EQ(test::run({program("beltwayd"), "--no-such-option"}).exit.code, 2);
  EXPECT_EQ(test::run({program("beltwayd"), "--log-level", "loud"}).exit.code, 2);
  EXPECT_EQ(test::run({program("beltwayd"), "--socket", "/" + std::string(200, 'x')}).exit.code, 1);
  const test::Outcome version = test::run({program("beltwayd"), "--version"});
  EXPECT_TRUE(version.exit.ok());
  EXPECT_EQ(version.out, "beltwayd " + std::string(k_version) + "\n");
  EXPECT_NE(test::run({program("beltwayd"), "--help"}).out.find("--max-bytes-per-user"), std::string::npos);
}

TEST(Daemon, a_daemon_logs_json_objects_when_asked) {
  const TestDaemon daemon({"--log-format", "json"});
  (void)connect(daemon).declare("orders", k_small);
  EXPECT_TRUE(eventually([&] { return daemon.log().find("orders") != std::string::npos; }));
  std::istringstream log(daemon.log());
  int lines = 0;
  for (std::string line; std::getline(log, line); ++lines) {
    const json entry = json::parse(line, nullptr, false);
    ASSERT_TRUE(entry.is_object()) << line;
    EXPECT_TRUE(entry["message"].is_string() && entry["level"].is_string() && entry["time"].is_string()) << line;
  }
  EXPECT_GE(lines, 2);
}

TEST(Daemon, a_daemon_ends_by_itself_when_idle) {
  const test::TempDir dir;
  Child daemon = Child::spawn({program("beltwayd"), "--socket", dir.socket(), "--idle-exit", "1"});
  EXPECT_TRUE(daemon.wait().ok());
}

TEST(Daemon, a_daemon_survives_garbage_and_disconnects_its_sender) {
  TestDaemon daemon;
  const std::size_t before = open_descriptors(daemon.process().pid());
  const std::vector<std::string> garbage{"garbage",
                                         "[]",
                                         "{}",
                                         "{\"op\":1,\"n\":1}",
                                         "{\"op\":\"ping\"}",
                                         "{\"op\":\"ping\",\"n\":-1}",
                                         std::string(k_max_protocol_bytes, '['),
                                         std::string(k_max_protocol_bytes + 1, 'x')};
  for (const bool greeted : {false, true}) {
    for (const std::string& text : garbage) {
      RawClient client(daemon);
      if (greeted) client.say_hello();
      client.say_raw(text);
      const json answer = client.hear();
      EXPECT_EQ(answer["error"]["errc"], "protocol") << text.substr(0, 40);
      EXPECT_TRUE(client.hear().is_null()) << "the connection stays open after: " << text.substr(0, 40);
    }
  }
  RawClient impolite(daemon);
  impolite.say({{"op", "ping"}, {"n", 1}});
  EXPECT_EQ(impolite.hear()["error"]["errc"], "protocol") << "hello comes first";
  RawClient other(daemon);
  const std::uint32_t unknown = k_protocol_version + 1;
  other.say({{"op", "hello"}, {"n", 1}, {"protocol", unknown}});
  EXPECT_NE(other.hear()["error"]["message"].get<std::string>().find("protocol " + std::to_string(unknown)),
            std::string::npos);
  impolite.close();
  other.close();
  EXPECT_TRUE(eventually([&] { return open_descriptors(daemon.process().pid()) <= before; }));
}

TEST(Daemon, a_daemon_closes_descriptors_that_it_did_not_ask_for) {
  TestDaemon daemon;
  const std::size_t before = open_descriptors(daemon.process().pid());
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  RawClient client(daemon);
  client.say_hello();
  client.say_with_descriptors(std::vector<int>(k_max_descriptors, null.get()));
  client.close();
  EXPECT_TRUE(eventually([&] { return open_descriptors(daemon.process().pid()) <= before; }));
  EXPECT_EQ(connect(daemon).ping().pid, daemon.process().pid());
}

TEST(Daemon, a_daemon_refuses_requests_that_make_no_sense_and_keeps_the_connection) {
  const TestDaemon daemon;
  const std::uint64_t id = connect(daemon).declare("orders", k_small).id();
  RawClient client(daemon);
  client.say_hello();
  const std::vector<std::pair<json, std::string>> requests{
      {{{"op", "declare"}, {"name", ""}}, "invalid_option"},
      {{{"op", "declare"}, {"name", std::string(256, 'x')}}, "invalid_option"},
      {{{"op", "declare"}, {"name", "a b"}}, "invalid_option"},
      {{{"op", "declare"}, {"name", "x"}, {"options", {{"slots", 3}}}}, "invalid_option"},
      {{{"op", "declare"}, {"name", "x"}, {"options", {{"colour", 3}}}}, "invalid_option"},
      {{{"op", "open"}, {"name", "nowhere"}}, "not_found"},
      {{{"op", "describe"}, {"queue", id + 1}}, "removed"},
      {{{"op", "attach"}, {"queue", id + 1}, {"role", "producer"}}, "removed"},
      {{{"op", "attach"}, {"queue", id}, {"role", "consumer"}, {"group", "none"}}, "not_found"},
      {{{"op", "attach"}, {"queue", id}, {"role", "consumer"}, {"group", "a b"}}, "invalid_option"},
      {{{"op", "attach"}, {"queue", id}, {"role", "consumer"}, {"group", "g"}, {"lossy", true}}, "invalid_option"},
      {{{"op", "add_group"}, {"queue", id}, {"group", ""}}, "invalid_option"},
      {{{"op", "remove_group"}, {"queue", id}, {"group", "none"}}, "not_found"},
      {{{"op", "purge"}, {"queue", id}, {"group", "none"}}, "not_found"},
      {{{"op", "pause_group"}, {"queue", id}, {"group", "none"}}, "not_found"},
      {{{"op", "resume_group"}, {"queue", id}, {"group", "none"}}, "not_found"},
      {{{"op", "reset_group"}, {"queue", id}, {"group", "none"}, {"to", "oldest"}}, "not_found"}};
  std::uint64_t number = 0;
  for (auto [request, errc] : requests) {
    request["n"] = ++number;
    client.say(request);
    const json answer = client.hear();
    EXPECT_EQ(answer["error"]["errc"], errc) << request << answer;
    EXPECT_EQ(answer["n"], number);
    EXPECT_TRUE(client.descriptors.empty());
  }
  client.say({{"op", "ping"}, {"n", 99}});
  EXPECT_EQ(client.hear()["n"], 99);
}

TEST(Daemon, a_daemon_is_not_held_up_by_a_client_that_does_not_read_its_answers) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  (void)link.declare("orders", k_small);
  RawClient deaf(daemon);
  deaf.say_hello();
  for (std::uint64_t i = 1; i < 2000; ++i) deaf.say({{"op", "list"}, {"n", i}});
  EXPECT_EQ(link.list().size(), 1U);
}

TEST(Daemon, a_daemon_refuses_connections_beyond_the_quota_of_a_user) {
  const TestDaemon daemon({"--max-connections-per-user", "3"});
  std::vector<Connection> links;
  ASSERT_TRUE(eventually([&] {  // the test daemon's own first look may still be leaving
    try {
      links.push_back(connect(daemon));
    } catch (const Error&) {
    }
    return links.size() == 3;
  }));
  const Error error = error_of([&] { links.push_back(connect(daemon)); });
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  EXPECT_NE(std::string(error.what()).find("--max-connections-per-user"), std::string::npos) << error.what();
  links.pop_back();
  EXPECT_TRUE(eventually([&] { return error_of([&] { (void)connect(daemon).ping(); }).reason() == Errc{}; }));
}

#ifndef BELTWAY_SANITIZED  // UBSan's check of vtables makes a pipe, and takes a failure for a finding
TEST(Daemon, a_daemon_without_free_descriptors_refuses_connections_with_a_reason_and_recovers) {
  const test::TempDir dir;
  const std::string command =
      "ulimit -n 24; exec " + program("beltwayd").string() + " --no-keeper --log-level off --socket ";
  Child daemon = Child::spawn({"/bin/sh", "-c", command + dir.socket().string()});
  const auto open = [&] { return Connection::open({.socket = dir.socket(), .start_daemon = false}); };
  ASSERT_TRUE(eventually([&] { return error_of([&] { (void)open(); }).reason() == Errc{}; }));
  std::vector<Connection> links;
  Error error(Errc{}, "");
  while (error.reason() == Errc{} && links.size() < 30) error = error_of([&] { links.push_back(open()); });
  EXPECT_EQ(error.reason(), Errc::limit_reached) << error.what();
  EXPECT_NE(std::string(error.what()).find("RLIMIT_NOFILE"), std::string::npos) << error.what();
  EXPECT_EQ(error_of([&] { (void)links.front().declare("orders", k_small); }).reason(), Errc::limit_reached);
  EXPECT_EQ(links.front().ping().pid, daemon.pid());
  links.clear();
  EXPECT_TRUE(eventually([&] { return error_of([&] { (void)open(); }).reason() == Errc{}; }));
}
#endif

TEST(Daemon, a_daemon_refuses_queues_and_bytes_beyond_the_quota_of_a_user) {
  const TestDaemon daemon({"--max-queues-per-user", "2", "--max-bytes-per-user", "1000000"});
  const Connection link = connect(daemon);
  QueueOptions large = k_small;
  large.lane_bytes = 1U << 20;
  EXPECT_EQ(error_of([&] { (void)link.declare("large", large); }).reason(), Errc::limit_reached);
  (void)link.declare("a", k_small);
  (void)link.declare("b", k_small);
  EXPECT_EQ(error_of([&] { (void)link.declare("c", k_small); }).reason(), Errc::limit_reached);
}

TEST(Daemon, a_daemon_loses_no_descriptor_over_queues_endpoints_and_their_ends) {
  TestDaemon daemon;
  const Connection link = connect(daemon);
  const auto turn = [&] {
    const Queue queue = link.declare("orders", k_small);
    auto out = queue.producer();
    auto in = queue.consumer();
    out.publish("x");
    EXPECT_TRUE(in.try_receive());
    (void)queue.snapshot();
    (void)connect(daemon).ping();
    link.remove("orders");
  };
  turn();
  const std::size_t before = open_descriptors(daemon.process().pid());
  const std::size_t ours = open_descriptors(::getpid());
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_TRUE(eventually([&] { return open_descriptors(daemon.process().pid()) <= before; }));
  EXPECT_EQ(open_descriptors(::getpid()), ours);
}

TEST(Daemon, a_daemon_ends_in_order_and_tells_the_attached_processes) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  auto in = queue.consumer();
  daemon.process().kill(SIGTERM);
  EXPECT_TRUE(daemon.process().wait().ok());
  EXPECT_EQ(in.receive(std::chrono::seconds(20)).status(), Status::removed);
  const Error error = error_of([&] { (void)queue.describe(); });
  EXPECT_EQ(error.reason(), Errc::no_daemon);
}

}  // namespace
}  // namespace beltway
