#include "wire/layout_version.hpp"

#include <charconv>

namespace beltway::wire {

std::optional<LayoutVersion> parse_layout(std::string_view text) noexcept {
  LayoutVersion version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
  return version;
}

}  // namespace beltway::wire
