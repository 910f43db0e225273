// Reading as a lossy group: producers overtake this reader, so each message is copied out, and counts only if its slot
// still says the same afterwards. What was overtaken is counted to the position.
//
// Thread safety: belongs to its consumer's thread. Writes the group's floor for observers; producers ignore it.
#pragma once

#include <cstdint>
#include <vector>

#include "ring/readers/private_reader.hpp"
#include "ring/slot_view.hpp"

namespace beltway::ring {

class LossyReader {
 public:
  LossyReader(const QueueMemory& memory, unsigned group, Position start) noexcept
      : memory_(memory), group_(group), read_(start) {}

  /// Forgets the copies of earlier messages.
  void begin() noexcept { used_ = 0; }

  /// Copies the next message behind those copied since begin(): the first is at offset 0, each at next_offset() of the one
  /// before. A copy begins with the properties, if there are any. `view.data` is not set, since the copies may still move.
  [[nodiscard]] ReadResult next(SlotView& view);

  [[nodiscard]] static std::size_t next_offset(std::size_t offset, std::size_t size) noexcept {
    return offset + whole_lines(size);
  }
  /// The copy at `offset`; valid until the next call of next() or begin().
  [[nodiscard]] const std::byte* data(std::size_t offset) const noexcept { return copies_.data() + offset; }

  [[nodiscard]] Position read() const noexcept { return read_; }
  /// The number of positions lost so far.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  void lose(std::uint64_t positions) noexcept {
    lost_ += positions;
    lost_before_ += positions;
    read_ = wrap(read_ + positions);
  }
  /// The slot at read() is `found` already. Counts what is overwritten as lost. False if a peer's number makes no sense.
  bool lose_overtaken(Position found) noexcept;
  void copy(const SlotView& view);

  const QueueMemory memory_;
  const unsigned group_;
  Position read_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_before_ = 0;  // since the last message
  std::vector<std::byte> copies_;
  std::size_t used_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace beltway::ring
