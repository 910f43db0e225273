// Where the screen's data come from, and who does its acts.
// Thread safety: as each member says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "tool/top/acts.hpp"
#include "tool/top/top_data.hpp"

namespace beltway::tool {

/// The queue in full, or why there is nothing to see.
struct LookResult {
  std::shared_ptr<const OpenQueue> open;
  std::string trouble;
};

/// The position of the message that a search found, or why it could not search.
struct SearchResult {
  std::optional<std::uint64_t> position;
  std::string trouble;
};

/// All members but perform() are called by one thread. None throws.
class TopSource {
 public:
  TopSource() = default;
  TopSource(const TopSource&) = delete;
  TopSource& operator=(const TopSource&) = delete;
  virtual ~TopSource() = default;

  [[nodiscard]] virtual std::shared_ptr<const watch::Fleet> sample() = 0;
  [[nodiscard]] virtual LookResult look(const std::string& queue) = 0;
  /// `from`: a position; nothing: the oldest message.
  [[nodiscard]] virtual MessageList messages(const std::string& queue, const std::string& group,
                                             std::optional<std::uint64_t> from) = 0;
  [[nodiscard]] virtual OpenMessage message(const std::string& queue, const std::string& group,
                                            std::uint64_t position) = 0;
  /// The first message behind `after` whose payload has the text.
  [[nodiscard]] virtual SearchResult search(const std::string& queue, const std::string& group, const std::string& text,
                                            std::uint64_t after) = 0;
  /// Called by a thread of its own; one act at a time.
  [[nodiscard]] virtual ActResult perform(const Act& act, const std::stop_token& stop) = 0;
};

}  // namespace beltway::tool
