// One connection to RabbitMQ with one channel, as librabbitmq has it.
//
// The server is not trusted: its frames are decoded and bounded by librabbitmq, and this file keeps nothing of a frame beyond the
// next call.
// Thread safety: one thread.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <memory>
#include <string>
#include <string_view>

#include "bridge/remote.hpp"

namespace beltway::bridge {

[[nodiscard]] inline amqp_bytes_t bytes_of(std::string_view text) noexcept {
  // librabbitmq takes no const, and does not write.
  return {text.size(), const_cast<char*>(text.data())};
}
[[nodiscard]] inline std::string_view view_of(const amqp_bytes_t& bytes) noexcept {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

class AmqpConnection {
 public:
  static constexpr amqp_channel_t k_channel = 1;

  /// Connects, logs in, opens the channel. Throws RouteError.
  AmqpConnection(const ServerOptions& server, const std::string& route_name);
  ~AmqpConnection();
  AmqpConnection(const AmqpConnection&) = delete;
  AmqpConnection& operator=(const AmqpConnection&) = delete;

  [[nodiscard]] amqp_connection_state_t get() const noexcept { return state_; }
  [[nodiscard]] int descriptor() const noexcept { return amqp_get_sockfd(state_); }

  /// The next frame that has come, without waiting. Sends signs of life. Frames about the connection itself are handled here.
  /// Throws RouteError if the connection or the channel has ended. The frame is valid until the next call.
  [[nodiscard]] bool next_frame(amqp_frame_t& frame);
  /// Why the server wants no messages; empty: it takes them.
  [[nodiscard]] const std::string& why_blocked() const noexcept { return why_blocked_; }

  /// Throws RouteError if the request before has failed.
  void check_reply(const std::string& what);
  /// Throws RouteError unless `status` is that of success.
  static void check_status(int status, const std::string& what);
  /// Says goodbye, so that the server handles all that was sent to it.
  void close() noexcept;

 private:
  void open_socket(const ServerOptions& server);
  void log_in(const ServerOptions& server, const std::string& route_name);
  /// True if the frame was about the connection.
  bool handle_connection(const amqp_frame_t& frame);

  amqp_connection_state_t state_;
  std::string why_blocked_;
};

}  // namespace beltway::bridge
