// Parsing and printing of numbers with units.
#include "tool/text/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
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

/// Without idle zeros.
std::string with_decimals(double value, int decimals) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string result(text.data());
  if (result.find('.') != std::string::npos) {
    result.erase(result.find_last_not_of('0') + 1);
    if (result.back() == '.') result.pop_back();
  }
  return result;
}

/// Three significant digits: "1.23", "12.3", "210", "1".
std::string three_digits(double value) { return with_decimals(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0); }

/// In the largest unit that leaves at least 1, where 999.6 already counts as the next one's 1.
std::string in_steps(double value, double step, std::span<const std::string_view> names) {
  std::size_t index = 0;
  while (index + 1 < names.size() && value >= step - 0.5) {
    value /= step;
    ++index;
  }
  return three_digits(value) + std::string(names[index]);
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

std::string format_size(double bytes) {
  static constexpr std::array<std::string_view, 6> k_names{" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  return in_steps(bytes, 1024, k_names);
}

std::string format_count(std::uint64_t count) {
  static constexpr std::uint64_t k_shown_in_full = 99'999;
  static constexpr std::array<std::string_view, 7> k_names{"", " k", " M", " G", " T", " P", " E"};
  if (count <= k_shown_in_full) return std::to_string(count);
  return in_steps(static_cast<double>(count), 1000, k_names);
}

std::string format_rate(double per_second) {
  static constexpr std::array<std::string_view, 5> k_names{"/s", " k/s", " M/s", " G/s", " T/s"};
  return in_steps(per_second, 1000, k_names);
}

std::string format_ratio(double ratio) {
  static constexpr double k_least = 0.001;
  if (ratio > 0 && ratio < k_least) return "<0.001";
  return ratio < 1 ? with_decimals(ratio, 3) : three_digits(ratio);
}

std::string format_nanoseconds(double nanoseconds) {
  static constexpr std::array<std::string_view, 4> k_names{" ns", " us", " ms", " s"};
  static constexpr double k_two_minutes_ns = 120e9;
  if (nanoseconds < k_two_minutes_ns) return in_steps(nanoseconds, 1000, k_names);
  const double minutes = nanoseconds / 60e9;
  return minutes < 120 ? three_digits(minutes) + " min" : three_digits(minutes / 60) + " h";
}

std::string format_duration(std::chrono::nanoseconds duration) {
  return format_nanoseconds(static_cast<double>(duration.count()));
}

}  // namespace beltway::tool
