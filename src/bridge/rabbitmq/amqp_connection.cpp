#include "bridge/rabbitmq/amqp_connection.hpp"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/time.h>

#include <algorithm>
#include <array>

#include "base/printable.hpp"
#include "bridge/bridge_limits.hpp"

namespace beltway::bridge {

namespace {

/// Bytes of a frame: as RabbitMQ proposes.
constexpr int k_frame_bytes = 131072;
/// A goodbye is a courtesy: a server that does not answer gets no long time for it.
constexpr timeval k_goodbye_time{2, 0};

/// What a reply code says about another attempt. The codes are those of the specification of AMQP 0-9-1.
Fault fault_of(std::uint16_t code) {
  constexpr std::array<std::uint16_t, 5> k_refusals{403, 404, 405, 406, 530};
  return std::ranges::find(k_refusals, code) != k_refusals.end() ? Fault::refused : Fault::lost;
}

std::string printable_text(const amqp_bytes_t& bytes) {
  return printable(std::string(view_of(bytes).substr(0, k_max_error_bytes)));
}

[[noreturn]] void throw_close(const amqp_method_t& method, const std::string& what) {
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_connection_close_t*>(method.decoded);
    throw RouteError(fault_of(close->reply_code), what + ": " + printable_text(close->reply_text));
  }
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_channel_close_t*>(method.decoded);
    throw RouteError(fault_of(close->reply_code), what + ": " + printable_text(close->reply_text));
  }
  throw RouteError(Fault::lost, what + ": the server answered with another method than the one expected");
}

/// Throws RouteError if TLS has failed while a connection begins. A person must mend certificates, and a server without TLS; a
/// connection that ends in the middle of a handshake is a loss.
void check_tls(int status, const std::string& what, const ServerOptions& server, const std::string& authorities) {
  if (status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED)
    throw RouteError(Fault::refused, what + ": the server's certificate is not for host " + printable(server.host));
  if (status != AMQP_STATUS_SSL_CONNECTION_FAILED && status != AMQP_STATUS_SSL_PEER_VERIFY_FAILED &&
      status != AMQP_STATUS_SSL_ERROR)
    return;
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const char* const text = ERR_reason_error_string(error);
  const std::string why = what + ": TLS: " + (text == nullptr ? "the handshake ended early" : text);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED || status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED)
    throw RouteError(Fault::refused, why + ": no authority in " + authorities + " vouches for the server");
  if (reason == SSL_R_WRONG_VERSION_NUMBER)
    throw RouteError(Fault::refused, why + ": the server does not speak TLS on this port");
  // Alerts of the server: it wants another certificate of the bridge, or another version.
  throw RouteError(text != nullptr && reason >= SSL_AD_REASON_OFFSET ? Fault::refused : Fault::lost, why);
}

/// The file with the certificates that the bridge trusts.
std::string authorities_of(const ServerOptions& server) {
  return server.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : server.ca_file;
}

amqp_table_entry_t truth_entry(const char* name) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

amqp_table_entry_t text_entry(const char* name, std::string_view text) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = bytes_of(text);
  return entry;
}

}  // namespace

AmqpConnection::AmqpConnection(const ServerOptions& server, const std::string& route_name)
    : state_(amqp_new_connection()) {
  if (state_ == nullptr) throw RouteError(Fault::lost, "no memory for a connection");
  try {
    open_socket(server);
    log_in(server, route_name);
    amqp_channel_open(state_, k_channel);
    check_reply("open a channel at " + server.shown());
  } catch (...) {
    amqp_destroy_connection(state_);
    throw;
  }
}

AmqpConnection::~AmqpConnection() { amqp_destroy_connection(state_); }

void AmqpConnection::open_socket(const ServerOptions& server) {
  const timeval timeout{k_connect_timeout.count(), 0};
  amqp_set_handshake_timeout(state_, &timeout);
  amqp_set_rpc_timeout(state_, &timeout);
  amqp_socket_t* const socket = server.tls ? amqp_ssl_socket_new(state_) : amqp_tcp_socket_new(state_);
  if (socket == nullptr) throw RouteError(Fault::lost, "no memory for a socket");
  if (server.tls) {
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    const std::string authorities = authorities_of(server);
    const bool has_authorities = amqp_ssl_socket_set_cacert(socket, authorities.c_str()) == AMQP_STATUS_OK;
    if (!has_authorities) throw RouteError(Fault::refused, "no certificates of authorities in " + authorities);
    const bool has_key =
        server.certificate_file.empty() ||
        amqp_ssl_socket_set_key(socket, server.certificate_file.c_str(), server.key_file.c_str()) == AMQP_STATUS_OK;
    if (!has_key) throw RouteError(Fault::refused, "no certificate and key in " + server.certificate_file);
  }
  const std::string what = "connect to " + server.shown();
  ERR_clear_error();
  const int status = amqp_socket_open_noblock(socket, server.host.c_str(), server.port, &timeout);
  check_tls(status, what, server, authorities_of(server));
  if (status == AMQP_STATUS_SOCKET_ERROR)
    throw RouteError(Fault::lost, what + ": no connection: the server does not run, or listens on another port");
  check_status(status, what);
}

void AmqpConnection::log_in(const ServerOptions& server, const std::string& route_name) {
  // That the server says so when it blocks us, deletes our queue, or refuses our password.
  std::array<amqp_table_entry_t, 5> capabilities{
      truth_entry("connection.blocked"), truth_entry("consumer_cancel_notify"),
      truth_entry("authentication_failure_close"), truth_entry("basic.nack"), truth_entry("publisher_confirms")};
  std::array<amqp_table_entry_t, 3> entries{
      text_entry("product", "Beltway"), text_entry("connection_name", route_name), {}};
  entries[2].key = amqp_cstring_bytes("capabilities");
  entries[2].value.kind = AMQP_FIELD_KIND_TABLE;
  entries[2].value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  const amqp_table_t properties{static_cast<int>(entries.size()), entries.data()};
  const amqp_rpc_reply_t reply =
      amqp_login_with_properties(state_, server.virtual_host.c_str(), 0, k_frame_bytes, k_heartbeat_s, &properties,
                                 AMQP_SASL_METHOD_PLAIN, server.user.c_str(), server.password.c_str());
  const std::string what = "log in at " + server.shown() + " as " + printable(server.user);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) throw_close(reply.reply, what);
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
    // In TLS 1.3 a server refuses the bridge's certificate after the handshake.
    check_tls(reply.library_error, what, server, authorities_of(server));
    check_status(reply.library_error, what);
  }
  if (reply.reply_type == AMQP_RESPONSE_NONE) throw RouteError(Fault::lost, what + ": the server hung up");
}

void AmqpConnection::check_status(int status, const std::string& what) {
  if (status == AMQP_STATUS_OK) return;
  throw RouteError(Fault::lost, what + ": " + amqp_error_string2(status));
}

void AmqpConnection::check_reply(const std::string& what) {
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply(state_);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) throw_close(reply.reply, what);
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) check_status(reply.library_error, what);
}

bool AmqpConnection::next_frame(amqp_frame_t& frame) {
  for (;;) {
    amqp_maybe_release_buffers(state_);
    const timeval at_once{0, 0};
    const int status = amqp_simple_wait_frame_noblock(state_, &frame, &at_once);
    if (status == AMQP_STATUS_TIMEOUT) return false;
    check_status(status, "the connection ended");
    if (!handle_connection(frame)) return true;
  }
}

bool AmqpConnection::handle_connection(const amqp_frame_t& frame) {
  if (frame.frame_type == AMQP_FRAME_HEARTBEAT) return true;
  if (frame.frame_type != AMQP_FRAME_METHOD) return false;
  const amqp_method_t& method = frame.payload.method;
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) throw_close(method, "the server closed the connection");
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) throw_close(method, "the server closed the channel");
  if (method.id == AMQP_CONNECTION_BLOCKED_METHOD) {
    why_blocked_ = "the server is short of a resource: " +
                   printable_text(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason);
    return true;
  }
  if (method.id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
    why_blocked_.clear();
    return true;
  }
  return false;
}

void AmqpConnection::close() noexcept {
  amqp_set_rpc_timeout(state_, &k_goodbye_time);
  amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
}

}  // namespace beltway::bridge
