// A producer's lane: the memory for messages beyond a slot, lent out in order and freed lazily when room is needed.
//
// The list of what is lent is private to the producer; shared memory holds only the bytes, and the slots that refer to
// them. A record is open (a loan), dropped, or committed at a position; a committed one is over when every reliable floor
// is past its position. Then its slot is marked GONE, the floors are looked at once more (a group may have joined at
// the oldest message in between), and only then are the bytes lent again.
//
//   0         head (oldest record)             tail (next free)          lane_bytes
//   |  free   | record | record | ... | record |         free            |      or wrapped around the end
//
// Thread safety: belongs to its producer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "claim.hpp"
#include "queue_map.hpp"

namespace beltway {

class Lane {
 public:
  /// Takes over what an earlier producer of the same index left.
  explicit Lane(Claimer& claimer);

  struct Lent {
    std::byte* data = nullptr;  ///< null: no room now; see wait_for_loans() and wake_past()
    std::uint64_t record = 0;
  };
  /// Lends `size` bytes, at most lane_bytes, aligned to 64. Allocates memory only when more is lent at once than ever before.
  Lent lend(std::size_t size);

  void drop(std::uint64_t record) noexcept { at(record).phase = Phase::dropped; }
  void commit(std::uint64_t record, Position position) noexcept {
    at(record).position = position;
    at(record).phase = Phase::committed;
  }
  [[nodiscard]] std::uint64_t offset(std::uint64_t record) const noexcept { return at(record).offset; }

  /// After a failed lend(): true if an open loan stands in the way, which no consumer can free.
  [[nodiscard]] bool waits_for_loans() const noexcept;
  /// After a failed lend(): the position that floors must pass before there may be room.
  [[nodiscard]] Position wake_past() const noexcept;

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
  [[nodiscard]] bool place(std::uint64_t bytes, std::uint64_t& offset) noexcept;
  std::uint64_t push(const Record& record);
  std::uint64_t count_over(Position lowest) const noexcept;
  bool reclaim() noexcept;
  bool mark_gone(Position position) noexcept;
  /// Every message of ours in a lane below `lowest`.
  bool mark_all_gone(Position lowest) noexcept;
  void inherit();

  Claimer& claimer_;
  const QueueMap& map_;
  const unsigned producer_;
  std::vector<Record> records_;  // a circle; its size is a power of two
  std::uint64_t oldest_ = 0;     // records oldest_ to newest_ - 1 are lent
  std::uint64_t newest_ = 0;
  std::uint64_t tail_ = 0;  // the next free byte
  std::uint64_t lent_since_look_ = 0;
};

}  // namespace beltway
