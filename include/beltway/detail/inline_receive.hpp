// Inline fast path of receive() and ack(). Handles exactly one case: a private group's message, which lies in its slot, in
// order, and is released in order. Otherwise it changes nothing, and ConsumerCore takes over. It is the inline part of
// PrivateReader (src/), which derives from it: both share `read_` and `floor_`, so there is one private reader. Not for users:
// they have Consumer and Message.
//
// Thread safety: belongs to its consumer's thread. A consumer of a named group uses only `inline_size_limit_`, which is 0 there,
// and `guard_`.
// A peer may write over the slot. So each word is read once, and a view never points outside of the slot.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "beltway/detail/fork_guard.hpp"
#include "beltway/detail/inline_tuning.hpp"
#include "beltway/detail/single_use.hpp"
#include "beltway/detail/words.hpp"

namespace beltway {
class Message;
}  // namespace beltway

namespace beltway::detail {

class InlineReceiver {
 public:
  InlineReceiver() = default;
  InlineReceiver(const InlineReceiver&) = delete;
  InlineReceiver& operator=(const InlineReceiver&) = delete;

  /// Which thread is inside of a call: see single_use.hpp.
  [[nodiscard]] std::atomic<std::uint64_t>& user() noexcept { return user_; }
  struct View {
    const std::byte* data;
    std::uint64_t position;
    std::uint32_t size;
    std::uint8_t producer;
    std::uint16_t properties_bytes;  ///< of the block right before `data`
  };
  /// The next message, if it is there and sound, and no counters are to be stored. Counts it.
  [[nodiscard, gnu::always_inline]] bool try_next(View& view) noexcept {
    // This check comes first: a forked child has no slot to read.
    if (inline_size_limit_ == 0 || guard_.in_child()) [[unlikely]]
      return false;
    switch (view_next(view)) {
      case Next::in_slot: step(); break;
      case Next::not_ready: return false;
      case Next::uncommon: {
        // By value: otherwise `view` would have to be in memory on all paths.
        const View found = next_in_lane();
        if (found.data == nullptr) return false;
        view = found;
        break;
      }
    }
    add_pair(*counters_, 1, view.size);
    return true;
  }

  /// Releases the oldest message that is held. Call it only while `inline_size_limit_` is not 0. False: nothing was done, call
  /// Message::end().
  [[nodiscard, gnu::always_inline]] bool try_release(std::uint64_t position) noexcept {
    if (position != floor_ || out_of_order_ != 0 || guard_.in_child()) [[unlikely]]
      return false;
    const Position floor = wrap(position + 1);
    const std::uint64_t behind = wrap(floor - stored_);
    // The floor is stored when no message is held any more, or when the stored floor is far behind. It is stored a little later
    // if the next message is ready and no producer sleeps for room.
    if (floor != read_ ? behind < floor_store_lag_max_
                       : behind < floor_store_lag_ && sleepers_->load_relaxed() == 0 && may_wait()) {
      floor_ = floor;
      return true;
    }
    if ((notice_word_->load_relaxed() & 0xffffffff) != 0) [[unlikely]]  // symmetric fences, or removed
      return false;
    floor_ = floor;
    stored_ = floor;
    // Pairs with the acquire in lowest_floor(): we have read before it is overwritten.
    shared_floor_->store_release(floor);
    compiler_fence();  // pairs with the barrier of producers that go to sleep
    if (sleepers_->load_relaxed() != 0) [[unlikely]]
      wake_producers();
    return true;
  }

 protected:
  ~InlineReceiver() = default;

  enum class Next : std::uint8_t { in_slot, not_ready, uncommon };
  /// Decodes the next slot, if its message is there, sound and in the slot, and no counters are to be stored.
  [[nodiscard, gnu::always_inline]] Next view_next(View& view) const noexcept {
    // Pairs with the release of READY in InlinePublisher::commit() and Claimer::commit().
    const Slot& slot = *slot_;
    const std::uint64_t word = slot.state.load_acquire();
    if (!SlotState::is_ready(word, read_)) return Next::not_ready;
    // `meta` is the size if no flag is set. With a flag it is a number larger than any slot.
    const std::uint64_t meta = slot.meta.load_relaxed();
    if (meta >= inline_size_limit_ || read_ % k_positions_per_counter_store == 0) [[unlikely]]
      return Next::uncommon;
    const SlotState state = SlotState::of(word);
    view = {slot.payload(), state.position, static_cast<std::uint32_t>(meta), state.owner, 0};
    return Next::in_slot;
  }
  void step() noexcept {
    read_ = wrap(read_ + 1);
    slot_ = reinterpret_cast<const Slot*>(slots_ + (read_ & slot_mask_) * slot_bytes_);
  }
  /// No message is held: true if the floor may be stored later. Not if a released message lay in a lane, since its memory may be
  /// large.
  [[nodiscard]] bool may_wait() const noexcept {
    return distance(lane_end_, stored_) <= 0 && SlotState::is_ready(slot_->state.load_relaxed(), read_);
  }
  /// try_next(), if the message lies in its producer's lane; null data: it was not done. In
  /// src/ring/readers/private_reader.cpp.
  [[nodiscard]] View next_in_lane() noexcept;
  /// After the floor was stored. In src/endpoint/consumer_end.cpp.
  void wake_producers() noexcept;

  friend class ::beltway::Message;
  friend void report_two_threads(const InlineReceiver& consumer);

  const Slot* slot_ = nullptr;  // of the next position to read
  Position read_ = 0;           // that position
  Position floor_ = 0;          // all before it are released
  Position stored_ = 0;         // the floor as it was stored last
  /// Messages smaller than this take the inline path. 0: another kind of group, or each message must be handled by ConsumerCore.
  std::size_t inline_size_limit_ = 0;
  Word* counters_ = nullptr;          // messages and bytes, our endpoint's
  const std::byte* slots_ = nullptr;  // slot 0
  std::uint64_t slot_mask_ = 0;       // slots - 1
  std::uint64_t slot_bytes_ = 0;
  std::uint64_t floor_store_lag_max_ = 0;  // of the ring
  std::uint64_t floor_store_lag_ = 0;  // positions that the stored floor may be behind while the next message is there
  std::uint64_t out_of_order_ = 0;     // released beyond the floor
  Word* shared_floor_ = nullptr;
  const Word* notice_word_ = nullptr;  // the shared status's notice
  const Word* sleepers_ = nullptr;     // of producers
  Position lane_end_ = 0;              // behind the newest message in a lane
  const ForkGuard guard_;
  std::atomic<std::uint64_t> user_{0};  // a thread, or 0
};

}  // namespace beltway::detail
