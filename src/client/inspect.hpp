// What a queue's mapped memory says, read without taking part: Queue::snapshot() and Queue::peek() without the daemon.
// The memory is input; see inspect.cpp.
// Thread safety: functions, from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "beltway/info.hpp"
#include "ring/queue_memory.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

[[nodiscard]] QueueSnapshot take_snapshot(const ring::QueueMemory& memory, wire::Description description);
/// Up to `count` messages of the group with that index (none: of the whole ring), each cut to `max_bytes`. `from` as in
/// PeekOptions.
[[nodiscard]] std::vector<PeekedMessage> copy_messages(const ring::QueueMemory& memory, std::size_t count,
                                                       std::size_t max_bytes, std::optional<unsigned> group,
                                                       std::optional<std::uint64_t> from = {});

/// The whole message at that position that the group still needs, in the ring or parked. Nothing: there is none.
[[nodiscard]] std::optional<PeekedMessage> copy_message_at(const ring::QueueMemory& memory, unsigned group,
                                                           std::uint64_t position);

}  // namespace beltway::client
