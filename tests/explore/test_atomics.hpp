// The explorer's atomics: what beltway/atomics.hpp names, each access a call into the explorer, which decides who runs next and
// which of the others' stores are visible by now. Included in place of beltway/atomics.hpp's own: see BELTWAY_ATOMICS_HEADER.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memory.hpp"

namespace beltway::detail {

class Word {
 public:
  [[nodiscard]] std::uint64_t load_relaxed() const noexcept { return explore::load(value_); }
  [[nodiscard]] std::uint64_t load_acquire() const noexcept { return explore::load(value_); }
  void store_relaxed(std::uint64_t value) noexcept { explore::store(value_, value, false); }
  void store_release(std::uint64_t value) noexcept { explore::store(value_, value, true); }
  bool compare_and_swap(std::uint64_t expected, std::uint64_t desired) noexcept {
    return explore::compare_and_swap(value_, expected, desired);
  }
  std::uint64_t exchange(std::uint64_t value) noexcept { return explore::modify(value_, explore::Change::set, value); }
  std::uint64_t fetch_or(std::uint64_t bits) noexcept { return explore::modify(value_, explore::Change::bit_or, bits); }
  std::uint64_t fetch_and(std::uint64_t bits) noexcept {
    return explore::modify(value_, explore::Change::bit_and, bits);
  }
  std::uint64_t fetch_add(std::uint64_t value) noexcept { return explore::modify(value_, explore::Change::add, value); }
  static bool swap_pair(Word& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                        std::uint64_t b) noexcept {
    return explore::compare_and_swap_pair(first.value_, expected_a, expected_b, a, b);
  }

 private:
  std::uint64_t value_;
};
static_assert(sizeof(Word) == 8);

inline constexpr bool k_pairs_are_swapped = true;
inline bool compare_and_swap_pair(Word& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                                  std::uint64_t b) noexcept {
  return Word::swap_pair(first, expected_a, expected_b, a, b);
}

inline void full_fence() noexcept { explore::full_fence(); }
/// Nothing to do: the explorer runs what the compiler made of each access, one by one.
inline void compiler_fence() noexcept {}
inline void release_fence() noexcept { explore::release_fence(); }
/// Loads are never made early here; see explorer.hpp.
inline void acquire_fence() noexcept {}
inline void copy_racing(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  explore::copy_racing(to, from, size);
}
inline void cpu_relax() noexcept { explore::cpu_relax(); }

}  // namespace beltway::detail
