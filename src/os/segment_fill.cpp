// Giving a segment's range memory in steps, and taking memory back. See segment.hpp.
#include <fcntl.h>
#include <linux/falloc.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "os/memory_probe.hpp"
#include "os/segment.hpp"

namespace beltway::os {

namespace {

int allocate(int segment, int mode, SegmentRange range) noexcept {
  int result = 0;
  do {
    result = ::fallocate(segment, mode, static_cast<off_t>(range.offset), static_cast<off_t>(range.size));
  } while (result != 0 && errno == EINTR);
  return result;
}

/// The parts of the range that were never written. What has been filled and not written yet is among them.
std::vector<SegmentRange> holes_in(int segment, SegmentRange range) {
  std::vector<SegmentRange> holes;
  const std::uint64_t end = range.offset + range.size;
  for (std::uint64_t at = range.offset; at < end;) {
    const off_t hole = ::lseek(segment, static_cast<off_t>(at), SEEK_HOLE);
    if (hole < 0) throw system_failure("find the parts of shared memory that are empty: lseek");
    const std::uint64_t begin = std::max(at, static_cast<std::uint64_t>(hole));
    if (begin >= end) break;
    const off_t data = ::lseek(segment, static_cast<off_t>(begin), SEEK_DATA);
    // No data behind it (ENXIO): the hole goes on to the end.
    const std::uint64_t stop = data < 0 ? end : std::min(end, static_cast<std::uint64_t>(data));
    holes.push_back({begin, stop - begin});
    at = stop;
  }
  return holes;
}

void fill_step(int segment, SegmentRange step, const std::string& context) {
  if (allocate(segment, 0, step) == 0) return;
  if (errno == ENOSPC || errno == ENOMEM) {
    throw Error(Errc::limit_reached, context + ": no memory for " + std::to_string(step.size) +
                                         " bytes; free some, or choose fewer slots or smaller lanes");
  }
  throw system_failure(context + ": fallocate of shared memory");
}

/// Returns where it stopped, with the reason in `failure` if that is not the end.
std::uint64_t fill_hole(int segment, SegmentRange hole, std::uint64_t& missing, const std::string& context,
                        std::exception_ptr& failure) noexcept {
  std::uint64_t at = hole.offset;
  const std::uint64_t end = hole.offset + hole.size;
  try {
    while (at < end) {
      const std::uint64_t step = std::min(end - at, fill_step_bytes(missing, context));
      fill_step(segment, {at, step}, context);
      at += step;
      missing -= step;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  return at;
}

}  // namespace

bool punch_segment(int segment, SegmentRange range) noexcept {
  return range.size == 0 || allocate(segment, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, range) == 0;
}

void fill_segment(int segment, SegmentRange range, const std::string& context, std::uint64_t promised) {
  std::vector<SegmentRange> holes = holes_in(segment, range);
  std::uint64_t missing = 0;
  for (const SegmentRange& hole : holes) missing += hole.size;
  if (missing == 0) return;
  require_memory(missing, context, promised);
  std::exception_ptr failure;
  for (std::size_t i = 0; i < holes.size() && failure == nullptr; ++i) {
    const std::uint64_t stop = fill_hole(segment, holes[i], missing, context, failure);
    if (failure == nullptr) continue;
    holes[i].size = stop - holes[i].offset;
    holes.resize(i + 1);
  }
  if (failure == nullptr) return;
  for (const SegmentRange& filled : holes) punch_segment(segment, filled);
  std::rethrow_exception(failure);
}

}  // namespace beltway::os
