// See web_session.hpp.
#include "tool/web/web_session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>
#include <utility>

namespace beltway::tool {

namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds k_linger{1};
constexpr std::size_t k_linger_bytes = 4 * k_max_web_body_bytes;
constexpr std::size_t k_drained_bytes = 4096;

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

WebSession::WebSession(Stream::socket_type socket, WebShared& shared) : stream_(std::move(socket)), shared_(shared) {}

void WebSession::start() { read_header(); }

void WebSession::cut() { stream_.close(); }

void WebSession::refuse(const std::string& why) {
  closing_ = true;
  send(http_reply(error_answer(503, why), false));
}

void WebSession::read_header() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
  parser_->body_limit(shared_.limits.body_bytes);
  stream_.expires_after(known_ ? shared_.limits.idle : shared_.limits.request);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](Error error, std::size_t) { self->on_header(error); });
}

RequestHead WebSession::head() const {
  const auto& request = parser_->get();
  return {.method = view_of(request.method_string()),
          .target = view_of(request.target()),
          .host = view_of(request[http::field::host]),
          .origin = view_of(request[http::field::origin]),
          .fetch_site = view_of(request["Sec-Fetch-Site"]),
          .cookies = view_of(request[http::field::cookie]),
          .token = view_of(request["X-Beltway-Token"]),
          .authorization = view_of(request[http::field::authorization])};
}

bool WebSession::may_have(const RequestHead& head, Admission admission) const {
  if (admission == Admission::full || admission == Admission::by_url) return true;
  if (admission == Admission::page_only)
    return !head.target.starts_with("/api") && !head.target.starts_with("/metrics");
  return admission == Admission::nobody && shared_.metrics_open &&
         head.target.substr(0, head.target.find('?')) == "/metrics";
}

void WebSession::on_header(Error error) {
  if (error) return answer_error(error);
  const RequestHead asked = head();
  admission_ = shared_.access.admit(asked);
  if (!may_have(asked, admission_)) {
    // The cookie opens no data: that is told as if there were none.
    closing_ = true;
    return reply(refusal_answer(admission_ == Admission::page_only ? Admission::nobody : admission_));
  }
  known_ = known_ || admission_ == Admission::full;
  stream_.expires_after(shared_.limits.request);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Error failed, std::size_t) { self->on_body(failed); });
}

void WebSession::answer_error(Error error) {
  closing_ = true;
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return reply(error_answer(
        431, "the header of a request has at most " + std::to_string(shared_.limits.header_bytes) + " bytes"));
  if (error == http::error::body_limit)
    return reply(
        error_answer(413, "the body of a request has at most " + std::to_string(shared_.limits.body_bytes) + " bytes"));
  const bool is_bad_request = error.category() == Error(http::error::bad_method).category() &&
                              error != http::error::end_of_stream && error != http::error::partial_message;
  if (is_bad_request) return reply(error_answer(400, "this is no HTTP request: " + error.message()));
  cut();
}

void WebSession::on_body(Error error) {
  if (error) return answer_error(error);
  if (admission_ == Admission::by_url) return send(redirect_reply(shared_.access));
  try {
    const RequestHead asked = head();
    const WebRequest request = parse_web_request(asked.method, asked.target, parser_->get().body());
    if (std::holds_alternative<ActRequest>(request)) {
      if (!WebAccess::may_act(asked))
        throw WebRefusal(403, "an act needs the header Origin: http://" + std::string(asked.host));
      if (shared_.read_only) throw WebRefusal(403, "beltway web was started with --read-only");
    }
    dispatch(request);
  } catch (const WebRefusal& refusal) {
    reply(error_answer(refusal.status(), refusal.what()));
  }
}

void WebSession::dispatch(const WebRequest& request) {
  if (const auto* const file = std::get_if<FileRequest>(&request)) return reply(file_answer(file->name));
  if (std::holds_alternative<EventsRequest>(request)) return begin_news();
  stream_.expires_never();  // the answer takes its time, which is ours
  const bool asked = shared_.backend.ask(request, [self = shared_from_this()](WebAnswer answer) {
    boost::asio::post(self->shared_.loop, [self, answer = std::move(answer)] { self->reply(answer); });
  });
  if (!asked) reply(error_answer(503, "too many requests wait; try again in a second"));
}

void WebSession::reply(const WebAnswer& answer) { send(http_reply(answer, !closing_ && parser_->get().keep_alive())); }

void WebSession::send(HttpReply&& reply) {
  reply_.emplace(std::move(reply));
  stream_.expires_after(shared_.limits.request);
  http::async_write(stream_, *reply_, [self = shared_from_this()](Error error, std::size_t) {
    if (error) return self->cut();
    if (!self->reply_->keep_alive()) return self->linger();
    self->read_header();
  });
}

/// Closes so that the peer gets the answer: what it still sends is read and dropped for a moment. A close with bytes unread would
/// reset the connection, and the answer with it.
void WebSession::linger() {
  Error ignored;
  stream_.socket().shutdown(Stream::socket_type::shutdown_send, ignored);
  stream_.expires_after(k_linger);
  drain(k_linger_bytes);
}

void WebSession::drain(std::size_t most) {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(k_drained_bytes),
                          [self = shared_from_this(), most](Error error, std::size_t count) {
                            if (error || count >= most) return self->cut();
                            self->drain(most - count);
                          });
}

void WebSession::begin_news() {
  stream_.expires_never();
  const bool asked = shared_.backend.ask_whole([self = shared_from_this()](const WebNews::Text& whole) {
    boost::asio::post(self->shared_.loop, [self, whole] {
      self->gets_news_ = true;
      self->stream_.expires_never();
      self->drain(std::numeric_limits<std::size_t>::max());  // keeps the session, and tells that the reader is gone
      self->send_news(std::make_shared<const std::string>(stream_header()));
      self->send_news(whole);
    });
  });
  if (!asked) reply(error_answer(503, "too many requests wait; try again in a second"));
}

void WebSession::send_news(const WebNews::Text& text) {
  news_bytes_ += text->size();
  // The whole state may be larger than what may wait behind it.
  if (news_.size() > 1 && news_bytes_ > shared_.limits.backlog_bytes) return cut();
  news_.push_back(text);
  if (news_.size() == 1) write_news();
}

void WebSession::write_news() {
  stream_.expires_after(shared_.limits.request);
  boost::asio::async_write(stream_, boost::asio::buffer(*news_.front()),
                           [self = shared_from_this()](Error error, std::size_t) {
                             if (error) return self->cut();
                             self->news_bytes_ -= self->news_.front()->size();
                             self->news_.pop_front();
                             self->stream_.expires_never();
                             if (!self->news_.empty()) self->write_news();
                           });
}

}  // namespace beltway::tool
