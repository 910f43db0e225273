// RabbitMQ's own client for C, as fast as it goes: what the bridge is compared with.
//
//   rabbitmq_client send|receive PORT QUEUE MESSAGES BYTES WINDOW
//
// Sends with confirmations, or receives with acknowledgements. Prints messages a second.
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <sys/time.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace {

constexpr amqp_channel_t k_channel = 1;
/// Frames that are sent before confirmations are looked at, and deliveries before an acknowledgement.
constexpr std::uint64_t k_turn = 64;

struct Plan {
  int port = 0;
  std::string queue;
  std::uint64_t messages = 0;
  std::size_t bytes = 0;
  std::uint64_t window = 0;
};

void require(int status, const char* what) {
  if (status != AMQP_STATUS_OK) throw std::runtime_error(std::string(what) + ": " + amqp_error_string2(status));
}

amqp_bytes_t bytes_of(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }

amqp_connection_state_t connect(const Plan& plan) {
  amqp_connection_state_t connection = amqp_new_connection();
  require(amqp_socket_open(amqp_tcp_socket_new(connection), "127.0.0.1", plan.port), "connect");
  const amqp_rpc_reply_t reply = amqp_login(connection, "/", 0, 131072, 30, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error("log in");
  amqp_channel_open(connection, k_channel);
  return connection;
}

/// Takes what came; waits for something if `waits`. Returns the highest confirmed number, or `confirmed`.
std::uint64_t take_confirmations(amqp_connection_state_t connection, std::uint64_t confirmed, bool waits) {
  for (;;) {
    amqp_frame_t frame;
    const timeval at_once{0, 0};
    amqp_maybe_release_buffers(connection);
    const int status = amqp_simple_wait_frame_noblock(connection, &frame, waits ? nullptr : &at_once);
    if (status == AMQP_STATUS_TIMEOUT) return confirmed;
    require(status, "wait");
    waits = false;
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) continue;
    const auto* const ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
    confirmed = ack->multiple != 0 ? ack->delivery_tag : confirmed + 1;
  }
}

void send_all(amqp_connection_state_t connection, const Plan& plan) {
  amqp_confirm_select(connection, k_channel);
  const std::string body(plan.bytes, 'x');
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.delivery_mode = 2;
  std::uint64_t sent = 0;
  for (std::uint64_t confirmed = 0; confirmed < plan.messages;) {
    for (std::uint64_t turn = 0; turn < k_turn && sent < plan.messages && sent - confirmed < plan.window;
         ++turn, ++sent) {
      require(amqp_basic_publish(connection, k_channel, amqp_empty_bytes, bytes_of(plan.queue), 1, 0, &properties,
                                 bytes_of(body)),
              "send");
    }
    confirmed = take_confirmations(connection, confirmed, sent == plan.messages || sent - confirmed >= plan.window);
  }
}

void receive_all(amqp_connection_state_t connection, const Plan& plan) {
  amqp_basic_qos(connection, k_channel, 0, static_cast<std::uint16_t>(plan.window), 0);
  amqp_basic_consume(connection, k_channel, bytes_of(plan.queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  for (std::uint64_t got = 1; got <= plan.messages; ++got) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(connection);
    if (amqp_consume_message(connection, &envelope, nullptr, 0).reply_type != AMQP_RESPONSE_NORMAL)
      throw std::runtime_error("receive");
    if (got % k_turn == 0 || got == plan.messages) {
      require(amqp_basic_ack(connection, k_channel, envelope.delivery_tag, 1), "acknowledge");
    }
    amqp_destroy_envelope(&envelope);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const std::string what = argv[1];
  const Plan plan{std::atoi(argv[2]), argv[3], std::strtoull(argv[4], nullptr, 10), std::strtoull(argv[5], nullptr, 10),
                  std::strtoull(argv[6], nullptr, 10)};
  try {
    amqp_connection_state_t connection = connect(plan);
    const auto start = std::chrono::steady_clock::now();
    if (what == "send") send_all(connection, plan);
    if (what == "receive") receive_all(connection, plan);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    std::printf("%.0f\n", static_cast<double>(plan.messages) / taken.count());
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rabbitmq_client: %s\n", error.what());
    return 1;
  }
  return 0;
}
