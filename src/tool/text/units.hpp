// Numbers as people write them, and, from watch/format.hpp, as people read them. Sizes count in 1024s (K, M, G, T), counts and
// rates in 1000s (k, M, G).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "watch/format.hpp"

namespace beltway::tool {

/// "512", "4K", "64KiB", "1M": bytes. Nothing for anything else, negative or beyond 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// "10", "50k", "2M", "1.5M": a whole number of things.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// "100", "0.5/s", "20k/s": a second, at least one in 11 days.
[[nodiscard]] std::optional<double> parse_rate(std::string_view text);

/// "2", "1.5s", "200ms", "50us", "3m", "1h": seconds where no unit is given.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "0600" or "600": octal, at most 0777.
[[nodiscard]] std::optional<std::uint32_t> parse_mode(std::string_view text);

using watch::format_count;
using watch::format_duration;
using watch::format_nanoseconds;
using watch::format_rate;
using watch::format_ratio;
using watch::format_size;

}  // namespace beltway::tool
