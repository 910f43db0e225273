// Reading as a lossy group: producers overtake this reader, so each message is copied out, and counts only if its slot
// still says the same afterwards. What was overtaken is counted to the position. A reader that conflates takes the newest
// message, and counts the positions that it skips as if they were overtaken.
//
// Thread safety: belongs to its consumer's thread. Writes the group's floor for observers; producers ignore it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "ring/readers/private_reader.hpp"
#include "ring/slot_view.hpp"
#include "ring/stamps.hpp"

namespace beltway::ring {

class LossyReader {
 public:
  LossyReader(const QueueMemory& memory, unsigned group, Position start, bool conflates = false) noexcept
      : memory_(memory), group_(group), conflates_(conflates), read_(start) {}

  /// Forgets the copies of earlier messages.
  void begin() noexcept { used_ = 0; }

  /// Copies the next message behind those copied since begin(): the first is at offset 0, each at next_offset() of the one
  /// before. A copy begins with the properties, if there are any. `view.data` is not set, since the copies may still move. A
  /// reader that conflates copies the newest message that was READY when the call began, or a later one. It copies no message at
  /// or before one that it has copied already.
  [[nodiscard]] ReadResult next(SlotView& view) { return conflates_ ? newest(view) : oldest(view); }
  [[nodiscard]] bool conflates() const noexcept { return conflates_; }

  [[nodiscard]] static std::size_t next_offset(std::size_t offset, std::size_t size) noexcept {
    return offset + whole_lines(k_stamp_bytes + size);
  }
  /// The copy at `offset`; valid until the next call of next() or begin().
  [[nodiscard]] const std::byte* data(std::size_t offset) const noexcept {
    return copies_.data() + offset + k_stamp_bytes;
  }
  /// When the message was published whose copy is at `copy`, as load_stamp() says.
  [[nodiscard]] static std::uint64_t stamp_of(const std::byte* copy) noexcept {
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, copy - k_stamp_bytes, sizeof stamp);
    return stamp;
  }

  /// From now on next() says ReadResult::expired for messages that are older by the clock of `stamps`; 0: for none.
  void expire_after(std::uint64_t ttl_us, Stamps stamps) noexcept {
    ttl_us_ = ttl_us;
    stamps_ = stamps;
  }

  [[nodiscard]] Position read() const noexcept { return read_; }
  /// The number of positions lost so far.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  [[nodiscard]] ReadResult oldest(SlotView& view);
  [[nodiscard]] ReadResult newest(SlotView& view);
  /// The newest READY position before `tail` that is not read yet; `word` is its slot's state. If no message can come before
  /// `tail` any more, counts the positions that had one as lost. `overtaken`: nothing was found, and a producer has overwritten a
  /// slot since `tail` was read, so that a later message may be there.
  [[nodiscard]] std::optional<Position> find_newest(Position tail, std::uint64_t& word, bool& overtaken) noexcept;
  /// Copies the message of `word`, the state of the slot at `position`. ReadResult::again: it was overtaken.
  ReadResult take(Position position, std::uint64_t word, SlotView& view);

  void lose(std::uint64_t positions) noexcept {
    lost_ += positions;
    lost_before_ += positions;
    read_ = wrap(read_ + positions);
  }
  /// The slot at read() is `found` already. Counts what is overwritten as lost. False if a peer's number makes no sense.
  bool lose_overtaken(Position found) noexcept;
  void copy(const SlotView& view, std::uint64_t stamp_us);
  [[nodiscard]] bool is_expired(const SlotView& view, std::uint64_t stamp_us) const noexcept;

  /// Before each copy lies the stamp of its message. As long as the alignment of a payload.
  static constexpr std::size_t k_stamp_bytes = k_payload_alignment;

  const QueueMemory memory_;
  const unsigned group_;
  const bool conflates_;
  Position read_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_before_ = 0;  // since the last message
  std::vector<std::byte> copies_;
  std::size_t used_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t ttl_us_ = 0;
  Stamps stamps_ = Stamps::off;
};

}  // namespace beltway::ring
