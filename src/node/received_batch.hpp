// The messages of receiveBatch(): copies in memory of JavaScript that is used again, and the leases of those of a named group.
// lib/batch.js reads the same layout: first an entry for each message, then the payloads. Each payload begins at a multiple of
// 8 bytes. Behind it, from the next multiple of 8 bytes on, lie the properties, if there are any.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "beltway/message.hpp"

namespace beltway::node {

/// Offsets count from the beginning of the memory.
struct BatchEntry {
  std::uint32_t begin;  ///< of the payload
  std::uint32_t size;
  double position;
  std::uint32_t properties_begin;
  std::uint32_t properties_bytes;  ///< 0: the message has none
  std::uint32_t deliveries;
  std::uint32_t reserved;
};
static_assert(sizeof(BatchEntry) == 32);

class ReceivedBatch {
 public:
  /// Messages of one batch, at most.
  static constexpr std::size_t k_most = 1024;
  static constexpr std::size_t k_entries_bytes = k_most * sizeof(BatchEntry);

  /// `keeps`: the batch holds its messages, as leases of a named group, until they are ended. Otherwise a message is ended when
  /// it was copied.
  explicit ReceivedBatch(bool keeps) noexcept : keeps_(keeps) {}

  /// Where messages are copied to. The memory must stay until the next call. What is too small counts as none.
  void set_memory(std::span<std::byte> memory);
  [[nodiscard]] bool has_memory() const noexcept { return !memory_.empty(); }

  /// Begins an empty batch. What the one before holds is given to `keep(Message)`.
  template <class Keep>
  void begin(const Keep& keep) {
    for (std::size_t i = 0; held_ > 0 && i < count_; ++i) {
      if (Message message = take(i)) keep(std::move(message));
    }
    begin();
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Where up to `count` messages are to be received; for add().
  [[nodiscard]] std::span<Message> room(std::size_t count);
  struct Added {
    std::size_t taken;   ///< messages that need no further call: copied, or not ours any more
    std::size_t needed;  ///< 0, or the bytes that the payload of the next message needs: there is no room for it
  };
  /// Copies the messages of `run`: the beginning of room().
  Added add(std::span<Message> run);

  /// The message with this index, if it is held and has not ended; null otherwise.
  [[nodiscard]] Message* find(std::size_t index) noexcept;
  /// The same, which the batch does not hold afterwards; an empty one if there is none.
  [[nodiscard]] Message take(std::size_t index) noexcept;
  /// Acknowledges all that are held. Returns how many acks were true.
  std::size_t ack() noexcept;
  /// Messages that are held.
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  /// Gives back all that are held, and the memory.
  void clear() noexcept;

 private:
  void begin() noexcept {
    used_ = k_entries_bytes;
    count_ = 0;
  }
  /// Copies a message and its entry. Returns 0, or the bytes that it needs beyond those that are used.
  [[nodiscard]] std::size_t copy(const Message& message, std::size_t index);
  /// Copies the properties behind where the payload will lie. Returns the same.
  [[nodiscard]] std::size_t copy_properties(const Message& message, BatchEntry& entry);
  /// Counts messages that were copied, and leaves out those that are not ours any more: their copies may be of others.
  void count_ours(std::span<Message> copied) noexcept;
  [[nodiscard]] std::byte* entry(std::size_t index) noexcept { return memory_.data() + index * sizeof(BatchEntry); }

  const bool keeps_;
  std::vector<Message> messages_;
  std::span<std::byte> memory_;
  std::size_t used_ = 0;  // bytes of `memory_`
  std::size_t count_ = 0;
  std::size_t held_ = 0;
};

}  // namespace beltway::node
