// A queue's record as text, for the registry segment: JSON, so that the next version of the daemon can read what this one
// wrote. Unknown fields are ignored, and missing fields have their defaults.
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "survival/records.hpp"

namespace beltway::daemon {

[[nodiscard]] std::string encode(const QueueRecord& record);

/// What every version of the daemon can read of every record, earlier or later. Fields: "name", "id", "owner_uid",
/// "owner_gid", "options" with "mode", "layout": [major, minor], "reader": [major, minor]. No version may change these.
struct RecordStamp {
  std::string name;  ///< empty: the record says none
  std::uint64_t id = 0;
  std::uint32_t owner_uid = 0;
  std::uint32_t owner_gid = 0;
  std::uint32_t mode = 0;
  wire::LayoutVersion layout = k_unsaid_layout;
  wire::LayoutVersion reader = k_unsaid_layout;  ///< the earliest program's layout that may work on the queue

  /// Whether a program of layout `own` may work on the queue.
  [[nodiscard]] bool readable_by(wire::LayoutVersion own) const noexcept {
    return own.major == layout.major && own.major == reader.major && own.minor >= reader.minor;
  }
};

/// Takes what it finds; never throws for what the text says.
[[nodiscard]] RecordStamp decode_stamp(std::string_view text);

/// Throws Error(protocol, invalid_option) for what is no record. Checked as if a stranger had written it: a daemon of another
/// version is one. Ask decode_stamp() first. Sessions are not kept: connections end with the daemon.
[[nodiscard]] QueueRecord decode_record(std::string_view text);

}  // namespace beltway::daemon
