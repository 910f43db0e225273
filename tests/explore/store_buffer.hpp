// The stores of one actor that others cannot see yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace beltway::explore {

struct BufferedStore {
  std::uint64_t* word;
  std::uint64_t value;
  unsigned fences;  // release fences before it
  bool release;
  bool late;  // somebody has missed it already
};

class StoreBuffer {
 public:
  void clear() noexcept { size_ = fences_ = 0; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == stores_.size(); }
  void push(std::uint64_t* word, std::uint64_t value, bool release) noexcept {
    stores_[size_++] = {word, value, fences_, release, false};
  }
  void fence() noexcept { ++fences_; }

  /// The youngest store to `word`, or null: what its own actor reads.
  [[nodiscard]] const BufferedStore* find(const std::uint64_t* word) const noexcept {
    for (std::size_t i = size_; i-- > 0;) {
      if (stores_[i].word == word) return &stores_[i];
    }
    return nullptr;
  }
  /// The stores to `word`; how many of the youngest of them are `late`.
  [[nodiscard]] unsigned count(const std::uint64_t* word) const noexcept;
  [[nodiscard]] unsigned count_late(const std::uint64_t* word) const noexcept;
  void mark_late(const std::uint64_t* word, unsigned youngest) noexcept;

  /// Makes all stores to `word` but the `left` youngest visible, and whatever has to be so before. `weak`: see Bounds.
  template <class Visible>
  void flush(const std::uint64_t* word, unsigned left, bool weak, Visible&& visible) noexcept {
    std::array<bool, k_size> needed{};
    need(word, left, weak, needed);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (needed[i]) {
        visible(stores_[i]);
      } else {
        stores_[kept++] = stores_[i];
      }
    }
    size_ = kept;
  }
  template <class Visible>
  void flush_all(Visible&& visible) noexcept {
    for (std::size_t i = 0; i < size_; ++i) visible(stores_[i]);
    clear();
  }

 private:
  static constexpr std::size_t k_size = 64;
  void need(const std::uint64_t* word, unsigned left, bool weak, std::array<bool, k_size>& needed) const noexcept;

  std::array<BufferedStore, k_size> stores_;
  std::size_t size_ = 0;
  unsigned fences_ = 0;
};

}  // namespace beltway::explore
