// The expected outcomes of trying, waiting and receiving, as values.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <string_view>

namespace beltway {

enum class Status : unsigned char {
  ok,              ///< done: a message was published, committed or received
  empty,           ///< try only: nothing to receive now
  full,            ///< try only: a reliable group holds the ring, or the lane has no room now
  timeout,         ///< the deadline passed first
  stopped,         ///< the stop token asked to stop
  too_large,       ///< the message can never fit; Producer::max_message_bytes() is the limit
  end_of_stream,   ///< empty, and no producer is left: see EndOfStream
  prefetch_limit,  ///< this consumer already holds as many unacknowledged messages as it may
  removed,         ///< the queue or the consumer's group was removed
  evicted,         ///< this endpoint was evicted
  duplicate,       ///< this named producer has published that sequence number before: nothing was done
  interrupted,  ///< interrupt() was called, or a signal handler ran meanwhile: nothing was done; find the reason, or call again
};

/// The enumerator's name, for logs and messages.
[[nodiscard]] std::string_view to_string(Status status) noexcept;

}  // namespace beltway
