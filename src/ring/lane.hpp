// A producer's lane: the memory for messages beyond a slot, lent out in order and freed lazily when room is needed.
//
// The list of loan records is private; shared memory holds only the bytes and the slots that refer to them. A record is open (a
// loan), dropped, or committed at a position. A committed record is finished when every reliable floor is past its position.
// Then its slot becomes RECLAIMED, the floors are scanned again (a group may have joined meanwhile), and the bytes may be lent.
//
//   0         head (oldest record)             tail (next free)          lane_bytes
//   |  free   | record | record | ... | record |         free            |      or wrapped around the end
//
// A message that all floors have passed may still be parked (parking.hpp). Then its bytes stay, and its record moves to a list of
// parked records. New loans go around the bytes of these, until their leases have ended.
//
// Thread safety: belongs to its producer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ring/claim.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::ring {

class Lane {
 public:
  /// Takes over the records that an earlier producer of the same index left.
  explicit Lane(Claimer& claimer);

  struct Loan {
    std::byte* data = nullptr;  ///< null: no room now; see waits_for_loans() and wake_past()
    std::uint64_t record = 0;
  };
  /// Lends `size` bytes, at most lane_bytes, aligned to 64. Allocates memory only when more is lent at once than ever before.
  Loan lend(std::size_t size) {
    // Rounded up to whole lines. This still fits at the end of the lane, since lane_bytes is a multiple of a page.
    const std::uint64_t bytes = lines(size);
    // The usual case: directly behind the newest record.
    if (const std::uint64_t lent = newest_ - oldest_;
        lent != 0 && lent != records_.size() && !is_time_to_reclaim() && parked_.empty()) {
      const std::uint64_t head = at(oldest_).offset;
      const std::uint64_t end = tail_ <= head ? head : memory_.geometry.lane_bytes;
      if (bytes <= end - tail_) [[likely]]
        return lend_at(tail_, bytes);
    }
    return lend_slowly(bytes);
  }

  void drop(std::uint64_t record) noexcept { at(record).phase = Phase::dropped; }
  /// Drops the record unless it was committed.
  void drop_if_open(std::uint64_t record) noexcept {
    if (at(record).phase == Phase::open) drop(record);
  }
  /// Makes the record a message at `position`. Returns where its bytes lie.
  LaneReference commit(std::uint64_t record, Position position) noexcept {
    Record& committed = at(record);
    committed.position = position;
    committed.phase = Phase::committed;
    return {static_cast<std::uint8_t>(producer_), committed.offset};
  }

  /// After a failed lend(): true if an open loan is in the way, which no consumer can free.
  [[nodiscard]] bool waits_for_loans() const noexcept;
  /// After a failed lend(): the position that floors must pass before there may be room.
  [[nodiscard]] Position wake_past() const noexcept;
  /// True if loans go around parked bytes.
  [[nodiscard]] bool has_parked() const noexcept { return !parked_.empty(); }

 private:
  enum class Phase : std::uint8_t { open, committed, dropped, inherited };
  struct Record {
    std::uint64_t offset;
    std::uint64_t bytes;
    Position position;
    Phase phase;
  };

  [[nodiscard]] Record& at(std::uint64_t record) noexcept { return records_[record & (records_.size() - 1)]; }
  [[nodiscard]] const Record& at(std::uint64_t record) const noexcept {
    return records_[record & (records_.size() - 1)];
  }
  static constexpr std::uint64_t lines(std::uint64_t bytes) noexcept {
    return bytes == 0 ? k_cache_line_bytes : whole_lines(bytes);
  }
  /// True once a quarter of the lane was lent since the last scan: reclaim then, so that an empty lane starts at its beginning.
  [[nodiscard]] bool is_time_to_reclaim() const noexcept {
    return lent_since_reclaim_ > memory_.geometry.lane_bytes / 4;
  }
  /// Requires room for the bytes and for a record.
  Loan lend_at(std::uint64_t offset, std::uint64_t bytes) noexcept {
    tail_ = offset + bytes == memory_.geometry.lane_bytes ? 0 : offset + bytes;
    lent_since_reclaim_ += bytes;
    at(newest_) = {offset, bytes, 0, Phase::open};
    return {memory_.lane(producer_) + offset, newest_++};
  }
  Loan lend_slowly(std::uint64_t bytes);
  [[nodiscard]] bool find_space(std::uint64_t bytes, std::uint64_t& offset) noexcept;
  /// Moves `offset` up to the first place for `bytes` before `end` that overlaps no parked record. False: there is none.
  [[nodiscard]] bool go_around_parked(std::uint64_t bytes, std::uint64_t end, std::uint64_t& offset) const noexcept;
  void make_room_for_a_record();
  /// Counts finished records from the oldest on; stops above k_max_reclaimed_per_loan.
  std::uint64_t count_reclaimable_records(Position lowest) const noexcept;
  bool reclaim();
  /// Right behind the oldest records, a part of the lane. Requires a record, of which the oldest is not open.
  [[nodiscard]] Position behind_oldest_records() const noexcept;
  /// Adds the first `count` records that are parked to the list of parked ones. Call it after a scan of the floors.
  void keep_parked(std::uint64_t count);
  /// Adds each parked message of this lane below `lowest` that its slot names: a predecessor's.
  void keep_parked_of_slots(Position lowest);
  void keep(const Record& record);
  /// Drops the parked records whose leases have ended. True if there was one.
  bool drop_ended(Position lowest) noexcept;
  /// False: no floor has passed a message that is parked in the slot of `position`.
  [[nodiscard]] bool may_be_parked(Position position) const noexcept {
    return was_any_marked(parked_slots_) && is_marked(parked_slots_, position & memory_.mask());
  }
  /// Keeps a parked record, else marks its slot. True if it made the slot RECLAIMED.
  bool mark_or_keep(const Record& record);
  bool mark_reclaimed(Position position) noexcept;
  /// Does the same for every message of this producer in a lane below `lowest`.
  bool mark_all_reclaimed(Position lowest);
  [[nodiscard]] Record record_of_slot(std::uint64_t index, Position position) const noexcept;
  void adopt_predecessor();

  Claimer& claimer_;
  const QueueMemory& memory_;
  const Word* const parked_slots_;
  const unsigned producer_;
  std::vector<Record> records_;  // a circle; its size is a power of two
  std::uint64_t oldest_ = 0;     // records oldest_ to newest_ - 1 are lent
  std::uint64_t newest_ = 0;
  std::vector<Record> parked_;  // no records any more; their bytes are not lent
  std::uint64_t tail_ = 0;      // the next free byte
  std::uint64_t lent_since_reclaim_ = 0;
};

}  // namespace beltway::ring
