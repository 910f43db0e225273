// The lanes of a queue's producers that are gone: their memory is given back, a little at a time. See queue.hpp.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <exception>
#include <utility>

#include "queues/queue.hpp"
#include "recovery/lane_recovery.hpp"

namespace beltway::daemon {
namespace {

/// Bytes that are punched at once. The daemon has one thread, and no repair may wait long for it.
constexpr std::uint64_t k_punch_step_bytes = 8ULL << 20;

}  // namespace

void Queue::free_lane_of(unsigned place) noexcept {
  if (place >= geometry_.max_producers || !own_.heap) return;
  lanes_to_scan_ |= 1ULL << place;
}

void Queue::keep_lane_of(unsigned place) noexcept {
  if (place >= geometry_.max_producers) return;
  lanes_to_scan_ &= ~(1ULL << place);
  lanes_in_use_by_messages_ &= ~(1ULL << place);
  if (punched_lane_ == place) parts_to_punch_.clear();
}

void Queue::scan_rest_of_lanes() noexcept { lanes_to_scan_ |= std::exchange(lanes_in_use_by_messages_, 0); }

void Queue::free_ownerless_lanes() noexcept {
  for (unsigned place = 0; place < geometry_.max_producers; ++place) {
    if (!record_.endpoints[place].attached) free_lane_of(place);
  }
}

bool Queue::give_back_some_memory() noexcept {
  if (parts_to_punch_.empty() && lanes_to_scan_ != 0) {
    find_parts_to_punch(static_cast<unsigned>(std::countr_zero(lanes_to_scan_)));
  } else if (!parts_to_punch_.empty()) {
    os::SegmentRange& part = parts_to_punch_.back();
    const std::uint64_t step = std::min(part.size, k_punch_step_bytes);
    part.size -= step;
    const bool punched = os::punch_segment(own_.heap.get(), {part.offset + part.size, step});
    if (!punched) spdlog::warn("queue {}: a lane's memory cannot be given back: {}", record_.name, errno);
    if (part.size == 0 || !punched) parts_to_punch_.pop_back();
  }
  return has_memory_to_give_back();
}

void Queue::find_parts_to_punch(unsigned lane) noexcept {
  lanes_to_scan_ &= ~(1ULL << lane);
  try {
    const recovery::UnneededLane unneeded =
        recovery::find_unneeded_parts(memory_, lane, static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    if (!unneeded.whole) lanes_in_use_by_messages_ |= 1ULL << lane;
    for (const recovery::LanePart& part : unneeded.parts) parts_to_punch_.push_back({part.offset, part.size});
    punched_lane_ = lane;
  } catch (const std::exception& error) {  // no memory; the next occasion is soon enough
    parts_to_punch_.clear();
    lanes_in_use_by_messages_ |= 1ULL << lane;
    spdlog::warn("queue {}: a lane's memory is not given back yet: {}", record_.name, error.what());
  }
}

}  // namespace beltway::daemon
