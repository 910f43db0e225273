// The bytes of a bench's message: one 64-bit value again and again, its last bytes the value's first ones. So a message
// that is torn or was overwritten too early does not add up, and no bench measures memory that is never touched.
//
// Sixteen bytes at a time where there are as many: eight a cycle would be slower than the caches between two cores, and what
// is to be measured are those.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace beltway::tool {

namespace bytes_detail {
using Pair = std::uint64_t __attribute__((vector_size(16)));
inline constexpr std::size_t k_line_bytes = 64;
}  // namespace bytes_detail

inline void fill(std::span<std::byte> place, std::uint64_t value) noexcept {
  using bytes_detail::k_line_bytes;
  using bytes_detail::Pair;
  const Pair pair = {value, value};
  std::byte* to = place.data();
  std::size_t left = place.size();
  for (; left >= k_line_bytes; left -= k_line_bytes, to += k_line_bytes) {
    for (std::size_t i = 0; i < k_line_bytes; i += sizeof pair) std::memcpy(to + i, &pair, sizeof pair);
  }
  for (; left >= sizeof value; left -= sizeof value, to += sizeof value) std::memcpy(to, &value, sizeof value);
  if (left > 0) std::memcpy(to, &value, left);
}

/// True if `bytes` is what fill() makes of some value.
[[nodiscard]] inline bool adds_up(std::span<const std::byte> bytes) noexcept {
  using bytes_detail::k_line_bytes;
  using bytes_detail::Pair;
  std::uint64_t first = 0;
  if (bytes.size() < sizeof first) return true;
  const std::byte* from = bytes.data();
  std::size_t left = bytes.size();
  std::memcpy(&first, from, sizeof first);
  const Pair wanted = {first, first};
  Pair differences = {0, 0};
  for (; left >= k_line_bytes; left -= k_line_bytes, from += k_line_bytes) {
    for (std::size_t i = 0; i < k_line_bytes; i += sizeof wanted) {
      Pair pair;
      std::memcpy(&pair, from + i, sizeof pair);
      differences |= pair ^ wanted;
    }
  }
  std::uint64_t difference = differences[0] | differences[1];
  for (; left >= sizeof first; left -= sizeof first, from += sizeof first) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    difference |= word ^ first;
  }
  if (left == 0) return difference == 0;
  std::uint64_t tail = 0;
  std::memcpy(&tail, from, left);
  const std::uint64_t mask = (std::uint64_t{1} << (8 * left)) - 1;
  return (difference | (tail ^ (first & mask))) == 0;
}

}  // namespace beltway::tool
