// The shared memory of one small queue as plain bytes that can be copied, compared and hashed: ring, heap, control, and the
// test's own journal of what was published and received, which must be frozen together with them.
//
// Whoever runs code over a world makes it the current one (Use): the test's kernel (test_kernel.cpp) counts wakes and rings
// in the journal of the current world.
//
// Thread safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "beltway/message.hpp"
#include "beltway/options.hpp"
#include "ring/queue_memory.hpp"
#include "ring/slot_view.hpp"

namespace beltway::crash {

using namespace beltway::ring;

// Who is who in every world.
inline constexpr unsigned k_producer_a = 0;
inline constexpr unsigned k_producer_b = 1;
inline constexpr unsigned k_producer_first = 2;  ///< published what is there at the beginning
inline constexpr unsigned k_producer_new = 3;    ///< attaches when all is over
inline constexpr unsigned k_private = k_first_consumer;
inline constexpr unsigned k_named_a = k_first_consumer + 1;
inline constexpr unsigned k_named_b = k_first_consumer + 2;
inline constexpr unsigned k_named_new = k_first_consumer + 3;
inline constexpr unsigned k_joiner = k_first_consumer + 4;
inline constexpr unsigned k_lossy = k_first_consumer + 5;
inline constexpr unsigned k_consumers = 6;
inline constexpr unsigned k_nobody = 255;

inline constexpr unsigned k_group = 0;        ///< the named group
inline constexpr unsigned k_other_group = 1;  ///< a place for another one
inline constexpr unsigned k_groups = 2;
[[nodiscard]] constexpr unsigned private_group(unsigned consumer) { return k_groups + consumer - k_first_consumer; }

struct Shape {
  std::uint32_t slots = 2;
  std::uint32_t producers = 4;
  std::uint64_t lane_bytes = 512;
  Position first = 0;
  bool with_private = true;
  bool with_named = true;
  bool symmetric = false;
  std::uint32_t max_parked = 0;
  bool evictable = false;  ///< reliable consumers look whether they were thrown out
  bool stamps = false;     ///< each message is stamped, and read_message() expects that
};

inline constexpr std::size_t k_messages = 64;
inline constexpr std::size_t k_most_endpoints = 12;

/// What the test knows of one message, written by stepped code beside the queue's own words.
struct Entry {
  Position position;
  std::uint8_t begun;      ///< its publish was called
  std::uint8_t committed;  ///< its publish returned ok
  std::uint8_t refused;    ///< its publish returned, not ok: nobody may ever see it
  std::uint8_t read;       ///< times that the private reader had it
  std::uint8_t leased;     ///< a consumer of the named group saw it
  std::uint8_t acking;     ///< its ack was called
  std::uint8_t acked;      ///< its ack returned true
  std::uint8_t due;        ///< the newcomer had joined before its publish was called
  std::uint8_t joined;     ///< times that the newcomer had it
  std::uint8_t sequenced;  ///< it was published with its id as sequence number
  std::uint8_t given_up;   ///< its reject returned true: no consumer may get it again, unless its move began
  std::uint8_t moving;     ///< a move of it to the dead letter queue has begun
  std::uint8_t moved;      ///< times that it came there
};

struct Journal {
  Entry messages[k_messages];                    ///< by id
  Position private_read;                         ///< where the private reader goes on
  std::uint32_t wakes[k_most_endpoints];         ///< by endpoint index: times that somebody woke it, by futex or bell
  std::uint32_t wakes_before[k_most_endpoints];  ///< when it went to sleep
  std::uint64_t newcomer;                        ///< 1: one has joined, and must get all that is due
  std::uint64_t thrown_out;                      ///< who, and wholly: it can end no lease any more; 0: nobody
  std::uint64_t forgiven;                        ///< 1: the named group was purged or made anew, and may miss messages
  std::uint64_t moves_are_closed;                ///< 1: the dead letter queue is full
  std::uint64_t was_reset;                       ///< 1: the named group was reset, and messages come again
};

class World {
 public:
  explicit World(const Shape& shape);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] const QueueMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] Journal& journal() const noexcept { return *journal_; }
  /// What the heap's lanes, slots, groups, endpoints and the journal hold, from a world of the same shape.
  void copy_from(const World& other) noexcept;
  [[nodiscard]] std::uint64_t hash() const noexcept;
  /// Everything as in a new queue.
  void clear();

 private:
  struct Part {
    std::byte* data;
    std::size_t size;
  };

  Shape shape_;
  std::unique_ptr<std::byte[]> storage_;
  QueueMemory memory_;
  Journal* journal_ = nullptr;
  Part parts_[6] = {};
};

/// Makes a world the current one while it lives.
class Use {
 public:
  explicit Use(World& world) noexcept;
  ~Use();
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  [[nodiscard]] static World* current() noexcept;

 private:
  World* before_;
};

/// Times that somebody would have gone to sleep, since the program began.
[[nodiscard]] std::uint64_t& sleeps() noexcept;

/// Which of the queue's bells `eventfd` is.
[[nodiscard]] unsigned bell_index(int eventfd) noexcept;

/// The first id of a producer's messages: each has 16.
[[nodiscard]] constexpr std::uint64_t first_id(unsigned producer) noexcept { return producer * 16U; }

// -- messages ----------------------------------------------------------------------------------------------------

inline constexpr std::uint32_t k_inline_size = 40;
inline constexpr std::uint32_t k_lane_size = 104;
// Payloads of messages with properties, and only of these: with them, the first fits its slot and the second does not.
inline constexpr std::uint32_t k_extended_inline_size = 24;
inline constexpr std::uint32_t k_extended_lane_size = 48;
[[nodiscard]] constexpr bool is_extended(std::size_t size) noexcept {
  return size == k_extended_inline_size || size == k_extended_lane_size;
}

/// Every word of a message follows from its id: a torn one shows.
void fill_message(std::byte* place, std::uint64_t id, std::uint32_t size) noexcept;
/// The key of a message with properties.
[[nodiscard]] std::string_view key_of(std::uint64_t id) noexcept;
/// The id, or 0 if the bytes are no message, or of two, or come with the properties of another one.
[[nodiscard]] std::uint64_t read_message(const Message& message) noexcept;
[[nodiscard]] std::uint64_t read_message(const SlotView& view) noexcept;

/// Prints what is wrong, where (see context()) and in which world, and ends the process: there is nothing to go back to
/// from inside a trap.
[[noreturn]] void fail(const World& world, const char* format, ...) __attribute__((format(printf, 2, 3)));

/// What is being tried; set by scenarios, printed by fail().
struct Context {
  const char* scenario = "";
  const char* first = "";   ///< the operation that is frozen first
  const char* second = "";  ///< and the one that runs then
  unsigned laps = 0;
  unsigned prefill = 0;
  std::uint64_t at = 0;  ///< instruction of the first
  std::uint64_t then_at = 0;
};
[[nodiscard]] Context& context() noexcept;

}  // namespace beltway::crash
