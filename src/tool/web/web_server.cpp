// See web_server.hpp.
#include "tool/web/web_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

namespace asio = boost::asio;
using asio::generic::stream_protocol;

namespace {

constexpr int k_backlog = 64;
/// While descriptors are short.
constexpr std::chrono::seconds k_accept_pause{1};

[[noreturn]] void fail(const std::string& what, const boost::system::error_code& why) {
  throw Failure(ExitCode::failed, what + ": " + why.message());
}

/// True if a process listens there.
bool is_served(const asio::local::stream_protocol::endpoint& endpoint) {
  asio::io_context loop;
  asio::local::stream_protocol::socket socket(loop);
  boost::system::error_code error;
  socket.connect(endpoint, error);
  return !error;
}

/// Removes a socket that a killed server left. Throws Failure if the path is something else.
void clear_path(const std::string& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode))
    throw Failure(ExitCode::failed, "--unix " + path + ": there is a file that is no socket");
  if (is_served(asio::local::stream_protocol::endpoint(path)))
    throw Failure(ExitCode::failed, "--unix " + path + ": another process listens there");
  unlink(path.c_str());
}

WebSecrets secrets_of(const WebOptions& options) {
  return options.token_file.empty() ? make_web_secrets() : web_secrets_of_file(options.token_file);
}

}  // namespace

WebServer::WebServer(const WebOptions& options)
    : acceptor_(loop_),
      pause_(loop_),
      port_(options.port),
      backend_(options.connection, options.history, options.read_only),
      shared_{.access = {{}, {}},
              .limits = options.limits,
              .backend = backend_,
              .loop = loop_,
              .read_only = options.read_only,
              .metrics_open = options.metrics_open} {
  WebSecrets secrets = secrets_of(options);
  if (options.unix_path.empty()) {
    listen_on_loopback(options.port);
  } else {
    listen_at_path(options.unix_path);
  }
  shared_.access = {std::move(secrets), options.unix_path.empty() ? std::optional(port_) : std::nullopt};
}

WebServer::~WebServer() {
  backend_.stop();
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
}

void WebServer::listen_on_loopback(std::uint16_t port) {
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  boost::system::error_code error;
  acceptor_.open(stream_protocol(AF_INET, IPPROTO_TCP), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(stream_protocol::endpoint(endpoint), error);
  if (!error) acceptor_.listen(k_backlog, error);
  if (error) fail("listen on 127.0.0.1, port " + std::to_string(port), error);
  const stream_protocol::endpoint bound = acceptor_.local_endpoint();
  asio::ip::tcp::endpoint place;
  std::memcpy(place.data(), bound.data(), std::min(bound.size(), place.capacity()));
  port_ = place.port();
}

void WebServer::listen_at_path(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    throw Failure(ExitCode::usage, "--unix " + path + ": a socket's path has at most 107 bytes");
  clear_path(path);
  const asio::local::stream_protocol::endpoint endpoint(path);
  boost::system::error_code error;
  acceptor_.open(stream_protocol(AF_UNIX, 0), error);
  const mode_t before = umask(0177);  // from the first moment on nobody else reaches it
  if (!error) acceptor_.bind(stream_protocol::endpoint(endpoint), error);
  umask(before);
  if (!error) unix_path_ = path;
  if (!error) acceptor_.listen(k_backlog, error);
  if (error) fail("listen at " + path, error);
}

std::string WebServer::url() const {
  const std::string place = unix_path_.empty() ? "127.0.0.1:" + std::to_string(port_) : "localhost:PORT";
  return "http://" + place + "/?token=" + token();
}

void WebServer::run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { asio::post(loop_, [this] { loop_.stop(); }); });
  backend_.start([this](const WebNews::Text& text) { asio::post(loop_, [this, text] { spread(text); }); });
  accept();
  loop_.run();
  backend_.stop();
  for (const auto& each : sessions_) {
    if (const auto session = each.lock()) session->cut();
  }
}

void WebServer::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, stream_protocol::socket socket) {
    if (!error) {
      admit(std::move(socket));
      return accept();
    }
    pause_.expires_after(k_accept_pause);
    pause_.async_wait([this](boost::system::error_code failed) {
      if (!failed) accept();
    });
  });
}

void WebServer::admit(stream_protocol::socket socket) {
  std::erase_if(sessions_, [](const std::weak_ptr<WebSession>& each) { return each.expired(); });
  const auto session = std::make_shared<WebSession>(std::move(socket), shared_);
  if (sessions_.size() >= shared_.limits.connections && !make_room())
    return session->refuse("there are " + std::to_string(shared_.limits.connections) + " connections already");
  sessions_.push_back(session);
  session->start();
}

bool WebServer::make_room() {
  const auto stranger = std::ranges::find_if(sessions_, [](const std::weak_ptr<WebSession>& each) {
    const auto session = each.lock();
    return session == nullptr || !session->is_known();
  });
  if (stranger == sessions_.end()) return false;
  if (const auto session = stranger->lock()) session->cut();
  sessions_.erase(stranger);
  return true;
}

void WebServer::spread(const WebNews::Text& text) {
  for (const auto& each : sessions_) {
    const auto session = each.lock();
    if (session != nullptr && session->gets_news()) session->send_news(text);
  }
}

}  // namespace beltway::tool
