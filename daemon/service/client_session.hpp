// One connection to the daemon. The session reads requests one at a time and answers them in order. It tells the registry when
// the connection ends, or when the client's process ends.
//
// A bad client loses its connection and disturbs no other client: the size of a request is bounded, the session reads the next
// request only after it has sent the last answer, and no request blocks the daemon.
// Ownership: owns the socket and the pidfd. The server and the session's pending waits keep the session alive. Thread safety: one
// thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/channel.hpp"
#include "queues/peer.hpp"
#include "service/requests.hpp"

namespace beltway::daemon {

class ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  /// The server's callbacks. The session may call all from within its own handlers.
  struct Events {
    std::function<void(std::uint64_t session)> ended;
    std::function<ConnectionUse()> connection_use;  ///< of the peer's user
    std::function<void()> answered;  ///< a request was handled: a death may be pending, or a queue may be gone
  };

  ClientSession(boost::asio::io_context& io, os::Fd socket, Peer peer, std::uint64_t id, Registry& registry,
                std::string path, Events events);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  void start();
  /// Sends `error` once and ends the connection: for a client that the daemon must not serve.
  void refuse(const Error& error);
  /// Ends the connection. Safe to repeat.
  void stop();

  [[nodiscard]] const Peer& peer() const noexcept { return peer_; }
  [[nodiscard]] const std::vector<wire::EndpointName>& endpoints() const noexcept { return caller_.endpoints; }

 private:
  void wait_for_request();
  void wait_for_death();
  void handle_request();
  void handle(const nlohmann::json& request);
  void send_reply();

  Peer peer_;
  Caller caller_;
  Events events_;
  client::Channel channel_;
  boost::asio::posix::stream_descriptor socket_wait_;  ///< waits on the socket that channel_ owns
  boost::asio::posix::stream_descriptor process_;      ///< pidfd; closed if there is none
  std::optional<Reply> reply_;                         ///< the reply that could not be sent yet
  bool stopped_ = false;
};

}  // namespace beltway::daemon
