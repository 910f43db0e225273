// One connection of `beltway web`: reads a request, has it checked and answered, and reads the next one; or sends live news.
//
// A request that is not admitted is answered before its path is looked at. Whoever sends or reads too slowly is cut.
// Thread safety: the server's thread; a WebSession keeps itself alive while something is pending.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "tool/web/web_access.hpp"
#include "tool/web/web_backend.hpp"
#include "tool/web/web_limits.hpp"
#include "tool/web/web_reply.hpp"

namespace beltway::tool {

/// Times and sizes, which tests make small.
struct WebLimits {
  std::size_t connections = k_max_web_connections;
  std::size_t header_bytes = k_max_web_header_bytes;
  std::size_t body_bytes = k_max_web_body_bytes;
  std::size_t backlog_bytes = k_max_web_backlog_bytes;
  std::chrono::milliseconds request{10'000};  ///< to send a request, and to read an answer or a piece of news
  std::chrono::milliseconds idle{60'000};     ///< between two requests, for whom has shown the token
};

/// What all connections of a server share. Outlives them.
struct WebShared {
  WebAccess access;
  WebLimits limits;
  WebBackend& backend;
  boost::asio::io_context& loop;
  bool read_only = false;
  bool metrics_open = false;
};

class WebSession : public std::enable_shared_from_this<WebSession> {
 public:
  using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

  WebSession(Stream::socket_type socket, WebShared& shared);

  void start();
  /// Closes the connection; what is pending ends.
  void cut();
  /// Closes it after an answer that says why.
  void refuse(const std::string& why);
  /// To a connection that gets live news.
  void send_news(const WebNews::Text& text);

  /// Whether a request has shown the token.
  [[nodiscard]] bool is_known() const noexcept { return known_; }
  [[nodiscard]] bool gets_news() const noexcept { return gets_news_; }

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Error = boost::beast::error_code;

  void read_header();
  void on_header(Error error);
  void on_body(Error error);
  void answer_error(Error error);
  void answer_admitted(Admission admission);
  void dispatch(const WebRequest& request);
  void reply(const WebAnswer& answer);
  void send(HttpReply&& reply);
  void linger();
  void drain(std::size_t most);
  void begin_news();
  void write_news();
  [[nodiscard]] RequestHead head() const;
  [[nodiscard]] bool may_have(const RequestHead& head, Admission admission) const;

  Stream stream_;
  WebShared& shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<HttpReply> reply_;
  Admission admission_ = Admission::nobody;
  bool known_ = false;
  bool gets_news_ = false;
  bool closing_ = false;            // an answer is the last one
  std::deque<WebNews::Text> news_;  // the first one is being written
  std::size_t news_bytes_ = 0;
};

}  // namespace beltway::tool
