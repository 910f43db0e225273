// See format.hpp.
#include "watch/format.hpp"

#include <array>
#include <cstdio>
#include <span>
#include <string_view>

namespace beltway::watch {

namespace {

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

}  // namespace beltway::watch
