// Parsing of numbers with units.
#include "tool/text/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <system_error>

namespace beltway::tool {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

/// The largest double below 2^64 and 2^63: beyond them a conversion to integers is undefined.
constexpr double k_below_2_64 = 18446744073709549568.0;
constexpr double k_below_2_63 = 9223372036854774784.0;
/// Messages a second below which the time between two no longer fits a clock.
constexpr double k_slowest_rate = 1e-6;

/// A non-negative decimal number; what stands behind it is left in `text`.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value) || std::signbit(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<double> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::optional<double> number = take_number(text);
  if (!number) return std::nullopt;
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  for (const Unit& unit : units) {
    if (text == unit.name) return *number * unit.factor;
  }
  return std::nullopt;
}

constexpr double k_ki = 1024.0;
constexpr std::array k_size_units{
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"K", k_ki},
    Unit{"k", k_ki},
    Unit{"KB", k_ki},
    Unit{"kB", k_ki},
    Unit{"KiB", k_ki},
    Unit{"M", k_ki* k_ki},
    Unit{"m", k_ki* k_ki},
    Unit{"MB", k_ki* k_ki},
    Unit{"MiB", k_ki* k_ki},
    Unit{"G", k_ki* k_ki* k_ki},
    Unit{"g", k_ki* k_ki* k_ki},
    Unit{"GB", k_ki* k_ki* k_ki},
    Unit{"GiB", k_ki* k_ki* k_ki},
    Unit{"T", k_ki* k_ki* k_ki* k_ki},
    Unit{"TiB", k_ki* k_ki* k_ki* k_ki},
};
constexpr std::array k_count_units{Unit{"", 1}, Unit{"k", 1e3}, Unit{"K", 1e3}, Unit{"M", 1e6}, Unit{"G", 1e9}};
constexpr std::array k_duration_units{Unit{"", 1e9},  Unit{"ns", 1},   Unit{"us", 1e3},   Unit{"ms", 1e6},
                                      Unit{"s", 1e9}, Unit{"m", 60e9}, Unit{"min", 60e9}, Unit{"h", 3600e9}};

std::optional<std::uint64_t> whole(std::optional<double> value) {
  if (!value || *value > k_below_2_64 || *value != std::floor(*value)) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) { return whole(parse_with_unit(text, k_size_units)); }

std::optional<std::uint64_t> parse_count(std::string_view text) { return whole(parse_with_unit(text, k_count_units)); }

std::optional<double> parse_rate(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  const std::optional<double> rate = parse_with_unit(text, k_count_units);
  if (!rate || *rate < k_slowest_rate) return std::nullopt;
  return rate;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::optional<double> value = parse_with_unit(text, k_duration_units);
  if (!value || *value > k_below_2_63) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::uint32_t> parse_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || end != text.data() + text.size() || mode > 0777) return std::nullopt;
  return mode;
}

}  // namespace beltway::tool
