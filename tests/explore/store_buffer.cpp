#include "store_buffer.hpp"

namespace beltway::explore {

unsigned StoreBuffer::count(const std::uint64_t* word) const noexcept {
  unsigned count = 0;
  for (std::size_t i = 0; i < size_; ++i) count += stores_[i].word == word ? 1U : 0U;
  return count;
}

unsigned StoreBuffer::count_late(const std::uint64_t* word) const noexcept {
  unsigned count = 0;
  for (std::size_t i = 0; i < size_; ++i) count += stores_[i].word == word && stores_[i].late ? 1U : 0U;
  return count;
}

void StoreBuffer::mark_late(const std::uint64_t* word, unsigned youngest) noexcept {
  for (std::size_t i = size_; i-- > 0 && youngest != 0;) {
    if (stores_[i].word != word) continue;
    stores_[i].late = true;
    --youngest;
  }
}

void StoreBuffer::need(const std::uint64_t* word, unsigned left, bool weak,
                       std::array<bool, k_size>& needed) const noexcept {
  unsigned skip = left;
  for (std::size_t i = size_; i-- > 0;) {
    if (stores_[i].word == word) {
      if (skip != 0) {
        --skip;
        continue;
      }
      needed[i] = true;
    }
    for (std::size_t later = i + 1; later < size_ && !needed[i]; ++later) {
      if (!needed[later]) continue;
      const BufferedStore& store = stores_[later];
      needed[i] = !weak || store.release || store.word == stores_[i].word || store.fences != stores_[i].fences;
    }
  }
}

}  // namespace beltway::explore
