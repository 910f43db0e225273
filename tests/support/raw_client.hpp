// A client of the daemon that says what it likes, and what tests of the daemon from outside share.
// Thread safety: none.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "beltway/connection.hpp"
#include "beltway/error.hpp"
#include "beltway/version.hpp"
#include "client/channel.hpp"
#include "client/socket_path.hpp"
#include "daemon.hpp"
#include "error_of.hpp"

namespace beltway::test {

using namespace beltway::client;
using namespace beltway::os;

/// A queue that costs little.
inline const QueueOptions k_small{
    .slots = 16, .lane_bytes = 4096, .max_producers = 2, .max_consumers = 2, .max_groups = 2};

[[nodiscard]] inline Connection connect(const TestDaemon& daemon) {
  return Connection::open({.socket = daemon.socket(), .start_daemon = false});
}

[[nodiscard]] inline std::size_t open_descriptors(pid_t pid) {
  const auto folder = std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

class RawClient {
 public:
  explicit RawClient(const TestDaemon& daemon) : RawClient(daemon.socket()) {}
  explicit RawClient(const std::filesystem::path& socket) {
    const sockaddr_un address = socket_address(socket);
    Fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
    channel_ = Channel(std::move(made));
  }

  void say(const nlohmann::json& message) { static_cast<void>(channel_.try_send(message)); }
  void say_hello() {
    say({{"op", "hello"}, {"n", 0}, {"protocol", k_protocol_version}, {"version", k_version}});
    EXPECT_EQ(hear()["n"], 0);
  }
  void say_raw(const std::string& text) { ::send(channel_.descriptor(), text.data(), text.size(), MSG_NOSIGNAL); }
  /// False if the kernel refuses, since the daemon wants none (Linux 6.16).
  bool say_with_descriptors(const std::vector<int>& uninvited) {
    try {
      return channel_.try_send({{"op", "ping"}, {"n", 1}}, uninvited) == ChannelStatus::ok;
    } catch (const Error&) {
      return false;
    }
  }
  /// The next answer; null if the daemon has closed the connection.
  nlohmann::json hear() {
    Packet packet;
    const bool heard = channel_.receive(packet, std::chrono::steady_clock::now() + std::chrono::seconds(20));
    descriptors = std::move(packet.descriptors);
    return heard ? packet.body : nlohmann::json();
  }
  void close() { channel_.close(); }

  std::vector<Fd> descriptors;  ///< that came with the last answer

 private:
  Channel channel_;
};

}  // namespace beltway::test
