// Reads a properties block that lies in shared memory. A peer may rewrite it meanwhile: each number is read once, and checked
// against the end that was known before.
#include "beltway/properties.hpp"

#include <memory>

#include "endpoint/properties_block.hpp"

namespace beltway {

namespace {
/// So that a time that a peer wrote stays in the range of nanoseconds.
constexpr std::uint64_t k_time_mask_us = (std::uint64_t{1} << 48) - 1;
}  // namespace

/// What is left of a block.
struct PropertiesView::Reader {
  const std::byte* at;
  const std::byte* const end;
  bool is_damaged = false;

  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end - at); }
  /// The next number, read once; 0, and damaged, if it does not fit.
  template <class Number>
  [[nodiscard]] Number number() noexcept {
    Number read{};
    if (is_damaged || left() < sizeof read) {
      is_damaged = true;
      return 0;
    }
    detail::copy_racing(reinterpret_cast<std::byte*>(&read), at, sizeof read);
    at += sizeof read;
    asm("" : "+r"(read));  // the compiler must not read it from the block again
    return read;
  }
  /// The next `size` bytes; none, and damaged, if they do not fit.
  [[nodiscard]] std::string_view text(std::size_t size) noexcept {
    if (is_damaged || left() < size) {
      is_damaged = true;
      return {};
    }
    const std::string_view found(reinterpret_cast<const char*>(at), size);
    at += size;
    return found;
  }
};

PropertiesView::PropertiesView(std::span<const std::byte> block) noexcept {
  if (block.empty()) return;
  Reader reader{block.data(), block.data() + block.size()};
  // Not its length: that is the block's.
  const auto head = ring::PropertiesHead::of(reader.number<std::uint64_t>());
  if ((head.present & endpoint::k_has_publish_time) != 0) {
    publish_time_ = PublishTime(std::chrono::nanoseconds(static_cast<std::int64_t>(reader.number<std::uint64_t>())));
  }
  if ((head.present & endpoint::k_has_due_time) != 0) {
    const auto due_us = static_cast<std::int64_t>(reader.number<std::uint64_t>() & k_time_mask_us);
    expires_at_.emplace(std::chrono::microseconds(due_us));
  }
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    if ((head.present & endpoint::k_has_first_text << i) != 0) texts_[i] = reader.text(reader.number<std::uint8_t>());
  }
  const unsigned headers = (head.present & endpoint::k_has_headers) != 0 ? head.headers : 0;
  for (unsigned i = 0; i < headers && !reader.is_damaged; ++i) {
    const std::size_t name_bytes = reader.number<std::uint8_t>();
    const std::size_t value_bytes = reader.number<std::uint16_t>();
    const std::string_view name = reader.text(name_bytes);
    const std::string_view value = reader.text(value_bytes);
    if (i == headers_.size()) reader.is_damaged = true;
    if (reader.is_damaged) break;
    std::construct_at(&headers_[header_count_++], MessageHeader{name, value});
  }
  if ((head.present & endpoint::k_has_dead_letter) != 0) read_dead_letter(reader);
  is_damaged_ = reader.is_damaged;
}

void PropertiesView::read_dead_letter(Reader& reader) noexcept {
  const auto time = [&reader] {
    return PublishTime(std::chrono::nanoseconds(static_cast<std::int64_t>(reader.number<std::uint64_t>())));
  };
  DeadLetter letter;
  letter.reason = static_cast<DeadLetterReason>(reader.number<std::uint8_t>());
  letter.deliveries = reader.number<std::uint16_t>();
  letter.position = reader.number<std::uint64_t>();
  letter.first_time = time();
  letter.last_time = time();
  letter.queue = reader.text(reader.number<std::uint8_t>());
  letter.group = reader.text(reader.number<std::uint8_t>());
  if (reader.is_damaged) return;
  std::construct_at(&dead_letter_, letter);
  is_dead_letter_ = true;
}

std::optional<std::string_view> PropertiesView::header(std::string_view name) const noexcept {
  for (const MessageHeader& each : headers()) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

}  // namespace beltway
