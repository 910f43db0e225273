// A properties block as a producer writes it, in private memory: encoded once, and copied to where the message lies.
// src/ring/PROPERTIES.md has the format.
//
// Thread safety: as a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "beltway/properties.hpp"
#include "ring/layout.hpp"
#include "ring/slot_view.hpp"

namespace beltway::endpoint {

/// Bits of PropertiesHead::present.
using ring::k_has_due_time;
using ring::k_has_publish_time;
inline constexpr std::uint16_t k_has_first_text =
    2;  ///< the bits of the texts follow each other, in the order of k_texts
inline constexpr std::uint16_t k_has_headers = 1 << 6;
inline constexpr std::uint16_t k_has_dead_letter = 1 << 8;

/// A text of Properties.
struct PropertyText {
  std::string_view Properties::* field;
  const char* name;
};
inline constexpr std::array<PropertyText, 5> k_texts{{
    {&Properties::key, "key"},
    {&Properties::correlation_id, "correlation id"},
    {&Properties::reply_to, "reply-to"},
    {&Properties::content_type, "content type"},
    {&Properties::trace_id, "trace id"},
}};

/// The offset of the publish time, if there is one.
inline constexpr std::size_t k_publish_time_offset = sizeof(std::uint64_t);

/// What of the properties is beyond its limit.
struct PropertyExcess {
  const char* what;  ///< "a key of", "headers of"
  std::size_t size;
  const char* unit;
  std::size_t limit;
};
[[nodiscard]] std::optional<PropertyExcess> find_excess(const Properties& properties) noexcept;

/// The time of the publish, as a block holds it.
[[nodiscard]] std::uint64_t publish_time_now() noexcept;
/// When a message expires that is published now with that Properties::ttl in us, as a block holds it.
[[nodiscard]] std::uint64_t due_time_after(std::uint64_t ttl_us) noexcept;

class PropertiesBlock {
 public:
  /// Requires that find_excess() finds nothing. Its size is a multiple of k_payload_alignment; 0: nothing is present.
  explicit PropertiesBlock(const Properties& properties) noexcept;

  [[nodiscard]] const std::byte* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Makes the block as long as whole cache lines: a payload behind it in a lane is aligned as every payload there.
  void pad_to_lines() noexcept { pad_to(ring::k_cache_line_bytes); }
  /// Whether the publish time is that of the publish.
  [[nodiscard]] bool stamps() const noexcept { return stamps_; }
  /// Whether the message has a due time. Until stamp() its field holds the ttl in us.
  [[nodiscard]] bool expires() const noexcept { return (head_.present & k_has_due_time) != 0; }
  [[nodiscard]] std::size_t due_time_at() const noexcept { return ring::due_time_offset(head_.present); }
  /// Writes the times that count from the publish: the publish time if the block stamps(), and the due time.
  void stamp() noexcept;

 private:
  void add_dead_letter(const DeadLetter& letter) noexcept;
  void pad_to(std::size_t alignment) noexcept;
  void add(const void* data, std::size_t size) noexcept;
  template <class Number>
  void add_number(std::size_t number) noexcept {
    const auto narrow = static_cast<Number>(number);
    add(&narrow, sizeof narrow);
  }

  static constexpr std::size_t k_most_bytes =
      ring::whole_lines(3 * sizeof(std::uint64_t) + k_texts.size() * (1 + k_max_property_bytes) + 3 * k_max_headers +
                        k_max_headers_bytes + k_max_dead_letter_bytes);

  std::size_t size_ = 0;
  ring::PropertiesHead head_{};
  bool stamps_ = false;
  std::uint64_t ttl_us_ = 0;
  alignas(k_payload_alignment) std::array<std::byte, k_most_bytes> bytes_;  // not initialised beyond size_
};

}  // namespace beltway::endpoint
