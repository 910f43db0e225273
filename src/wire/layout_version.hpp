// The version of a queue's shared memory and of its options: what a program must know to work on the queue.
// Thread safety: pure functions.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ring/layout.hpp"

namespace beltway::wire {

/// Of the shared memory of a queue (layout.hpp).
struct LayoutVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;

  auto operator<=>(const LayoutVersion&) const = default;
  [[nodiscard]] std::string text() const { return std::to_string(major) + "." + std::to_string(minor); }
};

/// The layout that this program makes and reads.
inline constexpr LayoutVersion k_own_layout{ring::k_layout_major, ring::k_layout_minor};

/// From "4.0". Nothing for what is no version.
[[nodiscard]] std::optional<LayoutVersion> parse_layout(std::string_view text) noexcept;

}  // namespace beltway::wire
