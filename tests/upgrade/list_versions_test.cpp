// A client and an older daemon that knows neither `changed_since` of `list` nor the connections of `quota`: a proxy leaves them
// out of requests and replies of the daemon of this build.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "client/queries.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "watch/machine.hpp"
#include "watch/watcher.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;

class OlderDaemon {
 public:
  explicit OlderDaemon(const TestDaemon& daemon) : daemon_(daemon.socket()), listener_(listen_at(socket())) {
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
  }
  OlderDaemon(const OlderDaemon&) = delete;
  OlderDaemon& operator=(const OlderDaemon&) = delete;
  ~OlderDaemon() = default;

  [[nodiscard]] std::filesystem::path socket() const { return dir_.socket(); }

 private:
  static Fd listen_at(const std::filesystem::path& path) {
    const sockaddr_un address = socket_address(path);
    Fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool listens = ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                         ::listen(made.get(), 8) == 0;
    if (!listens) throw std::system_error(errno, std::generic_category(), "listen");
    return made;
  }

  void accept_all(const std::stop_token& stop) {
    std::vector<std::jthread> sessions;
    while (!stop.stop_requested()) {
      Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!client) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      auto channel = std::make_shared<Channel>(std::move(client));
      sessions.emplace_back([this, channel](const std::stop_token& ended) { serve(*channel, ended); });
    }
  }

  void serve(Channel& client, const std::stop_token& stop) const {
    const sockaddr_un address = socket_address(daemon_);
    Fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    Channel daemon(std::move(made));
    while (!stop.stop_requested() && !client.is_cut()) {
      Packet request;
      if (!client.receive(request, steady_clock::now() + 20ms)) continue;
      request.body.erase("changed_since");
      const std::string op = request.body.value("op", "");
      if (!daemon.send(request.body, steady_clock::now() + 20s)) return;
      if (op == "detach" || op == "filled") continue;
      Packet reply;
      if (!daemon.receive(reply, steady_clock::now() + 20s)) return;
      make_older(reply.body);
      std::vector<int> descriptors;
      for (const Fd& each : reply.descriptors) descriptors.push_back(each.get());
      if (client.try_send(std::move(reply.body), descriptors) != ChannelStatus::ok) return;
    }
  }

  static void make_older(json& reply) {
    for (const char* const field : {"revision", "removed"}) reply.erase(field);
    if (!reply.contains("quota")) return;
    for (const char* const field : {"connections", "max_connections", "most_connections"}) reply["quota"].erase(field);
  }

  TempDir dir_;
  const std::filesystem::path daemon_;
  const Fd listener_;
  std::jthread acceptor_;
};

class ListVersions : public testing::Test {
 protected:
  TestDaemon daemon_;
  Connection connection_ = connect(daemon_);
  OlderDaemon older_{daemon_};
};

TEST_F(ListVersions, older_daemon_without_changed_since_answers_with_all_queues_each_time) {
  static_cast<void>(connection_.declare("a", k_small));
  client::Session session({.socket = older_.socket(), .start_daemon = false});
  for (const std::uint64_t since : {std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{7}}) {
    const client::QueueChanges changes = client::list_changes(session, since, Until());
    EXPECT_TRUE(changes.complete);
    EXPECT_EQ(changes.revision, 0U) << "there is none to ask with next time";
    EXPECT_EQ(changes.queues.size(), 1U);
    EXPECT_TRUE(changes.removed.empty());
  }
}

TEST_F(ListVersions, watcher_of_an_older_daemon_sees_queues_that_come_and_go) {
  static_cast<void>(connection_.declare("a", k_small));
  watch::Watcher watcher({.connection = {.socket = older_.socket(), .start_daemon = false}});
  const auto has_only = [&watcher](const std::string& name) {
    watcher.sample();
    const auto& queues = watcher.fleet().queues;
    return queues.size() == 1 && queues[0].info.name == name && queues[0].readable;
  };
  EXPECT_TRUE(eventually([&] { return has_only("a"); }));
  static_cast<void>(connection_.declare("b", k_small));
  connection_.remove("a");
  EXPECT_TRUE(eventually([&] { return has_only("b"); }));
}

TEST_F(ListVersions, older_daemon_that_tells_no_connections_gives_no_verdict_about_them) {
  client::Session session({.socket = older_.socket(), .start_daemon = false});
  watch::Fleet fleet;
  fleet.daemon = client::ask_daemon(session, Until(), &fleet.quota);
  ASSERT_TRUE(fleet.quota);
  EXPECT_EQ(fleet.quota->max_connections, 0U);
  EXPECT_EQ(fleet.quota->max_queues, k_default_max_queues_per_user);
  EXPECT_TRUE(watch::daemon_verdicts(fleet).empty());
}

}  // namespace
}  // namespace beltway::test
