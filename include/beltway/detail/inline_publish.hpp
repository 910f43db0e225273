// Inline fast path of publish(). Handles exactly one case: single-producer ring, message fits its slot, free room, no unread
// notice, asymmetric fences. Otherwise it changes nothing and returns `not_handled`; ProducerCore then takes over. Both share
// `next_` and `limit_`, so they always agree on the position. Not for users, who have Producer.
//
// It stores to as few lines in turn as possible. While a slot's line is on its way from the consumer, stores wait in order, and
// each change of line costs. So private words lie on the line of `tail`, and are stored before the slot.
//
// Thread safety: belongs to its producer's thread. The words and their partners are in src/ring/layout.hpp and
// src/ring/claim.hpp, which also asserts that the numbers here are those of the layout.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "beltway/bytes.hpp"
#include "beltway/detail/atomics.hpp"
#include "beltway/detail/caught.hpp"
#include "beltway/detail/fork_guard.hpp"
#include "beltway/detail/single_use.hpp"
#include "beltway/limits.hpp"

namespace beltway::detail {

class InlinePublisher;
/// Ends a claim whose writer threw. `size`: what it was counted with, or k_not_counted. In src/endpoint/producer_core.cpp.
void void_claim(InlinePublisher& claim, std::size_t size) noexcept;

class InlinePublisher {
 public:
  InlinePublisher(const InlinePublisher&) = delete;
  InlinePublisher& operator=(const InlinePublisher&) = delete;

  enum class Outcome : std::uint8_t {
    not_handled,  ///< ask ProducerCore::put()
    published,
    published_follow_up,  ///< published, and ProducerCore::follow_up() is to be called
  };
  /// A message of `size` bytes that `fill(std::byte*)` writes into its slot.
  template <class Fill>
  [[nodiscard, gnu::always_inline]] Outcome try_put(std::size_t size, const Fill& fill) {
    if (size >= inline_size_limit_ || guard_.in_child() || !has_room_now()) [[unlikely]]
      return Outcome::not_handled;
    const std::uint64_t position = next_;
    write_now<true>(size, fill);
    return outcome_after_commit(position);
  }
  /// A copy. Inline up to a page: what a call saves on the stack would stand in the store buffer between two messages, and keep
  /// their lines from being fetched at the same time.
  [[nodiscard, gnu::always_inline]] Outcome try_put_copy(const Bytes& message) noexcept {
    // A page fault inside a claim would be everybody's wait: take it before. What goes this way lies in two pages at most.
    if (message.size() != 0) {
      const volatile std::byte* const data = message.data();
      static_cast<void>(data[0]);
      static_cast<void>(data[message.size() - 1]);
    }
    return try_put(message.size(),
                   [&](std::byte* place) noexcept { copy_racing(place, message.data(), message.size()); });
  }
  /// Which thread is inside of a call: see single_use.hpp.
  [[nodiscard]] std::atomic<std::uint64_t>& user() noexcept { return user_; }
  /// The position of the last claim.
  [[nodiscard]] std::uint64_t last() const noexcept { return (next_ - 1) & k_position_mask; }

 protected:
  explicit InlinePublisher(Word* ring_head) : tail_(ring_head) {}
  ~InlinePublisher() = default;

  static constexpr std::uint64_t k_position_mask = (std::uint64_t{1} << k_position_bits) - 1;
  static constexpr std::size_t k_published = 2;     // RingHead::published, in words from `tail`
  static constexpr unsigned k_tail_shift = 20;      // Tail: position
  static constexpr unsigned k_state_shift = 10;     // SlotState: position
  static constexpr std::size_t k_payload_word = 2;  // Slot: words before the payload

  /// Nothing is new (a single producer looks at each claim, for a join at the oldest message), and the next slot is free.
  [[nodiscard, gnu::always_inline]] bool has_room_now() const noexcept {
    return notice_word_->load_relaxed() == seen_notice_ && next_ != limit_;
  }
  /// A whole message; nobody is told of it. Only where has_room_now(). `counted`: as published. `flags`: what is stored with
  /// the size.
  template <bool counted, class Fill>
  [[gnu::always_inline]] void write_now(std::size_t size, const Fill& fill, std::uint64_t flags = 0) {
    const std::uint64_t position = next_;
    // `tail` first: a claim that is not in `tail` does not exist for the repair. A plain store: nobody else writes it.
    tail_->store_relaxed((position + 1) << k_tail_shift | tail_low_);
    if constexpr (counted) add_pair(tail_[k_published], 1, size);
    // The fence: what is written now is not seen before the end of the claim before. Pairs with is_unchanged().
    next_ = (position + 1) & k_position_mask;
    release_fence();
    Word* const slot = reinterpret_cast<Word*>(slots_ + (position & slot_mask_) * slot_bytes_);
    auto* const payload = reinterpret_cast<std::byte*>(slot + k_payload_word);
    if constexpr (noexcept(fill(payload))) {
      fill(payload);
    } else {
      UnwindGuard end_claim([&]() noexcept { void_claim(*this, counted ? size : k_not_counted); });
      fill(payload);
      end_claim.dismiss();
    }
    // READY and the size, with release: pairs with the acquire load of the slot's state in every reader.
    store_pair(*slot, position << k_state_shift | ready_low_, size | flags);
  }
  /// After write_now() for `position`, by one whose fences are not symmetric.
  [[nodiscard, gnu::always_inline]] Outcome outcome_after_commit(std::uint64_t position) const noexcept {
    compiler_fence();
    return is_time_to_store(position) || (sleepers_[0].load_relaxed() | sleepers_[1].load_relaxed()) != 0
               ? Outcome::published_follow_up
               : Outcome::published;
  }
  /// True now and then: ProducerCore::store_counters().
  [[nodiscard]] static bool is_time_to_store(std::uint64_t position) noexcept { return position % 64 == 0; }

  static constexpr std::size_t k_not_counted = ~std::size_t{0};
  friend void void_claim(InlinePublisher& claim, std::size_t size) noexcept;
  friend void report_two_threads(const InlinePublisher& producer);

  std::uint64_t next_ = 0;         // behind our last claim; single producer: our own copy of the position in `tail`
  std::uint64_t limit_ = 0;        // positions before this may be claimed; of a single producer never behind next_
  std::uint64_t seen_notice_ = 0;  // what the board said when we looked last
  std::size_t inline_size_limit_ =
      0;                         // sizes below this may go this way: at most what a slot holds, nor more than a page
  Word* const tail_;             // the ring's head
  std::byte* slots_ = nullptr;   // slot 0
  std::uint64_t slot_mask_ = 0;  // slots - 1
  std::uint64_t slot_bytes_ = 0;
  const Word* notice_word_ = nullptr;  // the board's notice
  const Word* sleepers_ = nullptr;     // two words, of consumers and of producers
  std::uint64_t tail_low_ = 0;         // generation and owner, as a single producer stores them in `tail`
  std::uint64_t ready_low_ = 0;        // owner and READY, as it stores them in a slot
  const ForkGuard guard_;
  std::atomic<std::uint64_t> user_{0};  // a thread, or 0
};

}  // namespace beltway::detail
