// Numbers as people write and read them. Sizes count in 1024s (K, M, G, T), counts and rates in 1000s (k, M, G).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

/// "112 B", "210 KiB", "1.5 GiB": three digits.
[[nodiscard]] std::string format_size(double bytes);

/// "99999" in full, then "123 k", "1.23 M".
[[nodiscard]] std::string format_count(std::uint64_t count);

/// "1.23 M/s".
[[nodiscard]] std::string format_rate(double per_second);

/// "0", "<0.001", "0.012", "1.25".
[[nodiscard]] std::string format_ratio(double ratio);

/// "85 ns", "1.2 us", "3.4 ms", "2.5 s", "12 min".
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);
[[nodiscard]] std::string format_nanoseconds(double nanoseconds);

}  // namespace beltway::tool
