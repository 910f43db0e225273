// What a removal of a queue or of a group takes along.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "beltway/info.hpp"

namespace beltway::tool {

struct Loss {
  struct Reader {
    std::string name;  ///< "group billing", "consumer 3"
    std::uint64_t unread = 0;
  };
  std::vector<Reader> readers;  ///< those with unread messages
  std::size_t endpoints = 0;    ///< attached processes' ends

  /// Of the reader that has most: the same message may be unread in several groups.
  [[nodiscard]] std::uint64_t unread() const noexcept;
  [[nodiscard]] bool is_nothing() const noexcept { return readers.empty() && endpoints == 0; }
};

/// Messages that a group has not acknowledged count as unread: those that wait, that consumers hold and that are delayed. So do
/// those that a private reliable consumer has not read.
[[nodiscard]] Loss loss_of_queue(const QueueSnapshot& snapshot);
/// `group` need not exist.
[[nodiscard]] Loss loss_of_group(const QueueSnapshot& snapshot, const std::string& group);

/// "12 unread messages (group billing 12, group audit 3)"; without parentheses if one reader has them.
[[nodiscard]] std::string text_of(const Loss& loss);

}  // namespace beltway::tool
