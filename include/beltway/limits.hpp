// Every limit of Beltway, with its reason. A value outside a limit is refused by name, never truncated.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>

namespace beltway {

/// Characters of a queue or group name: `A-Z a-z 0-9 . _ - /`. 255 as in a file name.
inline constexpr std::size_t k_max_name_length = 255;

/// Slots of a ring: a power of two, so that a position finds its slot with a mask; at least two, so that a
/// writer and a reader need never meet; at most 2^20, so that lease words of a group stay below 8 MiB.
inline constexpr std::uint32_t k_min_slots = 2;
inline constexpr std::uint32_t k_max_slots = 1U << 20;

/// Bytes of a slot: 32, 64 or a multiple of 64 (96 would straddle cache lines).
inline constexpr std::uint32_t k_min_slot_bytes = 32;
inline constexpr std::uint32_t k_max_slot_bytes = 1U << 16;

/// Bytes of a slot that are not payload: its state word and its size and flags.
inline constexpr std::uint32_t k_slot_overhead_bytes = 16;

/// Bytes of a ring: slots times slot_bytes.
inline constexpr std::uint64_t k_max_ring_bytes = 1ULL << 34;

/// Bytes of a producer's lane: a multiple of 4096, or 0 for none. A message's size is a 32-bit number.
inline constexpr std::uint64_t k_lane_granule_bytes = 4096;
inline constexpr std::uint64_t k_max_lane_bytes = 1ULL << 32;

/// Bytes of one message, whatever the lane: the size field has 32 bits.
inline constexpr std::uint64_t k_max_message_bytes = 0xffffffffULL;

/// Endpoints of one queue: one bit each in a 64-bit word of sleepers.
inline constexpr std::uint32_t k_max_producers = 64;
inline constexpr std::uint32_t k_max_consumers = 64;

/// Named groups of one queue: producers read each group's floor about once a lap.
inline constexpr std::uint32_t k_max_groups = 64;

/// QueueOptions::max_parked is below `slots`: a ring whose slots are all parked takes no message. The default is this part of
/// them: the other half keeps the ring going round.
inline constexpr std::uint32_t k_default_parked_part = 2;

/// Alignment of a payload in a slot (a payload in a lane is aligned to 64 bytes).
inline constexpr std::size_t k_payload_alignment = 16;

/// Bytes of each property of a message that is a text (key, correlation id, reply-to, content type, trace id): as of a queue
/// name, which reply-to is. One byte holds the length, as in AMQP.
inline constexpr std::size_t k_max_property_bytes = 255;

/// Application headers of a message: few enough to be read at once, without an allocation, into an object on the stack.
inline constexpr std::size_t k_max_headers = 32;

/// Bytes of the name of a header: one byte holds the length.
inline constexpr std::size_t k_max_header_name_bytes = 255;

/// Bytes of all names and values of a message's headers: a page. What is larger is payload.
inline constexpr std::size_t k_max_headers_bytes = 4096;

/// What the dead letter fields add to a message at most: two names, numbers, and the padding of the properties block. A dead
/// letter queue must take so much more than the queue whose messages it gets.
inline constexpr std::size_t k_max_dead_letter_bytes = 640;

/// QueueOptions::evict_after, if it is not 0: shorter is a guess about the scheduler, longer has no 32-bit number.
inline constexpr std::int64_t k_min_evict_after_ms = 10;
inline constexpr std::int64_t k_max_evict_after_ms = 0x7fffffff;

/// QueueOptions::retry_delay and retry_delay_max, and the delay of Message::nack(): a day. A message that waits holds its slot,
/// so longer plans belong into a database.
inline constexpr std::int64_t k_max_retry_delay_ms = 24LL * 60 * 60 * 1000;

/// QueueOptions::max_deliveries: the number of deliveries that is counted exactly, see k_max_tries.
inline constexpr std::uint32_t k_max_deliveries = 255;

/// QueueOptions::ttl, if it is not 0: at most what a 32-bit number holds.
inline constexpr std::int64_t k_min_ttl_ms = 1;
inline constexpr std::int64_t k_max_ttl_ms = 0x7fffffff;

/// QueueOptions::lease_timeout, if it is not 0. At least 10 ms: the coarse clock that measures it goes on each 4 ms. At most
/// what a 32-bit number holds.
inline constexpr std::int64_t k_min_lease_timeout_ms = 10;
inline constexpr std::int64_t k_max_lease_timeout_ms = 0x7fffffff;

/// Characters of a typed queue's type name.
inline constexpr std::size_t k_max_type_name_length = 127;

/// Names of producers that a queue remembers, each with its last sequence number: as many as it may have producers at once.
inline constexpr std::uint32_t k_max_producer_names = 64;

/// Bytes of QueueOptions::description: a line of text, so that thousands of queues still fit their answers and records.
inline constexpr std::size_t k_max_description_bytes = 128;

/// QueueOptions::expire_after, if it is not 0. At least a second: a process needs time between its declare and its attach, and
/// the daemon spends a timer tick on a queue in use in each such span. At most what a 32-bit number holds.
inline constexpr std::int64_t k_min_expire_after_ms = 1000;
inline constexpr std::int64_t k_max_expire_after_ms = 0x7fffffff;

/// An unused queue lives for at least so long after a start of its daemon, so that processes that waited for the daemon can
/// attach: a request waits as long by default (ConnectionOptions::timeout). Queues with a shorter expire_after get that time.
inline constexpr std::int64_t k_expiry_grace_ms = 10'000;

/// Bytes of one protocol message between a process and the daemon.
inline constexpr std::size_t k_max_protocol_bytes = 64 * 1024;

/// Positions count modulo 2^54: no queue lives long enough to meet a position twice.
inline constexpr unsigned k_position_bits = 54;

/// Times that a message's delivery is counted; the count stays at this value afterwards.
inline constexpr std::uint32_t k_max_tries = 255;

/// Bytes of log text that wait in a daemon for the reader of the log. More is dropped and counted: some 2,000 lines outlast a
/// pause of the reader, and are no burden to the machine.
inline constexpr std::size_t k_log_backlog_bytes = 256 * 1024;

/// Bytes of a log file of the daemon (--log-file). A full file becomes "<file>.1" once: both together are bounded, since the
/// file may lie in memory (/run).
inline constexpr std::uint64_t k_log_file_bytes = 1024 * 1024;

/// Events that a daemon remembers (Connection::events()): days of a calm machine, or a burst of all endpoints of 16 queues.
inline constexpr std::uint32_t k_max_events = 4096;

/// Bytes of one event's record, which outlives the daemon: two names of the longest kind and a line of text.
inline constexpr std::size_t k_max_event_bytes = 1024;

/// Bytes of the memory that outlives the daemon with all records of events, behind a page that names their layout. Only records
/// that were written take memory. No user's quota is charged: the size is fixed, whatever users do.
inline constexpr std::uint64_t k_event_heading_bytes = 4096;
inline constexpr std::uint64_t k_event_memory_bytes =
    k_event_heading_bytes + std::uint64_t{k_max_events} * k_max_event_bytes;

/// Bytes of the text of an event, and of the name of its program; longer ones are cut. So a record has room for all members.
inline constexpr std::size_t k_max_event_text_bytes = 256;
inline constexpr std::size_t k_max_event_command_bytes = 32;

/// Events that one request looks at: all that the daemon remembers cost it several milliseconds, in which no other request is
/// answered.
inline constexpr std::uint32_t k_max_events_per_request = 512;

/// Bytes of the events of one answer: the rest of a protocol message is for what the answer says besides them.
inline constexpr std::size_t k_event_page_bytes = k_max_protocol_bytes - 4096;

/// Descriptors that a queue costs. A process keeps the four bells of each queue that it is attached to, whatever the number of
/// its endpoints there. It keeps two more for each endpoint whose poll_fd() was called, a third for a consumer of a named
/// group (a timer for delayed messages), and three more while it attaches.
/// The daemon, and the process that keeps descriptors for it, have ring, heap, control and the bells.
inline constexpr unsigned k_descriptors_per_queue = 4;
inline constexpr unsigned k_descriptors_per_event_endpoint = 2;
inline constexpr unsigned k_descriptors_per_event_group_consumer = 3;
inline constexpr unsigned k_daemon_descriptors_per_queue = 7;

/// Queues that a watcher (`beltway top`, `web`, `metrics`, `doctor`, `list`) has mapped at once. Each takes three mappings, and
/// the kernel gives a process 65,530 of them. Of queues beyond that it tells what the daemon says, and no more.
inline constexpr std::size_t k_max_watched_queues = 8192;

/// What one user may have at one daemon unless the daemon's options say otherwise: a thousand queues of the default options,
/// whose lanes count in full though they take memory only when a producer comes.
inline constexpr std::uint32_t k_default_max_queues_per_user = 1024;
inline constexpr std::uint64_t k_default_max_bytes_per_user = 16ULL << 30;
inline constexpr std::uint32_t k_default_max_connections_per_user = 256;

/// Daemons in a row that end before they are ready. Then the program that made the queues is tried. If none was ever ready, the
/// supervisor gives up. One may be bad luck, e.g. the OOM killer; a third proves more than it costs.
inline constexpr std::uint32_t k_max_failed_starts = 3;

/// Seconds that a daemon may take until it is ready; then its supervisor kills it. Taking over 1,000 queues takes less than
/// one, and systemd's own limit is 90.
inline constexpr std::uint32_t k_max_start_s = 30;

}  // namespace beltway
