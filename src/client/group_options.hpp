// What `show` tells of a group's options. Thread safety: a function, from any thread.
#pragma once

#include "beltway/info.hpp"
#include "beltway/options.hpp"

namespace beltway::client {

/// The options of a group: its own, or those of the queue.
inline void read_options(const GroupOptions& own, const QueueOptions& general, GroupState& state) {
  state.evict_after = own.evict_after.value_or(general.evict_after);
  state.retry_delay = own.retry_delay.value_or(general.retry_delay);
  state.retry_delay_max = own.retry_delay_max.value_or(general.retry_delay_max);
  state.max_deliveries = own.max_deliveries.value_or(general.max_deliveries);
  state.discard = own.discard.value_or(general.discard);
  state.dead_letter = own.dead_letter.value_or(general.dead_letter);
  state.lease_timeout = own.lease_timeout.value_or(general.lease_timeout);
  state.drop_oldest = own.drop_oldest.value_or(general.drop_oldest);
}

}  // namespace beltway::client
