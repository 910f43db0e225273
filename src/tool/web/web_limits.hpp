// Every limit of `beltway web`, with its reason. What is beyond is refused or cut, and said.
// Thread safety: constants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace beltway::tool {

/// Connections at once. A browser has six for each address, so this is enough for ten of them, and a loop that
/// connects cannot take the process's descriptors.
inline constexpr std::size_t k_max_web_connections = 64;
/// Bytes of the header and of the body of a request. What an act says fits in one kilobyte.
inline constexpr std::size_t k_max_web_header_bytes = 16 * 1024;
inline constexpr std::size_t k_max_web_body_bytes = 64 * 1024;
/// Messages, and bytes of each, that one request shows: a page of them, in an answer that a browser still draws at once.
inline constexpr std::uint64_t k_max_web_messages = 500;
inline constexpr std::uint64_t k_max_web_message_bytes = 64 * 1024;
/// Queues with series of their own in the metrics: each has some thirty, more with stamps, and a Prometheus keeps each that it
/// ever saw.
inline constexpr std::uint64_t k_max_web_metrics_queues = 1000;
/// Bytes of live news that wait for one reader. A reader that is further behind is cut, and gets the whole state when it returns.
inline constexpr std::size_t k_max_web_backlog_bytes = 8 * 1024 * 1024;
/// Requests that wait for the daemon or for a look at a queue. More are refused (503): the page asks again.
inline constexpr std::size_t k_max_web_waiting_requests = 128;

}  // namespace beltway::tool
