// The properties of a received message in the memory of JavaScript.
//
// Thread safety: as the message.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>

#include "beltway/message.hpp"
#include "endpoint/properties_block.hpp"

namespace beltway::node {

/// The properties of a message, encoded again: the view has checked them, and they lie in our memory.
class EncodedProperties {
 public:
  explicit EncodedProperties(const Message& message) {
    if (!message.has_properties()) [[likely]]
      return;
    const PropertiesView view = message.properties();
    const Properties properties = view;
    if (!endpoint::find_excess(properties)) block_.emplace(properties);
  }
  [[nodiscard]] std::size_t size() const noexcept { return block_ ? block_->size() : 0; }
  void copy_to(std::byte* place) const noexcept {
    if (block_) std::memcpy(place, block_->data(), block_->size());
  }

 private:
  std::optional<endpoint::PropertiesBlock> block_;
};

}  // namespace beltway::node
