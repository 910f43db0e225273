// Shared memory segments: making them (the daemon), filling them, and mapping them (everybody).
//
// A segment is a memfd: sized once, sealed against SHRINK, GROW and further SEALs, so that no peer can make a mapped page
// disappear (SIGBUS) or change what was checked. Access is decided by the descriptor that is handed out: one opened anew
// read-only cannot be mapped for writing.
//
// Ownership: Fd and Mapping own what they hold. A Mapping is not inherited by forked children (MADV_DONTFORK); a child's
// copy of the object leaks instead of unmapping whatever lies there by then.
// Thread safety: different objects are independent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "beltway/fork_guard.hpp"
#include "fd.hpp"

namespace boost::interprocess {
class mapped_region;  // NOLINT(readability-identifier-naming): Boost's name
}

namespace beltway {

/// Bytes `offset` to `offset + size` of a segment.
struct SegmentRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

enum class Access : std::uint8_t { read_only, read_write };

/// A new, empty, sealed segment of `bytes`, mode 0600, that nothing is charged for yet. `what`: operation and object, for
/// errors; `name` shows in /proc. Throws Error(limit_reached, system).
[[nodiscard]] Fd make_segment(const std::string& name, std::uint64_t bytes, const std::string& what);

/// The same segment through a description of its own: its access and its locks are independent of `segment`'s.
[[nodiscard]] Fd open_segment_anew(int segment, Access access, const std::string& what);

/// A received segment is input: throws Error(incompatible) unless it has exactly `bytes` and can neither shrink nor grow.
void check_segment(int segment, std::uint64_t bytes, const std::string& what);

/// Gives the range memory now, charged to this process's cgroup, so that no later access fails. Looks at the cgroup's
/// limits first. Throws Error(limit_reached, system).
void fill_segment(int segment, SegmentRange range, const std::string& what);

class Mapping {
 public:
  Mapping() noexcept = default;
  /// Maps a range whose offset is a multiple of 4096. The descriptor may be closed afterwards.
  Mapping(int segment, SegmentRange range, Access access, const std::string& what);
  Mapping(Mapping&&) noexcept = default;
  Mapping& operator=(Mapping&&) noexcept = default;
  ~Mapping() = default;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Maps all pages now instead of one fault each. For memory that is filled: a hole would be charged to this process.
  /// Best effort: a kernel that cannot leaves the faults to the first use.
  void populate(SegmentRange range) const noexcept;
  void populate() const noexcept { populate({0, size_}); }
  /// Maps the pages of those parts of `segment` that somebody has written.
  void populate_written(int segment) const noexcept;

  /// Keeps the pages in memory, holes when they are filled. Throws Error(limit_reached) naming RLIMIT_MEMLOCK.
  void lock(SegmentRange range, const std::string& what) const;

  /// Bytes in the range that nobody has written or populated yet, or that are swapped out: they may have no memory.
  [[nodiscard]] std::uint64_t missing_bytes(SegmentRange range) const;

 private:
  struct Unmap {
    std::optional<ForkGuard> guard;
    void operator()(boost::interprocess::mapped_region* region) const noexcept;
  };
  std::unique_ptr<boost::interprocess::mapped_region, Unmap> region_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Access access_ = Access::read_only;
};

}  // namespace beltway
