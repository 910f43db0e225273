// Which engine this build has: see remote.hpp.
#include "bridge/remote.hpp"

#ifdef BELTWAY_HAS_RABBITMQ
#include "bridge/rabbitmq/rabbitmq.hpp"
#endif

namespace beltway::bridge {

#ifdef BELTWAY_HAS_RABBITMQ
std::unique_ptr<RemoteEngine> make_engine(const ServerOptions& server) { return std::make_unique<RabbitMq>(server); }
#else
std::unique_ptr<RemoteEngine> make_engine(const ServerOptions& /*server*/) {
  throw std::runtime_error("this beltway was built without librabbitmq (Debian: librabbitmq-dev), so it has no bridge");
}
#endif

}  // namespace beltway::bridge
