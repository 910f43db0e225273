// Shared memory segments: making them (the daemon), filling them, and mapping them (all).
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
#include <utility>

#include "beltway/detail/fork_guard.hpp"
#include "os/fd.hpp"

namespace beltway::os {

/// Bytes `offset` to `offset + size` of a segment.
struct SegmentRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

enum class Access : std::uint8_t { read_only, read_write };

/// A new, empty, sealed segment of `bytes`, mode 0600, that nothing is charged for yet. `context`: operation and object, for
/// errors; `name` shows in /proc. Throws Error(limit_reached, system).
[[nodiscard]] Fd make_segment(const std::string& name, std::uint64_t bytes, const std::string& context);

/// The same segment through a description of its own: its access and its locks are independent of `segment`'s.
[[nodiscard]] Fd open_segment_anew(int segment, Access access, const std::string& context);

/// What a received segment is: input from a stranger.
struct SegmentFacts {
  std::int64_t bytes = 0;
  int seals = -1;
  int error_number = 0;  ///< of its inspection; 0: none

  [[nodiscard]] bool sound(std::uint64_t expected_bytes) const noexcept;
  /// Throws Error(incompatible) unless the segment has exactly `expected_bytes` and can neither shrink nor grow.
  void check(std::uint64_t expected_bytes, const std::string& context) const;
};
[[nodiscard]] SegmentFacts inspect_segment(int segment) noexcept;
inline void check_segment(int segment, std::uint64_t bytes, const std::string& context) {
  inspect_segment(segment).check(bytes, context);
}

/// Gives the range memory now, charged to this process's cgroup, so that no later access fails. Holes are filled in steps, and
/// the cgroup's limits are read before each: others may fill at the same time. `promised`: bytes that others will take
/// soon. What was filled is given back if the rest cannot be. No other process may write to the range meanwhile.
/// Throws Error(limit_reached, system).
void fill_segment(int segment, SegmentRange range, const std::string& context, std::uint64_t promised = 0);

/// Gives the range's whole pages back: they read as zeros afterwards. False if the kernel refuses.
bool punch_segment(int segment, SegmentRange range) noexcept;

/// What a mapping needs that is found out before it is made.
class MappingPlan {
 public:
  /// Throws Error(system) if this process cannot watch for forks.
  MappingPlan();

 private:
  friend class Mapping;
  detail::ForkGuard guard_;
  bool fills_new_mappings_;  ///< mlockall(MCL_FUTURE) is in force
};

/// The step of a mapping that failed; null: none did.
struct MappingFailure {
  const char* step = nullptr;
  int error_number = 0;

  explicit operator bool() const noexcept { return step != nullptr; }
  /// Names the limit that is in the way, where one is. `context`: operation and object.
  [[noreturn]] void raise(const std::string& context, std::uint64_t bytes) const;
};

/// A mapping makes no page real by itself, even in a process that has called mlockall(MCL_FUTURE): there, its pages are locked
/// when they are touched first.
class Mapping {
 public:
  Mapping() noexcept = default;
  /// Maps a range whose offset is a multiple of 4096. The descriptor may be closed afterwards.
  Mapping(int segment, SegmentRange range, Access access, const std::string& context);
  /// The same where nothing may be allocated or thrown (ForkSection). On failure nothing is mapped, and data() is null.
  Mapping(int segment, SegmentRange range, Access access, const MappingPlan& plan, MappingFailure& failure) noexcept;
  Mapping(Mapping&& other) noexcept
      : guard_(other.guard_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        access_(other.access_) {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { unmap(); }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Maps all pages now instead of one fault each. For memory that is filled: a hole would be charged to this process.
  /// Best effort: a kernel that cannot leaves the faults to the first use.
  void populate(SegmentRange range) const noexcept;
  void populate() const noexcept { populate({0, size_}); }
  /// Maps the pages of those parts of `segment` that were written.
  void populate_written(int segment) const noexcept;

  /// Keeps the pages in memory, holes when they are filled. Throws Error(limit_reached) naming RLIMIT_MEMLOCK.
  void lock(SegmentRange range, const std::string& context) const;

  /// Keeps the memory out of core dumps, which would make every hole real and write it. Best effort.
  void leave_out_of_core_dumps() const noexcept;

  /// Bytes in the range that were never written or populated, or that are swapped out: they may have no memory.
  [[nodiscard]] std::uint64_t missing_bytes(SegmentRange range) const;

 private:
  /// The step that failed, with errno; null: none.
  [[nodiscard]] const char* map(int segment, SegmentRange range, const MappingPlan& plan) noexcept;
  void unmap() noexcept;

  std::optional<detail::ForkGuard> guard_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Access access_ = Access::read_only;
};

}  // namespace beltway::os
