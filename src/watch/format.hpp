// Numbers as people read them. Sizes count in 1024s (KiB, MiB), counts and rates in 1000s (k, M, G).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace beltway::watch {

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

}  // namespace beltway::watch
