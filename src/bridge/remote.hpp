// What a route needs of a message engine on another machine. One driver implements it for each engine: rabbitmq/ is the first.
//
// A link is one connection with one direction. It belongs to one thread. No call but the opening ones waits for the server longer
// than a request takes; the route polls descriptor() and then calls the link again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bridge/route_options.hpp"

namespace beltway::bridge {

enum class Fault : std::uint8_t {
  lost,     ///< the connection ended, or the server cannot be reached: a new attempt may succeed
  refused,  ///< the server refuses: credentials, rights, a queue that does not exist. A person must mend it
};

class RouteError : public std::runtime_error {
 public:
  RouteError(Fault fault, const std::string& text) : std::runtime_error(text), fault_(fault) {}
  [[nodiscard]] Fault fault() const noexcept { return fault_; }

 private:
  Fault fault_;
};

struct RemoteHeader {
  std::string name;
  std::string value;
  bool operator==(const RemoteHeader&) const = default;
};

/// A message as engines know it.
struct RemoteMessage {
  std::string content_type = {};
  std::string correlation_id = {};
  std::string reply_to = {};
  std::string message_id = {};
  std::string routing_key = {};                    ///< incoming: how it was sent. Outgoing: the message's key
  std::string exchange = {};                       ///< incoming only
  std::optional<std::int64_t> timestamp_s = {};    ///< seconds since 1970
  std::optional<std::int64_t> expiration_ms = {};  ///< how long it may wait
  std::vector<RemoteHeader> headers = {};          ///< in their order; a name may occur several times
  bool operator==(const RemoteMessage&) const = default;
};

class RemoteLink {
 public:
  RemoteLink() = default;
  RemoteLink(const RemoteLink&) = delete;
  RemoteLink& operator=(const RemoteLink&) = delete;
  virtual ~RemoteLink() = default;
  /// Readable if the server has sent something.
  [[nodiscard]] virtual int descriptor() const = 0;
  /// Says goodbye: the server handles what was sent before. Without it a link ends as if the connection were cut.
  virtual void close() noexcept = 0;
};

/// Messages that the server has stored, by their numbers; both ends belong to the range.
struct StoredRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

class RemoteSender : public RemoteLink {
 public:
  /// Sends a message. The first of a link has number 1, the next number 2, and so on. Throws RouteError.
  virtual void send(const RemoteMessage& message, std::span<const std::byte> body) = 0;
  /// Appends what the server has confirmed to `stored`, without waiting, and keeps the connection alive. Throws RouteError if the
  /// connection has ended, and if the server did not store a message: then what came before is in `stored`, and nothing that was
  /// sent after it counts as stored.
  virtual void take(std::vector<StoredRange>& stored) = 0;
  /// Why the server wants no messages for now; empty: it takes them.
  [[nodiscard]] virtual const std::string& why_blocked() const = 0;
};

class RemoteReceiver : public RemoteLink {
 public:
  struct Delivery {
    std::uint64_t number = 0;  ///< 1 and upwards
    RemoteMessage message = {};
    std::vector<std::byte> body = {};
    std::uint64_t body_bytes = 0;  ///< more than body.size(): it was too large, and was not kept
  };
  /// The next message, without waiting; false: there is none now. Keeps the connection alive. Throws RouteError.
  virtual bool next(Delivery& delivery) = 0;
  /// All deliveries up to this number are stored here: the server may forget them.
  virtual void ack_up_to(std::uint64_t number) = 0;
  /// This delivery cannot be stored here. The server drops it, or keeps it as a dead letter. All before it were acknowledged.
  virtual void refuse(std::uint64_t number) = 0;
  /// Messages that wait in the server's queue; nothing: the server does not say.
  [[nodiscard]] virtual std::optional<std::uint64_t> remaining() = 0;
};

/// Opens links. Throws RouteError. `max_bytes`: larger bodies are not kept. `alone`: fails while the server's queue has
/// another consumer.
class RemoteEngine {
 public:
  RemoteEngine() = default;
  RemoteEngine(const RemoteEngine&) = delete;
  RemoteEngine& operator=(const RemoteEngine&) = delete;
  virtual ~RemoteEngine() = default;
  [[nodiscard]] virtual std::unique_ptr<RemoteSender> open_sender(const RouteOptions& route) = 0;
  [[nodiscard]] virtual std::unique_ptr<RemoteReceiver> open_receiver(const RouteOptions& route,
                                                                      std::uint64_t max_bytes, bool alone) = 0;
};

/// Throws std::runtime_error if this build has no driver.
[[nodiscard]] std::unique_ptr<RemoteEngine> make_engine(const ServerOptions& server);

}  // namespace beltway::bridge
