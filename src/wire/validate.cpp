#include "wire/validate.hpp"

#include "base/tool_command.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"

namespace beltway::wire {

namespace {

/// In one error: a person looks for a misspelt one.
constexpr std::size_t k_most_groups_told = 8;

constexpr std::string_view k_name_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

/// `"x"`; or `byte 0x1b` for a byte that a terminal would not show.
std::string character_text(char character) {
  if (character >= ' ' && character <= '~') return std::string("\"") + character + "\"";
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(character);
  return std::string("byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

}  // namespace

std::string error_subject(std::string_view operation, std::string_view name) {
  std::string text = std::string(operation) + " \"";
  for (const char c : name.substr(0, k_max_name_length)) text += c >= ' ' && c <= '~' ? c : '?';
  return text + (name.size() > k_max_name_length ? "...\"" : "\"");
}

std::string groups_text(const std::string& queue, const std::vector<std::string>& names) {
  if (names.empty())
    return "; it has no named group: \"" + tool_command("group add", {queue, "GROUP"}) + "\" makes one";
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < k_most_groups_told; ++i) {
    text += (text.empty() ? "; its groups are \"" : ", \"") + names[i] + "\"";
  }
  return names.size() > k_most_groups_told ? text + " and others" : text;
}

void check_name(std::string_view operation, std::string_view kind, std::string_view name) {
  const std::size_t wrong = name.find_first_not_of(k_name_characters);
  if (!name.empty() && name.size() <= k_max_name_length && wrong == std::string_view::npos) return;
  std::string fault = std::to_string(name.size()) + " characters";
  if (!name.empty() && name.size() <= k_max_name_length)
    fault = character_text(name[wrong]) + " at character " + std::to_string(wrong + 1);
  throw Error(Errc::invalid_option, error_subject(operation, name) + ": a " + std::string(kind) + " name has 1 to " +
                                        std::to_string(k_max_name_length) +
                                        " characters of A-Z a-z 0-9 . _ - /; this one has " + fault);
}

ring::Geometry geometry_of(const QueueOptions& options) noexcept {
  ring::Geometry geometry;
  geometry.slots = options.slots;
  geometry.slot_bytes = options.slot_bytes;
  geometry.lane_bytes = options.lane_bytes;
  geometry.max_producers = options.max_producers;
  geometry.max_consumers = options.max_consumers;
  geometry.max_groups = options.max_groups;
  geometry.max_parked = options.max_parked.value_or(options.slots / k_default_parked_part);
  return geometry;
}

std::uint64_t shared_bytes_of(const ring::Geometry& geometry) noexcept {
  return geometry.ring_bytes() + geometry.heap_bytes() + geometry.control_bytes();
}

}  // namespace beltway::wire
