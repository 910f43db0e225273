// The memory of the event journal, which outlives the daemon (see descriptor_store.hpp). No client ever gets it.
//
//   0                              k_event_heading_bytes
//   | magic | layout | journal     | record 0 | record 1 | ... | record k_max_events - 1 |
//
//   journal: a random number that names this journal.
//   record:  commit: the event's sequence number; 0: empty, or being written         8 bytes
//            size                                                                    8 bytes
//            text: JSON, see events_json.hpp                                         k_max_event_bytes - 16
//
// The event with sequence number s lies in record s mod k_max_events. `commit` is 0 while a record is written, so a daemon that
// is killed in between leaves no half event: the next daemon skips that record.
//
// Ownership: descriptor and mapping. Thread safety: none; the journal has the lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/limits.hpp"
#include "os/fd.hpp"
#include "os/segment.hpp"

namespace beltway::daemon {

class EventSegment {
 public:
  static constexpr std::size_t k_max_text_bytes = k_max_event_bytes - 16;

  /// A new one, empty. Throws Error(limit_reached, system).
  EventSegment();
  /// An earlier daemon's. Throws Error(incompatible) if it is none or of another layout.
  explicit EventSegment(os::Fd segment);

  [[nodiscard]] int descriptor() const noexcept { return segment_.get(); }
  [[nodiscard]] std::uint64_t journal() const noexcept;

  /// Requires that `sequence` is not 0. A text that is too long is not written: then the record is empty.
  void write(std::uint64_t sequence, std::string_view text) noexcept;

  struct Record {
    std::uint64_t sequence = 0;
    std::string text;
  };
  /// All whole records, by sequence number. Their texts are as they were found: check them.
  [[nodiscard]] std::vector<Record> read_all() const;

 private:
  [[nodiscard]] std::byte* record(std::uint64_t sequence) const noexcept;

  os::Fd segment_;
  os::Mapping mapping_;
};

}  // namespace beltway::daemon
