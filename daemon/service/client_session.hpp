// One connection to the daemon: reads requests one at a time, answers them in order, and tells the registry when it ends or
// when its process does.
//
// A bad client costs itself the connection and others nothing: what it sends is bounded, its next request is read only when
// the last answer has gone out, and nothing that it does blocks the daemon.
// Ownership: the socket and the pidfd; kept alive by its own pending waits and by the server. Thread safety: one thread.
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
  /// What the server wants to know. Both may be called from within the session's own handlers.
  struct Events {
    std::function<void(std::uint64_t session)> ended;
    std::function<void()> answered;  ///< a request was handled: there may be pending_deaths, or a queue less
  };

  ClientSession(boost::asio::io_context& io, os::Fd socket, Peer peer, std::uint64_t id, Registry& registry,
                std::string path, Events events);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  void start();
  /// Says why, once, and ends: for a caller that must be turned away.
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
  boost::asio::posix::stream_descriptor socket_wait_;  ///< waits on the channel's socket, which it does not own
  boost::asio::posix::stream_descriptor process_;      ///< pidfd; closed if there is none
  std::optional<Reply> reply_;                         ///< what could not be sent yet
  bool stopped_ = false;
};

}  // namespace beltway::daemon
