// The way of failed messages to a dead letter queue. A consumer's core uses it without knowing daemons and connections. The
// client implements it, and tests do.
#pragma once

#include <cstdint>

#include "beltway/producer.hpp"
#include "beltway/properties.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/slot_view.hpp"

namespace beltway::endpoint {

/// What became of an attempt to move a message.
enum class Move : std::uint8_t {
  done,      ///< it is in the dead letter queue: the caller ends the lease
  not_now,   ///< there is no room, or no way to the queue; a later attempt may succeed
  not_ours,  ///< the lease has ended: another consumer has the message
};

/// Thread safety: all members from any thread, since messages end in any thread. Only an attempt that has no way to the queue may
/// wait, for k_dead_letter_patience_us.
class DeadLetters {
 public:
  DeadLetters() = default;
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  virtual ~DeadLetters() = default;

  /// Publishes the message to the dead letter queue. Requires that `reader` holds it. `letter`: reason, deliveries and position.
  [[nodiscard]] virtual Move move(const ring::SlotView& view, const DeadLetter& letter,
                                  const ring::NamedReader& reader) noexcept = 0;
  /// The options of the group have changed: the next move asks which queue it is now.
  virtual void refresh() noexcept = 0;
};

/// What a failed message says about itself in the dead letter queue.
[[nodiscard]] DeadLetterReason reason_of(ring::FailReason reason) noexcept;

/// One attempt to publish the message, with its payload, its properties and `letter`, to which it adds the times. Never blocks.
/// `status`: what Producer::try_publish() says. Throws what that throws.
[[nodiscard]] Move try_move(Producer& out, const ring::SlotView& view, DeadLetter letter,
                            const ring::NamedReader& reader, Status& status);

}  // namespace beltway::endpoint
