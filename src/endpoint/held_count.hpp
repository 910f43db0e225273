// Counts the ended messages of a named group's consumer, and finds the thread that ends the last one. Any thread may end a
// message, and a message may outlive its Consumer.
//
// A locked operation would be a large part of a lease and its ack. So the thread that takes messages (the owner) counts its own
// ends in a word of its own, with plain stores. All other threads share a second word. Another thread may take messages over,
// or close the consumer, while messages are held. Then it first runs a heavy barrier, once, and afterwards all threads share
// the second word. (This is biased reference counting, with a barrier to end the bias.)
//
//   own_:   2 x ended by the owner; odd while it counts one
//   ends_:  2 x ended by others | waits for credit; when the Consumer has gone: -2 x what is held
//
// Thread safety: count() may run anywhere; it touches nothing after that, so that the thread that is told that nothing is held
// may delete it. The rest belongs to the consumer's thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "beltway/detail/atomics.hpp"

namespace beltway::endpoint {

class HeldCount {
 public:
  /// `barriers`: heavy barriers reach all threads of this process, and are allowed.
  explicit HeldCount(bool barriers) noexcept : may_own_(barriers) {}

  /// To be called by the thread that takes messages, before it does and before it waits for credit.
  void own() noexcept {
    if (owner_.load(std::memory_order_relaxed) != this_thread()) [[unlikely]]
      own_slowly();
  }
  void took(std::uint64_t count) noexcept { taken_ += count; }
  [[nodiscard]] std::uint64_t ended() const noexcept {
    return (own_.load(std::memory_order_acquire) >> 1) + ended_by_others(ends_.load(std::memory_order_acquire));
  }
  [[nodiscard]] std::uint64_t held() const noexcept { return taken_ - ended(); }

  /// Call it before a wait for credit (the end of a message, at the prefetch limit). The next end of a message then calls `ring`.
  void want_credit() noexcept { ends_.fetch_or(k_wants_credit); }
  /// Ends the wish of want_credit(). True if there was one.
  bool want_credit_no_more() noexcept {
    // Only the consumer's thread asks for credit: if it sees that it did not ask, it needs no locked operation.
    return (ends_.load(std::memory_order_relaxed) & k_wants_credit) != 0 &&
           (ends_.fetch_and(~k_wants_credit) & k_wants_credit) != 0;
  }
  /// Call it when the Consumer is destroyed. True if no message is held. Otherwise count() tells the thread that ends the last
  /// one.
  [[nodiscard]] bool close() noexcept;

  /// The end of `messages`, at least one. `ring()`: wakes the consumer, which waits for credit. `tell(ended)`: what is ended
  /// with these. True if the last is among them and the Consumer has gone.
  template <class Ring, class Tell>
  [[nodiscard, gnu::always_inline]] bool count(std::uint64_t messages, const Ring& ring, const Tell& tell) noexcept {
    // Only the thread that takes messages says that it wants credit. If that is this one, it sees what it said; if it is
    // another, own() has disowned us before.
    const std::int64_t others = ends_.load(std::memory_order_relaxed);
    if (owner_.load(std::memory_order_relaxed) == this_thread() && (others & k_wants_credit) == 0) [[likely]] {
      const std::uint64_t own = own_.load(std::memory_order_relaxed);
      tell((own >> 1) + static_cast<std::uint64_t>(others >> 1) + messages);
      own_.store(own + 1, std::memory_order_relaxed);
      // Pairs with the barrier of disown(): either it sees that we count, or we see that we may not.
      detail::compiler_fence();
      const bool may = owner_.load(std::memory_order_relaxed) != nullptr;
      own_.store(may ? own + 2 * messages : own, std::memory_order_release);
      if (may) [[likely]]
        return false;
    }
    return count_shared(messages, ring, tell);
  }

 private:
  [[nodiscard]] static const void* this_thread() noexcept {
    thread_local const char here = 0;
    return &here;
  }
  [[nodiscard]] std::uint64_t ended_by_others(std::int64_t ends) const noexcept {
    return static_cast<std::uint64_t>(ends >> 1) + gone_with_.load(std::memory_order_relaxed);
  }
  template <class Ring, class Tell>
  [[nodiscard, gnu::noinline]] bool count_shared(std::uint64_t messages, const Ring& ring, const Tell& tell) noexcept {
    const std::int64_t ends = static_cast<std::int64_t>(messages) * k_one_end;
    std::int64_t seen = ends_.load(std::memory_order_acquire);
    for (;;) {
      if ((seen & k_wants_credit) != 0) [[unlikely]] {
        // Rung before the end is counted, since nothing may be touched after it. A consumer that is awake before it is counted,
        // and still finds no credit, says that it wants it again: then the swap below fails, and the bell is rung again.
        if (want_credit_no_more()) ring();
        seen = ends_.load(std::memory_order_acquire);
        continue;
      }
      tell((own_.load(std::memory_order_relaxed) >> 1) + ended_by_others(seen) + messages);
      if (ends_.compare_exchange_weak(seen, seen + ends)) return seen == -ends;
    }
  }
  void own_slowly() noexcept;
  void disown() noexcept;

  static constexpr std::int64_t k_one_end = 2;
  static constexpr std::int64_t k_wants_credit = 1;

  std::atomic<const void*> owner_ = nullptr;  // the thread that counts in own_; changed by the consumer's thread
  std::atomic<std::uint64_t> own_ = 0;
  std::atomic<std::int64_t> ends_ = 0;
  std::uint64_t taken_ = 0;
  std::atomic<std::uint64_t> gone_with_ = 0;  // once the Consumer has gone: what of taken_ the owner had not ended
  bool may_own_;
};

}  // namespace beltway::endpoint
