// Where a message comes from: the Beltway queues that it has passed, and its place in a stream of one route.
//
// Both are input from strangers: each text is checked, and what makes no sense counts as absent.
// Thread safety: values and functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace beltway::bridge {

/// One queue that the message has passed. `queue_id` is unique in the world for practical purposes: a daemon begins at a random
/// number of 62 bits.
struct Origin {
  std::string host;
  std::uint64_t queue_id = 0;
  std::uint64_t position = 0;
  bool operator==(const Origin&) const = default;
};

/// "host/queue-id/position", one after the other with spaces between; the first queue first.
[[nodiscard]] std::string text_of(const std::vector<Origin>& path);
/// Nothing: it is no such text, or has more than k_max_hops entries.
[[nodiscard]] std::optional<std::vector<Origin>> read_path(std::string_view text);

/// The place of a message in the stream that one outgoing route makes of one group.
///
/// `sequence` is the position plus 1. So it is the same each time that the message is sent, also by another process.
struct StreamPlace {
  std::uint64_t stream = 0;
  std::uint64_t sequence = 0;  ///< 1 to StoredRuns::k_max_sequence
  bool operator==(const StreamPlace&) const = default;
};

/// "9f86d081884c7d65/124".
[[nodiscard]] std::string text_of(const StreamPlace& place);
[[nodiscard]] std::optional<StreamPlace> read_place(std::string_view text);

/// The number of the stream of a group of a queue of a host.
[[nodiscard]] std::uint64_t stream_of(std::string_view host, std::uint64_t queue_id, std::string_view group) noexcept;

/// This machine's name, without the characters that the texts above use.
[[nodiscard]] std::string host_name();

}  // namespace beltway::bridge
