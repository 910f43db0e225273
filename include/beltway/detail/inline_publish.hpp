// The one way to publish, try_put(), and its inline fast path. Users have Producer.
//
// try_put() claims a position, lets the caller write the payload, and makes the position a message. The claim is a policy:
// InlinePublisher: a ring of one producer, inline. It handles exactly one case: free room, no unread notice, a message that
// fits its slot, asymmetric fences. Otherwise it changes nothing and returns `not_handled`; ProducerCore then takes over.
// Claimer (src/ring/claim.hpp): every ring and every case. Both share `next_` and `limit_`, so they agree on the position.
//
// The inline path stores to as few places as possible. While a slot's line is on its way from the consumer, stores wait in order.
// Stores that follow each other into one block of 32 bytes become one, and each change of block costs, in private memory too. So
// a message of a single producer is stored to two blocks: the slot, and next_ with bytes_. Nothing else is stored for each
// message. What is periodic is done at `stop_`, by ProducerCore.
//
// Thread safety: belongs to its producer's thread. The words and their partners are in src/ring/layout.hpp and
// src/ring/claim.hpp. The packing of slot and tail is in words.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "beltway/bytes.hpp"
#include "beltway/detail/fork_guard.hpp"
#include "beltway/detail/inline_tuning.hpp"
#include "beltway/detail/single_use.hpp"
#include "beltway/detail/words.hpp"

namespace beltway::detail {

/// The result of a claim.
enum class Claim : std::uint8_t {
  ok,
  full,    ///< a reliable group holds the ring
  turn,    ///< there is room, but producers that have waited longer claim first
  busy,    ///< the slot, or the one before, is still being written by its producer
  parked,  ///< inside of Claimer alone: the slot is parked, so that the position must become VOID
};

/// One claimed position. commit() makes it a message. Without commit() the destructor makes it VOID. `Ring`: see try_put().
template <class Ring>
class ClaimedSlot {
 public:
  /// Claims the next position for `size` bytes. Test claim() before all else.
  [[gnu::always_inline]] ClaimedSlot(Ring& ring, std::size_t size) noexcept
      : ring_(ring), size_(size), claim_(ring.claim(position_)) {
    if (claim_ != Claim::ok) [[unlikely]]
      return;
    if constexpr (Ring::k_counts_at_claim) ring_.count(size);
    slot_ = &ring_.slot(position_);
  }
  ClaimedSlot(const ClaimedSlot&) = delete;
  ClaimedSlot& operator=(const ClaimedSlot&) = delete;
  [[gnu::always_inline]] ~ClaimedSlot() {
    if (claim_ == Claim::ok && !committed_) [[unlikely]]
      ring_.void_claim(size_);
  }

  /// Claim::ok, or why there is no claim.
  [[nodiscard]] Claim claim() const noexcept { return claim_; }
  [[nodiscard]] Position position() const noexcept { return position_; }
  [[nodiscard]] std::byte* payload() const noexcept { return slot_->payload(); }
  /// Makes the position a message. `flags` are added to the size, and may hold the bytes of a block: see meta_of_block().
  [[gnu::always_inline]] void commit(std::uint64_t flags) noexcept {
    committed_ = true;
    ring_.commit(*slot_, position_, size_ + flags);
    if constexpr (!Ring::k_counts_at_claim) ring_.count(size_);
  }

 private:
  Position position_ = 0;
  Ring& ring_;
  const std::size_t size_;
  const Claim claim_;
  Slot* slot_ = nullptr;
  bool committed_ = false;
};

/// Publishes `size` bytes that `fill(std::byte*)` writes into the slot; wakes no sleeper. If `fill` throws, the position is
/// skipped by all groups and the exception goes on. Anything but Claim::ok: nothing was done. `flags`: see commit().
///
/// `Ring` has claim(position), slot(position), commit(slot, position, meta), void_claim(size), count(size) and k_counts_at_claim:
/// whether a message of `size` bytes is counted at its claim or after its commit.
template <class Ring, class Fill>
[[gnu::always_inline]] inline Claim try_put(Ring& ring, std::size_t size, std::uint64_t flags, const Fill& fill) {
  ClaimedSlot<Ring> slot(ring, size);
  if (slot.claim() != Claim::ok) [[unlikely]]
    return slot.claim();
  // plant: quick_ready_before_the_payload, ready_before_the_payload, ready_before_the_reference
  fill(slot.payload());
  slot.commit(flags);
  return Claim::ok;
}

/// Reads the first and the last byte, so that a page fault comes before the claim. Inside a claim it would delay all endpoints.
[[gnu::always_inline]] inline void touch_ends(const Bytes& source) noexcept {
  if (source.size() == 0) return;
  const volatile std::byte* const data = source.data();
  static_cast<void>(data[0]);
  static_cast<void>(data[source.size() - 1]);
}

/// A fill that copies a message.
struct CopyOf {
  Bytes message;
  [[gnu::always_inline]] void operator()(std::byte* place) const noexcept {
    copy_racing(place, message.data(), message.size());
  }
};

class InlinePublisher {
 public:
  InlinePublisher(const InlinePublisher&) = delete;
  InlinePublisher& operator=(const InlinePublisher&) = delete;

  enum class Outcome : std::uint8_t {
    not_handled,  ///< nothing was done: call ProducerCore
    published,
    published_follow_up,  ///< published: call ProducerCore::follow_up()
  };
  /// A message of `size` bytes that `fill(std::byte*)` writes into its slot.
  template <class Fill>
  [[nodiscard, gnu::always_inline]] Outcome try_publish(std::size_t size, const Fill& fill) {
    return size < inline_size_limit_ ? publish_inline(size, fill) : Outcome::not_handled;
  }
  /// A copy. Inline up to a page: what a call saves on the stack would stand in the store buffer between two messages, and keep
  /// their lines from being fetched at the same time.
  [[nodiscard, gnu::always_inline]] Outcome try_publish(const Bytes& message) noexcept {
    if (message.size() >= inline_size_limit_) [[unlikely]]
      return Outcome::not_handled;
    touch_ends(message);  // a message of this size lies in two pages at most
    return publish_inline(message.size(), CopyOf{message});
  }
  /// Which thread is inside of a call: see single_use.hpp.
  [[nodiscard]] std::atomic<std::uint64_t>& user() noexcept { return user_; }
  /// The position of the last claim.
  [[nodiscard]] Position last() const noexcept { return wrap(next_ - 1); }

 protected:
  template <class Ring>
  friend class ClaimedSlot;

  explicit InlinePublisher(RingHead& head) : head_(&head) {}
  ~InlinePublisher() = default;

  template <class Fill>
  [[gnu::always_inline]] Outcome publish_inline(std::size_t size, const Fill& fill) {
    if (guard_.in_child() || try_put(*this, size, 0, fill) != Claim::ok) [[unlikely]]
      return Outcome::not_handled;
    return outcome_after_commit();
  }

  // The claim policy of one producer. Claimer and ProducerCore have their own.

  /// bytes_ lies beside next_: so both are one place, which is written before the slot.
  static constexpr bool k_counts_at_claim = true;
  [[gnu::always_inline]] void count(std::size_t size) noexcept { bytes_ += size; }

  /// Requires nothing. Claim::ok: there is no new notice (a single producer checks at each claim, for a join at the oldest
  /// message), and the next slot was free. Claim::full says only that Claimer must go on.
  [[nodiscard, gnu::always_inline]] Claim claim(Position& position) noexcept {
    if (notice_word_->load_relaxed() != seen_notice_ || next_ == stop_) [[unlikely]]
      return Claim::full;
    position = take_next();
    return Claim::ok;
  }
  /// Single producer, and there is room. Returns the position.
  [[gnu::always_inline]] Position take_next() noexcept {
    const Position position = next_;
    next_ = wrap(position + 1);
    // The fence: no reader sees the bytes of this claim before the end of the last claim. Pairs with is_unchanged().
    // plant: no_fence_behind_the_claim_before, no_fence_behind_the_claim_before_a_reference
    release_fence();
    return position;
  }
  [[nodiscard, gnu::always_inline]] Slot& slot(Position position) const noexcept {
    return *reinterpret_cast<Slot*>(slots_ + (position & slot_mask_) * slot_bytes_);
  }
  /// READY and the size, with release: pairs with the acquire load of the slot's state in every reader.
  [[gnu::always_inline]] void commit(Slot& slot, Position position, std::uint64_t meta) noexcept {
    store_pair(slot.state, SlotState{position, 0, {}}.word() | ready_low_, meta);
  }
  /// Ends the last claim, of `size` bytes, whose writer threw. In src/endpoint/producer_core.cpp.
  [[gnu::cold]] void void_claim(std::size_t size) noexcept;

  /// After a commit, in a queue whose fences are not symmetric.
  [[nodiscard, gnu::always_inline]] Outcome outcome_after_commit() const noexcept {
    compiler_fence();
    return (sleepers_[0].load_relaxed() | sleepers_[1].load_relaxed()) != 0 ? Outcome::published_follow_up
                                                                            : Outcome::published;
  }

  friend void report_two_threads(const InlinePublisher& producer);

  // Both in one block of 32 bytes. Nothing else there is stored for each message.
  alignas(2 * sizeof(std::uint64_t)) Position next_ = 0;  // behind our last claim
  std::uint64_t bytes_ = 0;                               // single producer: of its messages, as of the last claim
  // Single producer: where the inline path ends, at `limit_` or at the next position where the counters are stored.
  Position stop_ = 0;
  Position limit_ = 0;             // positions before this may be claimed; of a single producer never behind next_
  std::uint64_t seen_notice_ = 0;  // the notice word as it was read last
  std::size_t inline_size_limit_ =
      0;  // sizes below this may go this way: at most what a slot holds, nor more than a page
  RingHead* const head_;
  std::byte* slots_ = nullptr;   // slot 0
  std::uint64_t slot_mask_ = 0;  // slots - 1
  std::uint64_t slot_bytes_ = 0;
  const Word* notice_word_ = nullptr;  // the shared status's notice
  const Word* sleepers_ = nullptr;     // two words, of consumers and of producers
  std::uint64_t ready_low_ = 0;        // owner and READY, as a single producer stores them in a slot
  const ForkGuard guard_;
  std::atomic<std::uint64_t> user_{0};  // a thread, or 0
};

}  // namespace beltway::detail
