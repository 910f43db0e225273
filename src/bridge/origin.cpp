#include "bridge/origin.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "bridge/bridge_limits.hpp"
#include "bridge/stored_runs.hpp"

namespace beltway::bridge {

namespace {

/// Bytes of a host's name: as the kernel has it.
constexpr std::size_t k_max_host_bytes = 64;

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/// The whole text as a number.
std::optional<std::uint64_t> number_of(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, value, base);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

/// Cuts off what is before the first `separator`, or all.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<Origin> read_origin(std::string_view text) {
  const auto slashes = std::count(text.begin(), text.end(), '/');
  const std::string_view host = cut(text, '/');
  const auto queue_id = number_of(cut(text, '/'));
  const auto position = number_of(text);
  if (slashes != 2 || host.empty() || host.size() > k_max_host_bytes || !queue_id || !position) return std::nullopt;
  if (!std::all_of(host.begin(), host.end(), is_host_character)) return std::nullopt;
  return Origin{std::string(host), *queue_id, *position};
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const std::to_chars_result written = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return {digits.data(), written.ptr};
}

}  // namespace

std::string text_of(const std::vector<Origin>& path) {
  std::string text;
  for (const Origin& origin : path) {
    if (!text.empty()) text += ' ';
    text += origin.host + '/' + std::to_string(origin.queue_id) + '/' + std::to_string(origin.position);
  }
  return text;
}

std::optional<std::vector<Origin>> read_path(std::string_view text) {
  std::vector<Origin> path;
  while (!text.empty()) {
    const auto origin = read_origin(cut(text, ' '));
    if (!origin || path.size() == k_max_hops) return std::nullopt;
    path.push_back(*origin);
  }
  if (path.empty()) return std::nullopt;
  return path;
}

std::string text_of(const StreamPlace& place) {
  return hexadecimal(place.stream) + '/' + std::to_string(place.sequence);
}

std::optional<StreamPlace> read_place(std::string_view text) {
  if (std::count(text.begin(), text.end(), '/') != 1) return std::nullopt;
  const auto stream = number_of(cut(text, '/'), 16);
  const auto sequence = number_of(text);
  if (!stream || !sequence || *sequence == 0 || *sequence > StoredRuns::k_max_sequence) return std::nullopt;
  return StreamPlace{*stream, *sequence};
}

std::uint64_t stream_of(std::string_view host, std::uint64_t queue_id, std::string_view group) noexcept {
  // FNV-1a: short texts, and no enemy chooses them to meet another stream: the queue's number is random.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    hash = (hash ^ 0xffU) * 0x100000001b3ULL;
  };
  add(host);
  add({reinterpret_cast<const char*>(&queue_id), sizeof queue_id});
  add(group);
  return hash;
}

std::string host_name() {
  std::array<char, k_max_host_bytes + 1> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == 0) return "unknown";
  std::string text(name.data());
  std::replace_if(text.begin(), text.end(), [](char c) { return !is_host_character(c); }, '_');
  return text;
}

}  // namespace beltway::bridge
