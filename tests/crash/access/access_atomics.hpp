// In place of beltway/atomics.hpp (see there): every access to a shared word, every fence and the middle of every copy is a
// place where the actor can be frozen. Coarser than the trap flag, and thousands of times faster: for what needs many runs,
// pairs of actors first of all. All runs in one thread, so plain words will do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace beltway::crash {

/// True while somebody wants to know.
extern bool accesses_count;
void accessed() noexcept;

}  // namespace beltway::crash

namespace beltway::detail {

class Word {
 public:
  [[nodiscard]] std::uint64_t load_relaxed() const noexcept { return note(value_); }
  [[nodiscard]] std::uint64_t load_acquire() const noexcept { return note(value_); }
  void store_relaxed(std::uint64_t value) noexcept { set(value); }
  void store_release(std::uint64_t value) noexcept { set(value); }
  bool compare_and_swap(std::uint64_t expected, std::uint64_t desired) noexcept {
    const bool same = value_ == expected;
    set(same ? desired : value_);
    return same;
  }
  std::uint64_t exchange(std::uint64_t value) noexcept { return set(value); }
  std::uint64_t fetch_or(std::uint64_t bits) noexcept { return set(value_ | bits); }
  std::uint64_t fetch_and(std::uint64_t bits) noexcept { return set(value_ & bits); }
  std::uint64_t fetch_add(std::uint64_t value) noexcept { return set(value_ + value); }
  static bool swap_pair(Word& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                        std::uint64_t b) noexcept {
    Word& second = (&first)[1];
    const bool same = first.value_ == expected_a && second.value_ == expected_b;
    if (same) second.value_ = b;
    first.set(same ? a : first.value_);
    return same;
  }

 private:
  static std::uint64_t note(std::uint64_t value) noexcept {
    if (crash::accesses_count) crash::accessed();
    return value;
  }
  std::uint64_t set(std::uint64_t value) noexcept {
    const std::uint64_t before = value_;
    value_ = value;
    return note(before);
  }

  std::uint64_t value_;
};
static_assert(sizeof(Word) == 8);

inline constexpr bool k_pairs_are_swapped = true;
inline bool compare_and_swap_pair(Word& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                                  std::uint64_t b) noexcept {
  return Word::swap_pair(first, expected_a, expected_b, a, b);
}

inline void fence_noted() noexcept {
  if (crash::accesses_count) crash::accessed();
}
inline void full_fence() noexcept { fence_noted(); }
inline void compiler_fence() noexcept { fence_noted(); }
inline void release_fence() noexcept { fence_noted(); }
inline void acquire_fence() noexcept { fence_noted(); }

inline void copy_racing(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  const std::size_t half = size / 2;
  if (half != 0) std::memcpy(to, from, half);
  fence_noted();
  if (size != half) std::memcpy(to + half, from + half, size - half);
  fence_noted();
}

inline void cpu_relax() noexcept {}

}  // namespace beltway::detail
