// The cost of waking and sleeping for each message. It is 0 while all endpoints are busy.
#pragma once

#include <cstdint>
#include <optional>

#include "beltway/info.hpp"
#include "watch/flow.hpp"
#include "watch/json.hpp"

namespace beltway::watch {

/// Of an endpoint: its figures, divided by its own messages. Of a queue: the figures of all endpoints, also endpoints that are
/// gone, divided by the messages published.
struct PerMessage {
  double wakes = 0;
  double sleeps = 0;

  /// A wake is a call of futex, a sleep membarrier and futex. Event mode takes up to two more for each: for ringing its bell,
  /// and for arming.
  [[nodiscard]] double system_calls() const noexcept { return wakes + 2 * sleeps; }
};

/// Nothing if there was no message.
[[nodiscard]] std::optional<PerMessage> per_message(std::uint64_t wakes, std::uint64_t sleeps,
                                                    std::uint64_t messages) noexcept;
[[nodiscard]] std::optional<PerMessage> per_message(const ProducerCounters& counters) noexcept;
[[nodiscard]] std::optional<PerMessage> per_message(const ConsumerCounters& counters) noexcept;
[[nodiscard]] std::optional<PerMessage> per_message(const Flow& flow) noexcept;
/// The cost between two snapshots.
[[nodiscard]] std::optional<PerMessage> per_message(const FlowRates& rates) noexcept;

/// `null` if there was no message.
[[nodiscard]] Json to_json(const std::optional<PerMessage>& costs);

}  // namespace beltway::watch
