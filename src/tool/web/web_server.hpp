// The server of `beltway web`: listens on loopback or at a Unix socket, and keeps its connections.
//
// It listens nowhere else: what it shows and does has the rights of the user who started it, and HTTP hides neither token nor
// data from a network. From elsewhere one comes through ssh -L.
// Thread safety: one thread; run() may be stopped from any thread by its token.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "beltway/options.hpp"
#include "tool/web/web_access.hpp"
#include "tool/web/web_backend.hpp"
#include "tool/web/web_session.hpp"

namespace beltway::tool {

struct WebOptions {
  ConnectionOptions connection = {};
  std::uint16_t port = 0;      ///< of 127.0.0.1; 0: a free one
  std::string unix_path = {};  ///< listens there instead, mode 0600
  std::string token_file = {};
  bool read_only = false;
  bool metrics_open = false;
  std::chrono::seconds history{3600};
  WebLimits limits = {};
};

class WebServer {
 public:
  /// Listens. Throws Failure (the port or path is taken), Error(no_daemon).
  explicit WebServer(const WebOptions& options);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// Serves until a stop is requested.
  void run(const std::stop_token& stop);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const std::string& token() const noexcept { return shared_.access.token(); }
  /// What a browser opens. At a Unix socket: through a tunnel to that port.
  [[nodiscard]] std::string url() const;

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  void listen_on_loopback(std::uint16_t port);
  void listen_at_path(const std::string& path);
  void accept();
  void admit(WebSession::Stream::socket_type socket);
  /// Makes room for one more connection: a stranger's oldest one goes. False: all have shown the token.
  bool make_room();
  void spread(const WebNews::Text& text);

  boost::asio::io_context loop_{1};
  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::string unix_path_;  // to be removed at the end; empty: none
  WebBackend backend_;
  WebShared shared_;
  std::vector<std::weak_ptr<WebSession>> sessions_;  // the oldest first
};

}  // namespace beltway::tool
