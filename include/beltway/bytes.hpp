// A view of bytes to publish, made from what users have at hand.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace beltway {

/// A non-owning view of the bytes of a string, a span, or any contiguous range of trivially copyable elements
/// (std::vector, std::array). A string literal counts without its final zero.
/// The bytes must live until the call that takes the view returns. Thread safety: as a value. Never blocks, never throws.
class Bytes {
  // Bytes that mean something in another process: no pointers, and no views, which are pointers inside.
  template <class T>
  static constexpr bool is_plain =
      std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::ranges::view<T> && !std::is_same_v<T, Bytes>;

 public:
  constexpr Bytes() noexcept = default;
  constexpr Bytes(const void* data, std::size_t size) noexcept
      : data_(static_cast<const std::byte*>(data)), size_(size) {}
  Bytes(std::string_view text) noexcept : Bytes(text.data(), text.size()) {}  // NOLINT: implicit by design
  Bytes(const char* text) noexcept : Bytes(std::string_view(text)) {}         // NOLINT: implicit by design

  template <std::ranges::contiguous_range Range>
    requires(is_plain<std::ranges::range_value_t<Range>> && !std::is_array_v<std::remove_cvref_t<Range>>)
  Bytes(const Range& range) noexcept  // NOLINT: implicit by design
      : Bytes(std::ranges::data(range), std::ranges::size(range) * sizeof(std::ranges::range_value_t<Range>)) {}

  [[nodiscard]] constexpr const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace beltway
