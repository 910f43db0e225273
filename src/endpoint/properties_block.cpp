// See properties_block.hpp.
#include "endpoint/properties_block.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "os/kernel.hpp"

namespace beltway::endpoint {

namespace {
constexpr std::chrono::microseconds k_longest_ttl = std::chrono::milliseconds(k_max_ttl_ms);
}  // namespace

std::optional<PropertyExcess> find_excess(const Properties& properties) noexcept {
  for (const PropertyText& text : k_texts) {
    const std::size_t size = (properties.*text.field).size();
    if (size > k_max_property_bytes) return PropertyExcess{text.name, size, "bytes", k_max_property_bytes};
  }
  if (properties.headers.size() > k_max_headers)
    return PropertyExcess{"list of headers", properties.headers.size(), "headers", k_max_headers};
  if (properties.dead_letter != nullptr) {
    for (const std::string_view name : {properties.dead_letter->queue, properties.dead_letter->group}) {
      if (name.size() > k_max_name_length)
        return PropertyExcess{"dead letter name", name.size(), "bytes", k_max_name_length};
    }
  }
  std::size_t all = 0;
  for (const MessageHeader& header : properties.headers) {
    if (header.name.size() > k_max_header_name_bytes)
      return PropertyExcess{"header name", header.name.size(), "bytes", k_max_header_name_bytes};
    all += header.name.size() + header.value.size();
  }
  if (all > k_max_headers_bytes) return PropertyExcess{"list of headers", all, "bytes", k_max_headers_bytes};
  return std::nullopt;
}

std::uint64_t publish_time_now() noexcept {
  const auto now = std::chrono::system_clock::now();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count());
}

std::uint64_t due_time_after(std::uint64_t ttl_us) noexcept { return os::now_ns() / 1000 + ttl_us; }

PropertiesBlock::PropertiesBlock(const Properties& properties) noexcept
    : stamps_(properties.publish_time == Properties::now) {
  assert(!find_excess(properties));
  if (properties.empty()) return;
  size_ = sizeof(std::uint64_t);  // the head, which is written last
  if (properties.publish_time != PublishTime{}) {
    head_.present |= k_has_publish_time;
    add_number<std::uint64_t>(static_cast<std::uint64_t>(properties.publish_time.time_since_epoch().count()));
  }
  if (properties.ttl.count() != 0) {
    // A time that is over already expires the message at once.
    ttl_us_ = static_cast<std::uint64_t>(std::clamp(properties.ttl, {}, k_longest_ttl).count());
    head_.present |= k_has_due_time;
    add_number<std::uint64_t>(ttl_us_);
  }
  for (std::size_t i = 0; i < k_texts.size(); ++i) {
    const std::string_view text = properties.*k_texts[i].field;
    if (text.empty()) continue;
    head_.present |= static_cast<std::uint16_t>(k_has_first_text << i);
    add_number<std::uint8_t>(text.size());
    add(text.data(), text.size());
  }
  if (!properties.headers.empty()) head_.present |= k_has_headers;
  head_.headers = static_cast<std::uint8_t>(properties.headers.size());
  for (const MessageHeader& header : properties.headers) {
    add_number<std::uint8_t>(header.name.size());
    add_number<std::uint16_t>(header.value.size());
    add(header.name.data(), header.name.size());
    add(header.value.data(), header.value.size());
  }
  if (properties.dead_letter != nullptr) add_dead_letter(*properties.dead_letter);
  pad_to(k_payload_alignment);
}

void PropertiesBlock::add_dead_letter(const DeadLetter& letter) noexcept {
  head_.present |= k_has_dead_letter;
  add_number<std::uint8_t>(static_cast<std::size_t>(letter.reason));
  add_number<std::uint16_t>(letter.deliveries);
  add_number<std::uint64_t>(letter.position);
  add_number<std::uint64_t>(static_cast<std::uint64_t>(letter.first_time.time_since_epoch().count()));
  add_number<std::uint64_t>(static_cast<std::uint64_t>(letter.last_time.time_since_epoch().count()));
  for (const std::string_view name : {letter.queue, letter.group}) {
    add_number<std::uint8_t>(name.size());
    add(name.data(), name.size());
  }
}

void PropertiesBlock::stamp() noexcept {
  if (stamps_) {
    const std::uint64_t now = publish_time_now();
    std::memcpy(bytes_.data() + k_publish_time_offset, &now, sizeof now);
  }
  if (expires()) {
    const std::uint64_t due = due_time_after(ttl_us_);
    std::memcpy(bytes_.data() + due_time_at(), &due, sizeof due);
  }
}

void PropertiesBlock::pad_to(std::size_t alignment) noexcept {
  if (size_ == 0) return;
  const std::size_t end = (size_ + alignment - 1) / alignment * alignment;
  std::fill(bytes_.data() + size_, bytes_.data() + end, std::byte{});
  size_ = end;
  head_.bytes = static_cast<std::uint16_t>(size_);
  const std::uint64_t head = head_.word();
  std::memcpy(bytes_.data(), &head, sizeof head);
}

void PropertiesBlock::add(const void* data, std::size_t size) noexcept {
  if (size != 0) std::memcpy(bytes_.data() + size_, data, size);
  size_ += size;
}

}  // namespace beltway::endpoint
