// Every limit of the bridge, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace beltway::bridge {

/// Messages of a route on their way at once, unless the route says otherwise: enough for a server that syncs its disk, and few
/// enough to be sent twice after a fault.
inline constexpr std::uint32_t k_default_window = 1024;
/// AMQP counts unacknowledged messages (prefetch) in 16 bits.
inline constexpr std::uint32_t k_max_window = 65535;

/// Routes of a process: each has a thread and a connection of its own.
inline constexpr std::size_t k_max_routes = 64;

/// Queues that a message may pass on its way (Origin). A message that has passed so many is taken for one in a loop.
inline constexpr std::size_t k_max_hops = 8;

/// Origin streams of an incoming route whose duplicates are recognised. Each takes a place of a producer, of which a queue has
/// 8 by default, and two of the 64 names that a queue remembers. After a gap it takes a second place.
inline constexpr std::size_t k_max_streams = 4;
/// Runs of a stream that an incoming route has in memory. Beyond that the oldest one is forgotten: then its messages count as
/// new. Only what spreads a stream over several queues makes more than a few.
inline constexpr std::size_t k_max_runs = 1024;

/// Bytes of a message that comes in, whatever the local queue takes: a message is in the bridge's memory as a whole.
inline constexpr std::uint64_t k_max_incoming_bytes = 64ULL << 20;

/// Entries of a table of headers that are read: a local message has at most 32 headers.
inline constexpr std::size_t k_max_table_entries = 256;

/// Bytes of a text in the status (an error of the server's, a name): the status is read by monitors.
inline constexpr std::size_t k_max_error_bytes = 400;

/// Messages that are taken from the local queue, or read from the server, before the other direction is looked at.
inline constexpr std::size_t k_batch = 64;

/// How often the bridge looks at what has no descriptor: the stop of a drain, the depth of queues, its status.
inline constexpr std::chrono::milliseconds k_tick{250};
inline constexpr std::chrono::milliseconds k_status_interval{500};
inline constexpr std::chrono::milliseconds k_depth_interval{1000};

/// Seconds between two signs of life on an idle connection. A server that is silent for twice the time counts as lost.
inline constexpr int k_heartbeat_s = 10;

/// How long a route in waits for another consumer of its queue to end. RabbitMQ looks for signs of life once per heartbeat, and
/// ends a connection that was silent at two looks after the last sign: after three heartbeats at the latest. Afterwards the route
/// shares the queue.
inline constexpr std::chrono::seconds k_wait_for_other_consumer{3 * k_heartbeat_s + 5};

/// An incoming route acknowledges a batch, or what it has after this time: each acknowledgement is an entry in the log of a
/// quorum queue.
inline constexpr std::chrono::milliseconds k_ack_delay{5};

/// How long a connect and a request to the server may take.
inline constexpr std::chrono::seconds k_connect_timeout{10};

/// The pause before the first new attempt to connect, and the longest one. Each pause is twice as long as the one before. A
/// random part of up to half of it is left out: many bridges must not come back at the same moment.
inline constexpr std::chrono::milliseconds k_first_pause{100};
inline constexpr std::chrono::milliseconds k_longest_pause{15'000};
/// The pause of a route that only a person can mend.
inline constexpr std::chrono::milliseconds k_failed_pause{15'000};

/// How long a bridge that is told to stop waits for the server's confirmations.
inline constexpr std::chrono::milliseconds k_default_drain{10'000};

}  // namespace beltway::bridge
