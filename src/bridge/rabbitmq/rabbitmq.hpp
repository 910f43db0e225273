// RabbitMQ as a RemoteEngine: AMQP 0-9-1 by librabbitmq. src/bridge/README.md says why not AMQP 1.0.
#pragma once

#include <memory>

#include "bridge/remote.hpp"

namespace beltway::bridge {

class RabbitMq final : public RemoteEngine {
 public:
  explicit RabbitMq(ServerOptions server) : server_(std::move(server)) {}
  /// Confirms: the server says so once a message is in its queue; a quorum queue has then synced it on most of its nodes.
  [[nodiscard]] std::unique_ptr<RemoteSender> open_sender(const RouteOptions& route) override;
  [[nodiscard]] std::unique_ptr<RemoteReceiver> open_receiver(const RouteOptions& route, std::uint64_t max_bytes,
                                                              bool alone) override;

 private:
  ServerOptions server_;
};

}  // namespace beltway::bridge
