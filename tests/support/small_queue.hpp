// What tests of the daemon do with small queues of one group. Thread safety: as what they call.
#pragma once

#include <string>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"

namespace beltway::test {

/// A small queue whose only group is "g".
inline QueueOptions with_group(const GroupOptions& own) {
  QueueOptions options = k_small;
  options.groups = {NamedGroup("g", own)};
  return options;
}

inline GroupState group_of(const Queue& queue) { return queue.snapshot().groups.at(0); }

/// The texts of all messages that are there, one after the other; each is acknowledged.
inline std::string drain(Consumer& in) {
  std::string all;
  while (Result<Message> message = in.try_receive()) {
    all += message->text();
    message->ack();
  }
  return all;
}

}  // namespace beltway::test
