// Counters of endpoints, as the C API shows them.
// Thread safety: pure functions.
#pragma once

#include "beltway/beltway.h"
#include "beltway/info.hpp"

namespace beltway::c {

inline void fill(beltway_producer_counters& to, const ProducerCounters& from) noexcept {
  to.messages = from.messages;
  to.bytes = from.bytes;
  to.refused = from.refused;
  to.wakes = from.wakes;
  to.sleeps = from.sleeps;
  to.rescued = from.rescued;
  to.blocked_ns = from.blocked_ns;
  to.high_water = from.high_water;
  to.last_progress_ns = from.last_progress_ns;
  to.needless_wakes = from.needless_wakes;
  to.unread = from.unread;
}

inline void fill(beltway_consumer_counters& to, const ConsumerCounters& from) noexcept {
  to.messages = from.messages;
  to.bytes = from.bytes;
  to.lost = from.lost;
  to.redelivered = from.redelivered;
  to.corrupt = from.corrupt;
  to.acks = from.acks;
  to.nacks = from.nacks;
  to.wakes = from.wakes;
  to.sleeps = from.sleeps;
  to.rescued = from.rescued;
  to.blocked_ns = from.blocked_ns;
  to.last_progress_ns = from.last_progress_ns;
  to.needless_wakes = from.needless_wakes;
  to.discarded = from.discarded;
  to.expired = from.expired;
  to.dead_lettered = from.dead_lettered;
  to.timed_out = from.timed_out;
  to.failed_moves = from.failed_moves;
}

}  // namespace beltway::c
