// Quotients.
#include "watch/per_message.hpp"

namespace beltway::watch {

std::optional<PerMessage> per_message(std::uint64_t wakes, std::uint64_t sleeps, std::uint64_t messages) noexcept {
  if (messages == 0) return std::nullopt;
  const auto divisor = static_cast<double>(messages);
  return PerMessage{static_cast<double>(wakes) / divisor, static_cast<double>(sleeps) / divisor};
}

std::optional<PerMessage> per_message(const ProducerCounters& counters) noexcept {
  return per_message(counters.wakes, counters.sleeps, counters.messages);
}

std::optional<PerMessage> per_message(const ConsumerCounters& counters) noexcept {
  return per_message(counters.wakes, counters.sleeps, counters.messages);
}

std::optional<PerMessage> per_message(const Flow& flow) noexcept {
  return per_message(flow.wakes, flow.sleeps, flow.messages_in);
}

std::optional<PerMessage> per_message(const FlowRates& rates) noexcept {
  if (rates.messages_in <= 0) return std::nullopt;
  return PerMessage{rates.wakes / rates.messages_in, rates.sleeps / rates.messages_in};
}

Json to_json(const std::optional<PerMessage>& costs) {
  if (!costs) return nullptr;
  return {{"wakes", costs->wakes}, {"sleeps", costs->sleeps}, {"system_calls", costs->system_calls()}};
}

}  // namespace beltway::watch
