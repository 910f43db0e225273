// See lane.hpp.
#include "ring/lane.hpp"

#include <algorithm>
#include <cassert>

#include "ring/drop_oldest.hpp"
#include "ring/parking.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

Lane::Lane(Claimer& claimer)
    : claimer_(claimer),
      memory_(claimer.memory()),
      parked_slots_(&memory_.parked_slots(0)),
      producer_(claimer.producer()),
      records_(k_first_records) {
  // plant: lane_without_heir
  if (memory_.geometry.lane_bytes != 0) adopt_predecessor();
}

void Lane::adopt_predecessor() {
  // Floors may have passed more of it since the repair. What they passed is used again, so its slots must say RECLAIMED first,
  // or a group that joins at the oldest message finds other bytes there; then scan again, as in reclaim().
  Position lowest = claimer_.scan_floors();
  // plant: heir_marks_nothing
  mark_all_reclaimed(lowest);
  // What only now is passed is not marked, and must be later: by reclaim().
  // plant: heir_skips_what_is_passed_meanwhile
  if (const Position again = claimer_.scan_floors(); distance(again, lowest) < 0) lowest = again;
  // plant: heir_forgets_parked_messages
  keep_parked_of_slots(lowest);
  Record found{memory_.geometry.lane_bytes, 0, 0, Phase::inherited};
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < memory_.geometry.slots; ++i) {
    const Slot& slot = memory_.slot(i);
    const SlotState state = SlotState::of(slot.state.load_acquire());
    const SlotMeta meta = SlotMeta::of(slot.meta.load_relaxed());
    // RECLAIMED counts, too: our predecessor may have died between its mark and its second scan.
    // plant: heir_forgets_what_is_marked
    if ((state.phase != SlotPhase::ready && state.phase != SlotPhase::reclaimed) || state.owner != producer_ ||
        (meta.flags & k_flag_lane) == 0 || distance(state.position, lowest) < 0) {
      continue;
    }
    const LaneReference reference = LaneReference::of(slot.lane_reference().load_relaxed());
    const std::uint64_t offset = std::min(reference.offset, memory_.geometry.lane_bytes);
    if (end == 0 || distance(state.position, found.position) > 0) found.position = state.position;
    found.offset = std::min(found.offset, offset);
    end = std::max(end, std::min(offset + lines(meta.size), memory_.geometry.lane_bytes));
  }
  if (end <= found.offset) return;
  // One record from the first to the last byte that lives: what lies between is free only when all of it is.
  found.offset &= ~(k_cache_line_bytes - 1);
  found.bytes = end - found.offset;
  make_room_for_a_record();
  at(newest_++) = found;
  tail_ = end == memory_.geometry.lane_bytes ? 0 : lines(end);
}

void Lane::make_room_for_a_record() {
  if (newest_ - oldest_ != records_.size()) return;
  std::vector<Record> larger(records_.size() * 2);
  for (std::uint64_t i = oldest_; i != newest_; ++i) larger[i & (larger.size() - 1)] = at(i);
  records_.swap(larger);
}

bool Lane::find_space(std::uint64_t bytes, std::uint64_t& offset) noexcept {
  const std::uint64_t lane_bytes = memory_.geometry.lane_bytes;
  if (oldest_ == newest_) {
    tail_ = 0;  // nothing lives: start again at the beginning, so that a quiet conversation stays in the cache
    offset = 0;
    return go_around_parked(bytes, lane_bytes, offset);
  }
  const std::uint64_t head = at(oldest_).offset;
  offset = tail_;
  if (tail_ <= head) return go_around_parked(bytes, head, offset);  // wrapped around, or full (equal)
  if (go_around_parked(bytes, lane_bytes, offset)) return true;
  offset = 0;
  return go_around_parked(bytes, head, offset);
}

bool Lane::go_around_parked(std::uint64_t bytes, std::uint64_t end, std::uint64_t& offset) const noexcept {
  // Each turn passes one parked record at least.
  for (std::size_t turn = 0; turn <= parked_.size(); ++turn) {
    if (offset > end || bytes > end - offset) return false;
    std::uint64_t behind = offset;
    for (const Record& parked : parked_) {
      const bool overlaps = parked.offset < offset + bytes && offset < parked.offset + parked.bytes;
      // plant: lane_lends_parked_bytes
      if (overlaps) behind = std::max(behind, parked.offset + parked.bytes);
    }
    if (behind == offset) return true;
    offset = behind;
  }
  return false;
}

Lane::Loan Lane::lend_slowly(std::uint64_t bytes) {
  if (is_time_to_reclaim()) reclaim();
  std::uint64_t offset = 0;
  while (!find_space(bytes, offset)) {
    if (!reclaim()) return {};
  }
  make_room_for_a_record();
  assert(offset + bytes <= memory_.geometry.lane_bytes && newest_ - oldest_ < records_.size());
  return lend_at(offset, bytes);
}

std::uint64_t Lane::count_reclaimable_records(Position lowest) const noexcept {
  std::uint64_t over = 0;
  while (over <= k_max_reclaimed_per_loan && oldest_ + over != newest_) {
    const Record& record = at(oldest_ + over);
    if (record.phase == Phase::open) break;
    if (record.phase != Phase::dropped && distance(record.position, lowest) >= 0) break;
    ++over;
  }
  return over;
}

bool Lane::mark_reclaimed(Position position) noexcept {
  const std::uint64_t ready = SlotState{position, static_cast<std::uint8_t>(producer_), SlotPhase::ready}.word();
  Word& state = memory_.slot(position).state;
  if (state.load_relaxed() != ready) return false;
  const bool marked = state.compare_and_swap(
      ready, SlotState{position, static_cast<std::uint8_t>(producer_), SlotPhase::reclaimed}.word());
  release_fence();  // a lossy reader that copies what is written there next sees the mark: pairs with is_unchanged()
  return marked;
}

bool Lane::mark_all_reclaimed(Position lowest) {
  bool marked = false;
  for (std::uint64_t i = 0; i < memory_.geometry.slots; ++i) {
    const SlotState state = SlotState::of(memory_.slot(i).state.load_acquire());
    if (state.owner != producer_ || state.phase != SlotPhase::ready || distance(state.position, lowest) >= 0) continue;
    if ((SlotMeta::of(memory_.slot(i).meta.load_relaxed()).flags & k_flag_lane) == 0) continue;
    marked = mark_or_keep(record_of_slot(i, state.position)) || marked;
  }
  return marked;
}

bool Lane::reclaim() {
  Position lowest = claimer_.scan_floors();
  std::uint64_t over = count_reclaimable_records(lowest);
  if (over == 0 && oldest_ != newest_ && !waits_for_loans()) {
    // No consumer may do it: acknowledgements are gathered while no producer sleeps.
    // plant: lane_does_not_help_floors
    help_floors(memory_);
    lowest = claimer_.scan_floors();
    over = count_reclaimable_records(lowest);
    if (over == 0 && drop_for_room(memory_, behind_oldest_records())) {
      lowest = claimer_.scan_floors();
      over = count_reclaimable_records(lowest);
    }
    if (over == 0 && claimer_.park()) {
      lowest = claimer_.scan_floors();
      over = count_reclaimable_records(lowest);
    }
  }
  const bool ended = drop_ended(lowest);
  if (over > k_max_reclaimed_per_loan) {
    over = k_max_reclaimed_per_loan;  // and the rest with the next loan
  } else {
    lent_since_reclaim_ = 0;
  }
  bool marked = false;
  for (std::uint64_t i = 0; i < over; ++i) {
    if (i + k_reclaim_prefetch_distance < over)
      prefetch_to_write(&memory_.slot(at(oldest_ + i + k_reclaim_prefetch_distance).position).state);
    const Record& record = at(oldest_ + i);
    // plant: no_reclaimed_mark
    if (record.phase == Phase::committed) marked = mark_or_keep(record) || marked;
    if (record.phase == Phase::inherited) marked = mark_all_reclaimed(lowest) || marked;
  }
  // A group that joined at the oldest message before the marks may be reading what they cover: scan once more. The
  // swaps of the marks are the fence between. What floors have passed only meanwhile bears no mark: it is for the next time.
  // plant: frees_what_is_passed_meanwhile, no_second_scan_of_floors
  if (marked) over = std::min(over, count_reclaimable_records(claimer_.scan_floors()));
  // plant: lane_forgets_parked_records/2
  if (was_any_marked(parked_slots_)) keep_parked(over);
  oldest_ += over;
  assert(oldest_ <= newest_);
  return over != 0 || ended;
}

bool Lane::mark_or_keep(const Record& record) {
  // plant: lane_forgets_parked_records
  if (may_be_parked(record.position) && is_position_parked(memory_, record.position)) {
    keep(record);
    return false;
  }
  return mark_reclaimed(record.position);
}

Lane::Record Lane::record_of_slot(std::uint64_t index, Position position) const noexcept {
  const Slot& slot = memory_.slot(index);
  const std::uint64_t lane_bytes = memory_.geometry.lane_bytes;
  // A peer's words are cut to the lane.
  const std::uint64_t offset = std::min(LaneReference::of(slot.lane_reference().load_relaxed()).offset, lane_bytes);
  const std::uint64_t size = SlotMeta::of(slot.meta.load_relaxed()).size;
  const std::uint64_t begin = offset & ~(k_cache_line_bytes - 1);
  const std::uint64_t end = std::min(begin + lines(offset - begin + size), lane_bytes);
  return {begin, end - begin, position, Phase::committed};
}

void Lane::keep(const Record& record) {
  const bool known = std::any_of(parked_.begin(), parked_.end(),
                                 [&record](const Record& each) { return each.position == record.position; });
  if (!known) parked_.push_back(record);
}

void Lane::keep_parked(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const Record& record = at(oldest_ + i);
    if (record.phase == Phase::inherited) keep_parked_of_slots(wrap(record.position + 1));
    if (record.phase == Phase::committed && may_be_parked(record.position) &&
        is_position_parked(memory_, record.position))
      keep(record);
  }
}

void Lane::keep_parked_of_slots(Position lowest) {
  for (std::uint64_t i = 0; i < memory_.geometry.slots; ++i) {
    if (!may_be_parked(i)) continue;
    const std::optional<Position> position = parked_position(memory_, i);
    const Slot& slot = memory_.slot(i);
    const SlotMeta meta = SlotMeta::of(slot.meta.load_relaxed());
    const LaneReference reference = LaneReference::of(slot.lane_reference().load_relaxed());
    if (!position || (meta.flags & k_flag_lane) == 0 || reference.owner != producer_) continue;
    if (distance(*position, lowest) < 0) keep(record_of_slot(i, *position));
  }
}

bool Lane::drop_ended(Position lowest) noexcept {
  if (parked_.empty()) return false;
  const auto is_over = [&](const Record& record) {
    return distance(record.position, lowest) < 0 && !is_position_parked(memory_, record.position);
  };
  bool marked = false;
  for (Record& record : parked_) {
    record.phase = is_over(record) ? Phase::dropped : Phase::committed;
    if (record.phase == Phase::dropped) marked = mark_reclaimed(record.position) || marked;
  }
  // As for all records: a group may have joined before the marks.
  if (marked) lowest = claimer_.scan_floors();
  return std::erase_if(parked_,
                       [&](const Record& record) { return record.phase == Phase::dropped && is_over(record); }) != 0;
}

Position Lane::behind_oldest_records() const noexcept {
  // An eighth of the lane, so that not each loan has to make room for itself.
  std::uint64_t last = (newest_ - oldest_) / 8;
  while (last != 0 && at(oldest_ + last).phase != Phase::committed) --last;
  return wrap(at(oldest_ + last).position + 1);
}

bool Lane::waits_for_loans() const noexcept { return oldest_ != newest_ && at(oldest_).phase == Phase::open; }

Position Lane::wake_past() const noexcept {
  // Without a record only parked messages are in the way: no floor, but the end of their leases wakes.
  return oldest_ == newest_ ? load_tail(memory_) : at(oldest_).position;
}

}  // namespace beltway::ring
