// The registry segment: what the daemon knows of its queues, in memory that outlives it (see DescriptorStore). No client ever
// gets it.
//
//   0                  4096
//   | magic | layout | starts      | place 0 | place 1 | ...
//
//   layout: of this segment, not of the queues. starts: daemons that began with it since one was ready.
//   place:  commit = sequence:32 | size:32        8 bytes; 0: empty
//           copy 0 | copy 1                       k_max_record_bytes each; copy (sequence mod 2) counts
//
// One process writes, one word is the truth: a record is written into the copy that does not count, then `commit` is stored
// with release. So a daemon that maps the segment after a SIGKILL at any instruction finds the record before or the record
// after, whole. Text and not structures: see record_text.hpp.
//
// Ownership: descriptor and mapping. Thread safety: the daemon's one thread.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/detail/atomics.hpp"
#include "os/fd.hpp"

namespace beltway::daemon {

/// Two characters of base 36 name a place in the store.
inline constexpr unsigned k_max_places = 36 * 36;
/// 64 groups with names of 255 characters, 128 endpoints, a type name that is all quotes: about 36 KiB.
inline constexpr std::size_t k_max_record_bytes = 48 * 1024;

class SavedRecords {
 public:
  /// A new one, empty. Throws Error(limit_reached, system).
  SavedRecords();
  /// An earlier daemon's. Throws Error(incompatible) if it is none or of another layout.
  explicit SavedRecords(os::Fd segment);

  [[nodiscard]] int descriptor() const noexcept { return segment_.get(); }

  /// Counts a start; returns how many there were before it since a daemon was ready. The count is a hint: it is the
  /// registry's and lives as long, whatever starts the daemon.
  std::uint64_t count_start() noexcept;
  void clear_starts() noexcept;

  /// Throws Error(system) if the text is too long; then the old record stands.
  void write(unsigned place, std::string_view text);
  void clear(unsigned place) noexcept;
  /// The places that are not empty. Gives no memory to those that never had a record.
  [[nodiscard]] std::vector<unsigned> places() const;
  /// Nothing if the place is empty.
  [[nodiscard]] std::optional<std::string> read(unsigned place) const;

 private:
  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(mapping_.get_address()); }
  [[nodiscard]] detail::Word& commit_word(unsigned place) const noexcept;
  [[nodiscard]] char* copy(unsigned place, std::uint32_t sequence) const noexcept;

  os::Fd segment_;
  boost::interprocess::mapped_region mapping_;
};

}  // namespace beltway::daemon
