// The mapping of the bridge over messages that strangers send to a server's queue: what comes in keeps the limits, comes out the
// same when it passes on, and is never stored with properties that a queue would refuse.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "bridge/mapping.hpp"
#include "endpoint/properties_block.hpp"

namespace {

using namespace beltway;
using namespace beltway::bridge;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Cuts an input into texts and numbers.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  [[nodiscard]] bool is_over() const noexcept { return rest_.empty(); }
  /// Two bytes say how long it is.
  std::string text() {
    const std::size_t size = number() % 600;
    const std::string cut(rest_.substr(0, size));
    rest_.remove_prefix(cut.size());
    return cut;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int i = 0; i < 2 && !rest_.empty(); ++i) {
      value = value << 8 | static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
    }
    return value;
  }

 private:
  std::string_view rest_;
};

RemoteMessage message_of(Input& input) {
  // The bridge's own headers first: a fuzzer that has to find them finds nothing else.
  constexpr std::string_view k_names[] = {k_origin_header, k_stream_header, k_key_header,      k_trace_header,
                                          k_time_header,   "traceparent",   "x-delivery-count"};
  RemoteMessage message;
  const std::uint64_t kind = input.number();
  message.content_type = input.text();
  message.correlation_id = input.text();
  message.reply_to = input.text();
  message.routing_key = input.text();
  if ((kind & 1) != 0) message.exchange = "exchange";
  if ((kind & 2) != 0) message.timestamp_s = static_cast<std::int64_t>(input.number() << 48);
  if ((kind & 4) != 0) message.expiration_ms = static_cast<std::int64_t>(input.number() << 48);
  while (!input.is_over()) {
    const std::uint64_t name = input.number();
    message.headers.push_back(
        {name < 512 ? std::string(k_names[name % std::size(k_names)]) : input.text(), input.text()});
  }
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const RemoteMessage message = message_of(input);
  std::string why;
  const std::optional<Arrival> arrival = Arrival::read(message, why);
  require(arrival.has_value() || !why.empty());
  if (!arrival) return 0;
  require(arrival->path().size() <= k_max_hops);
  if (arrival->place()) require(arrival->place()->sequence > 0);
  const Properties properties = arrival->properties();
  require(!endpoint::find_excess(properties));
  // It passes on, and comes in again elsewhere.
  endpoint::PropertiesBlock block(properties);
  block.stamp();
  const PropertiesView seen(std::span<const std::byte>(block.data(), block.size()));
  RemoteMessage again;
  to_remote(seen, {.origin = {"host", 1, 2}, .place = StreamPlace{1, 3}, .now = std::chrono::steady_clock::now()},
            again);
  const std::optional<Arrival> second = Arrival::read(again, why);
  if (!second) return 0;  // the origin is one header more
  require(second->properties().key == properties.key && second->properties().trace_id == properties.trace_id);
  require(second->properties().publish_time == properties.publish_time);
  require(second->is_loop(1) && second->place() == StreamPlace({1, 3}));
  return 0;
}
