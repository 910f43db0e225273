// The messages of a named group that a consumer of JavaScript holds until they are ended. JavaScript names each by a slot and by
// the slot's generation, so that a message that is ended twice does not end another one.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "beltway/message.hpp"

namespace beltway::node {

class HeldMessages {
 public:
  /// No slot has this generation.
  static constexpr std::uint32_t k_no_generation = 0xffffffff;

  struct Place {
    std::uint32_t slot;
    std::uint32_t generation;
  };

  Place add(Message message) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot].message = std::move(message);
    return {slot, slots_[slot].generation};
  }

  /// Null: it has ended.
  [[nodiscard]] Message* find(Place place) noexcept {
    if (place.slot >= slots_.size() || slots_[place.slot].generation != place.generation) return nullptr;
    return &slots_[place.slot].message;
  }

  /// The message, which is in no slot afterwards; an empty one if it has ended.
  [[nodiscard]] Message take(Place place) {
    Message* const found = find(place);
    if (found == nullptr) return {};
    free_.push_back(place.slot);
    if (++slots_[place.slot].generation == k_no_generation) slots_[place.slot].generation = 0;
    return std::move(*found);
  }

  [[nodiscard]] std::size_t count() const noexcept { return slots_.size() - free_.size(); }
  void clear() noexcept {
    slots_.clear();
    free_.clear();
  }

 private:
  struct Slot {
    Message message;
    std::uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace beltway::node
