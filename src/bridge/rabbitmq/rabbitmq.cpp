#include "bridge/rabbitmq/rabbitmq.hpp"

#include <algorithm>

#include "base/printable.hpp"
#include "bridge/bridge_limits.hpp"
#include "bridge/rabbitmq/amqp_connection.hpp"
#include "bridge/rabbitmq/amqp_properties.hpp"

namespace beltway::bridge {

namespace {

constexpr amqp_channel_t k_channel = AmqpConnection::k_channel;

amqp_bytes_t body_of(std::span<const std::byte> body) noexcept {
  return {body.size(), const_cast<std::byte*>(body.data())};
}

struct FoundQueue {
  std::uint64_t messages = 0;  ///< that wait
  std::uint64_t consumers = 0;
};

/// Throws RouteError if the queue does not exist.
FoundQueue find_queue(AmqpConnection& connection, const std::string& name) {
  constexpr amqp_boolean_t k_passive = 1;
  const amqp_queue_declare_ok_t* const found =
      amqp_queue_declare(connection.get(), k_channel, bytes_of(name), k_passive, 0, 0, 0, amqp_empty_table);
  connection.check_reply("find the server's queue " + printable(name));
  if (found == nullptr) return {};
  return {.messages = found->message_count, .consumers = found->consumer_count};
}

/// A message that arrives: what follows its method is a header and a body.
class Content {
 public:
  void begin() { state_ = State::header; }
  [[nodiscard]] bool is_open() const noexcept { return state_ != State::none; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::vector<std::byte>& body() noexcept { return body_; }

  /// Takes the next frame. Returns true if the content is complete. Bodies above `max_bytes` are passed over.
  bool take(const amqp_frame_t& frame, RemoteMessage& message, std::uint64_t max_bytes) {
    if (state_ == State::header && frame.frame_type == AMQP_FRAME_HEADER &&
        frame.payload.properties.class_id == AMQP_BASIC_CLASS) {
      bytes_ = frame.payload.properties.body_size;
      got_ = 0;
      body_.clear();
      // Not reserved: the size is a claim of the server's.
      read_properties(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded), message);
      state_ = State::body;
    } else if (state_ == State::body && frame.frame_type == AMQP_FRAME_BODY) {
      const amqp_bytes_t& part = frame.payload.body_fragment;
      if (part.len > bytes_ - got_) throw RouteError(Fault::lost, "a body is longer than its header says");
      got_ += part.len;
      const auto* const begin = static_cast<const std::byte*>(part.bytes);
      if (bytes_ <= max_bytes) body_.insert(body_.end(), begin, begin + part.len);
    } else {
      throw RouteError(Fault::lost, "the server sent a frame that does not belong to a message");
    }
    if (state_ != State::body || got_ != bytes_) return false;
    state_ = State::none;
    return true;
  }

 private:
  enum class State : std::uint8_t { none, header, body };
  State state_ = State::none;
  std::uint64_t bytes_ = 0;
  std::uint64_t got_ = 0;
  std::vector<std::byte> body_;
};

class RabbitSender final : public RemoteSender {
 public:
  RabbitSender(const ServerOptions& server, const RouteOptions& route)
      : connection_(server, "beltway " + route.name()), exchange_(route.exchange), routing_key_(route.remote) {
    if (exchange_.empty()) {
      find_queue(connection_, routing_key_);
    } else {
      amqp_exchange_declare(connection_.get(), k_channel, bytes_of(exchange_), amqp_cstring_bytes("direct"), 1, 0, 0, 0,
                            amqp_empty_table);
      connection_.check_reply("find the server's exchange " + printable(exchange_));
    }
    amqp_confirm_select(connection_.get(), k_channel);
    connection_.check_reply("ask the server for confirmations");
  }

  [[nodiscard]] int descriptor() const override { return connection_.descriptor(); }
  void close() noexcept override { connection_.close(); }
  [[nodiscard]] const std::string& why_blocked() const override { return connection_.why_blocked(); }

  void send(const RemoteMessage& message, std::span<const std::byte> body) override {
    const std::string& key = routing_key_.empty() ? message.routing_key : routing_key_;
    constexpr amqp_boolean_t k_mandatory = 1;  // a message that no queue takes comes back
    const int status = amqp_basic_publish(connection_.get(), k_channel, bytes_of(exchange_), bytes_of(key), k_mandatory,
                                          0, &properties_.of(message), body_of(body));
    AmqpConnection::check_status(status, "send a message");
  }

  void take(std::vector<StoredRange>& stored) override {
    amqp_frame_t frame;
    while (connection_.next_frame(frame)) {
      if (frame.frame_type == AMQP_FRAME_METHOD) take_method(frame.payload.method, stored);
    }
  }

 private:
  static void take_method(const amqp_method_t& method, std::vector<StoredRange>& stored) {
    if (method.id == AMQP_BASIC_ACK_METHOD) {
      const auto* const ack = static_cast<const amqp_basic_ack_t*>(method.decoded);
      stored.push_back({ack->multiple != 0 ? 0 : ack->delivery_tag, ack->delivery_tag});
    } else if (method.id == AMQP_BASIC_NACK_METHOD) {
      throw RouteError(Fault::lost, "the server's queue did not take a message: it is full, or its disk failed");
    } else if (method.id == AMQP_BASIC_RETURN_METHOD) {
      // The server confirms such a message afterwards, though no queue has it: this link must not see that.
      const auto* const returned = static_cast<const amqp_basic_return_t*>(method.decoded);
      throw RouteError(Fault::refused, "no queue of the server takes a message with routing key " +
                                           printable(view_of(returned->routing_key)));
    }
  }

  AmqpConnection connection_;
  std::string exchange_;
  std::string routing_key_;
  AmqpProperties properties_;
};

class RabbitReceiver final : public RemoteReceiver {
 public:
  RabbitReceiver(const ServerOptions& server, const RouteOptions& route, std::uint64_t max_bytes, bool alone)
      : connection_(server, "beltway " + route.name()), queue_(route.remote), max_bytes_(max_bytes) {
    if (find_queue(connection_, queue_).consumers > 0 && alone) {
      connection_.close();
      throw RouteError(Fault::lost, "the server's queue " + printable(queue_) +
                                        " has another consumer, maybe this route's last one");
    }
    amqp_basic_qos(connection_.get(), k_channel, 0, static_cast<std::uint16_t>(route.window), 0);
    connection_.check_reply("ask the server for a window");
    amqp_basic_consume(connection_.get(), k_channel, bytes_of(queue_), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    connection_.check_reply("consume the server's queue " + printable(queue_));
  }

  [[nodiscard]] int descriptor() const override { return connection_.descriptor(); }
  void close() noexcept override { connection_.close(); }

  bool next(Delivery& delivery) override {
    amqp_frame_t frame;
    while (connection_.next_frame(frame)) {
      if (!content_.is_open()) {
        begin(frame);
        continue;
      }
      if (!content_.take(frame, message_, max_bytes_)) continue;
      delivery.number = number_;
      delivery.body_bytes = content_.bytes();
      std::swap(delivery.message, message_);
      std::swap(delivery.body, content_.body());
      return true;
    }
    return false;
  }

  void ack_up_to(std::uint64_t number) override {
    AmqpConnection::check_status(amqp_basic_ack(connection_.get(), k_channel, number, 1), "acknowledge messages");
  }
  void refuse(std::uint64_t number) override {
    AmqpConnection::check_status(amqp_basic_reject(connection_.get(), k_channel, number, 0), "refuse a message");
  }
  [[nodiscard]] std::optional<std::uint64_t> remaining() override { return find_queue(connection_, queue_).messages; }

 private:
  void begin(const amqp_frame_t& frame) {
    if (frame.frame_type != AMQP_FRAME_METHOD) {
      throw RouteError(Fault::lost, "the server sent a frame that does not belong to a message");
    }
    const amqp_method_t& method = frame.payload.method;
    if (method.id == AMQP_BASIC_CANCEL_METHOD) {
      // Deleted, or its node is gone for now. If it is deleted, the next attempt does not find it.
      throw RouteError(Fault::lost, "the server ended the consumer: its queue was deleted or has no leader");
    }
    if (method.id != AMQP_BASIC_DELIVER_METHOD) return;
    const auto* const deliver = static_cast<const amqp_basic_deliver_t*>(method.decoded);
    number_ = deliver->delivery_tag;
    message_.routing_key = view_of(deliver->routing_key);
    message_.exchange = view_of(deliver->exchange);
    content_.begin();
  }

  AmqpConnection connection_;
  std::string queue_;
  std::uint64_t max_bytes_;
  std::uint64_t number_ = 0;
  RemoteMessage message_;
  Content content_;
};

}  // namespace

std::unique_ptr<RemoteSender> RabbitMq::open_sender(const RouteOptions& route) {
  return std::make_unique<RabbitSender>(server_, route);
}

std::unique_ptr<RemoteReceiver> RabbitMq::open_receiver(const RouteOptions& route, std::uint64_t max_bytes,
                                                        bool alone) {
  return std::make_unique<RabbitReceiver>(server_, route, max_bytes, alone);
}

}  // namespace beltway::bridge
