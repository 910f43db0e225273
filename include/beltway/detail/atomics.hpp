// The atomics of everything that lies in shared memory, under one name, so that a test can put a scheduler in
// their place: a build that defines BELTWAY_ATOMICS_HEADER gets that header's Word, fences and copies instead.
//
// Orders are part of the names. A release store and the acquire load that reads it are partners; both say so where they
// are used. Every compare-and-swap and read-modify-write is sequentially consistent.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>

namespace beltway::detail {

/// Messages of up to so many bytes are copied without a call.
inline constexpr std::size_t k_small_copy_bytes = 64;
/// And of up to so many in words, see copy_words().
inline constexpr std::size_t k_medium_copy_bytes = 512;

}  // namespace beltway::detail

#ifdef BELTWAY_ATOMICS_HEADER
#include BELTWAY_ATOMICS_HEADER
#else

#include <atomic>
#include <cstring>

namespace beltway::detail {

/// One 64-bit word that several processes read and write.
class Word {
 public:
  [[nodiscard]] std::uint64_t load_relaxed() const noexcept { return value_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t load_acquire() const noexcept { return value_.load(std::memory_order_acquire); }
  void store_relaxed(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void store_release(std::uint64_t value) noexcept { value_.store(value, std::memory_order_release); }
  /// True if the word was `expected` and is now `desired`.
  bool compare_and_swap(std::uint64_t expected, std::uint64_t desired) noexcept {
    return value_.compare_exchange_strong(expected, desired, std::memory_order_seq_cst);
  }
  std::uint64_t exchange(std::uint64_t value) noexcept { return value_.exchange(value, std::memory_order_seq_cst); }
  std::uint64_t fetch_or(std::uint64_t bits) noexcept { return value_.fetch_or(bits, std::memory_order_seq_cst); }
  std::uint64_t fetch_and(std::uint64_t bits) noexcept { return value_.fetch_and(bits, std::memory_order_seq_cst); }
  std::uint64_t fetch_add(std::uint64_t value) noexcept { return value_.fetch_add(value, std::memory_order_seq_cst); }

 private:
  std::atomic<std::uint64_t> value_;
};
static_assert(sizeof(Word) == 8 && std::atomic<std::uint64_t>::is_always_lock_free);

/// Stores before it are visible to all threads before loads after it are made. A read-modify-write of a private word: clang
/// makes a seq_cst fence an mfence, which takes four times as long.
inline void full_fence() noexcept {
#if defined(__x86_64__)
  thread_local std::atomic<std::uint32_t> scratch{0};
  scratch.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

/// Keeps the compiler, not the processor, from moving memory accesses across it: the cheap half of an asymmetric
/// fence, whose other half is heavy_barrier() in kernel.hpp.
inline void compiler_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

#if defined(__SANITIZE_THREAD__)
#define BELTWAY_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BELTWAY_THREAD_SANITIZER 1
#endif
#endif

/// Later stores are not visible before earlier ones. Free on x86.
inline void release_fence() noexcept { std::atomic_thread_fence(std::memory_order_release); }
/// Later loads are not made before earlier ones. Free on x86.
inline void acquire_fence() noexcept { std::atomic_thread_fence(std::memory_order_acquire); }

/// Copies into memory that a lossy reader may be reading, and out of memory that a producer may be writing. The reader
/// checks the slot's state afterwards and throws a torn copy away, so plain copies are right on every machine we know;
/// under ThreadSanitizer they go by relaxed atomic bytes, which is what the language asks for.
#ifdef BELTWAY_THREAD_SANITIZER
inline void copy_racing(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  auto* const target = reinterpret_cast<unsigned char*>(to);
  const auto* const source = reinterpret_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i) {
    __atomic_store_n(target + i, __atomic_load_n(source + i, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
  }
}
#else
#if defined(__x86_64__)
/// One register.
typedef long long TwoWords __attribute__((vector_size(16), may_alias));
// Users may compile with -masm=intel, where operands stand the other way round. They may compile for AVX, where an instruction
// of the old encoding may wait for the upper halves of registers.
#ifdef __AVX__
#define BELTWAY_LOAD_TWO_WORDS "{vmovq %1, %0|vmovq %0, %1}\n\t{vmovhps %2, %0, %0|vmovhps %0, %0, %2}"
#define BELTWAY_MOVE_TWO_WORDS "{vmovaps %1, %0|vmovaps %0, %1}"
#else
#define BELTWAY_LOAD_TWO_WORDS "{movq %1, %0|movq %0, %1}\n\t{movhps %2, %0|movhps %0, %2}"
#define BELTWAY_MOVE_TWO_WORDS "{movaps %1, %0|movaps %0, %1}"
#endif
#endif
/// 16 bytes, loaded as two words: a message was often written word by word a moment ago. A load that is wider than the stores
/// that it reads waits until they are in the cache, behind all stores before them. Stored at once: see store_pair().
inline void copy_words(std::byte* to, const std::byte* from) noexcept {
#if defined(__x86_64__)
  struct Word8 {
    std::byte bytes[8];
  };
  TwoWords both;
  asm(BELTWAY_LOAD_TWO_WORDS
      : "=&x"(both)
      : "m"(*reinterpret_cast<const Word8*>(from)), "m"(*reinterpret_cast<const Word8*>(from + 8)));
  std::memcpy(to, &both, sizeof both);
#else
  std::memcpy(to, from, 16);
#endif
}
/// Two copies of `block` bytes that overlap in the middle.
template <std::size_t block>
inline void copy_ends(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  if constexpr (block < 16) {
    std::memcpy(to, from, block);
    std::memcpy(to + size - block, from + size - block, block);
  } else {
    // From the end to the beginning: the slot's state, which comes last, lies on the first line.
    for (std::size_t at = size; at != size - block; at -= 16) copy_words(to + at - 16, from + at - 16);
    for (std::size_t at = block; at != 0; at -= 16) copy_words(to + at - 16, from + at - 16);
  }
}
/// copy_racing() of at most k_small_copy_bytes: most messages are small, and a library call costs more than their copy.
inline void copy_small(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  if (size == 8) {
    std::memcpy(to, from, 8);
  } else if (size > 32) {
    copy_ends<32>(to, from, size);
  } else if (size > 16) {
    copy_ends<16>(to, from, size);
  } else if (size > 8) {
    copy_ends<8>(to, from, size);
  } else if (size >= 4) {
    copy_ends<4>(to, from, size);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}
/// As copy_small(), for what is larger.
inline void copy_medium(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  copy_words(to + size - 16, from + size - 16);
  for (std::size_t at = (size - 1) / 16 * 16; at != 0; at -= 16) copy_words(to + at - 16, from + at - 16);
}
inline void copy_racing(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  if (size <= k_small_copy_bytes) {
    copy_small(to, from, size);
  } else if (size <= k_medium_copy_bytes) {
    copy_medium(to, from, size);
  } else {
    std::memcpy(to, from, size);
  }
}
#endif

/// Tells the processor that this is a spinning wait.
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace beltway::detail
#endif

namespace beltway::detail {

/// Fetches a line to be written soon. A plain prefetch would only fetch it to be read, and then be asked for it once more.
inline void prefetch_to_write(const void* place) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(place)));
#else
  __builtin_prefetch(place, 1);
#endif
}

/// The gap between two polls of a line that another processor is about to write. Polls without a gap are issued far ahead of
/// time, many at once: they delay the writer, and their results are thrown away. A cpu_relax() is longer, and sees the message
/// later.
inline void poll_gap() noexcept {
#if defined(BELTWAY_ATOMICS_HEADER)
  cpu_relax();
#elif defined(__x86_64__)
  __builtin_ia32_lfence();
  __builtin_ia32_lfence();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

#if defined(BELTWAY_ATOMICS_HEADER) || defined(BELTWAY_THREAD_SANITIZER)
inline void copy_small(std::byte* to, const std::byte* from, std::size_t size) noexcept { copy_racing(to, from, size); }
#endif

// Two words that lie side by side, 16 bytes aligned. One store where the processor keeps it whole: what is being published
// waits in the store buffer, and the fewer entries a message takes, the more of them are on their way at once.
#if defined(__x86_64__) && !defined(BELTWAY_ATOMICS_HEADER) && !defined(BELTWAY_THREAD_SANITIZER)
/// Intel and AMD promise that an aligned store of 16 bytes is visible at once on every processor with AVX.
[[nodiscard]] inline bool has_atomic_pair_store() noexcept { return __builtin_cpu_supports("avx") != 0; }
/// Stores both at once, with release order. Only where has_atomic_pair_store().
inline void store_pair(Word& first, std::uint64_t a, std::uint64_t b) noexcept {
  const TwoWords both = {static_cast<long long>(a), static_cast<long long>(b)};
  asm volatile(BELTWAY_MOVE_TWO_WORDS : "=m"(reinterpret_cast<TwoWords&>(first)) : "x"(both) : "memory");
}
/// Swaps both in one locked operation, which takes as long as one of one word does: true if both were as expected, else nothing
/// was done. Only where has_atomic_pair_store(): there is no processor with AVX and without cmpxchg16b.
inline bool compare_and_swap_pair(Word& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                                  std::uint64_t b) noexcept {
  bool swapped;
  asm volatile("lock cmpxchg16b %1"
               : "=@ccz"(swapped), "+m"(reinterpret_cast<TwoWords&>(first)), "+a"(expected_a), "+d"(expected_b)
               : "b"(a), "c"(b)
               : "memory");
  return swapped;
}
inline constexpr bool k_pairs_are_swapped = true;
/// Adds to two counters that no other thread writes; each is read whole by others.
inline void add_pair(Word& first, std::uint64_t a, std::uint64_t b) noexcept {
  TwoWords sum;
  asm(BELTWAY_MOVE_TWO_WORDS : "=x"(sum) : "m"(reinterpret_cast<const TwoWords&>(first)));
  sum += TwoWords{static_cast<long long>(a), static_cast<long long>(b)};
  asm(BELTWAY_MOVE_TWO_WORDS : "=m"(reinterpret_cast<TwoWords&>(first)) : "x"(sum));
}
#else
// The second, then the first: the first is what others read.
[[nodiscard]] inline bool has_atomic_pair_store() noexcept { return true; }
inline void store_pair(Word& first, std::uint64_t a, std::uint64_t b) noexcept {
  (&first)[1].store_relaxed(b);
  first.store_release(a);
}
#ifndef BELTWAY_ATOMICS_HEADER
/// There is none: to be done one by one.
inline bool compare_and_swap_pair(Word&, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) noexcept {
  return false;
}
inline constexpr bool k_pairs_are_swapped = false;
#endif
inline void add_pair(Word& first, std::uint64_t a, std::uint64_t b) noexcept {
  first.store_relaxed(first.load_relaxed() + a);
  (&first)[1].store_relaxed((&first)[1].load_relaxed() + b);
}
#endif

}  // namespace beltway::detail

#undef BELTWAY_LOAD_TWO_WORDS
#undef BELTWAY_MOVE_TWO_WORDS
#undef BELTWAY_THREAD_SANITIZER
