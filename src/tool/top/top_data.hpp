// What the screen shows: the latest samples and messages, as immutable values that threads may share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "watch/model.hpp"

namespace beltway::tool {

/// Messages of a list: it is read by eye.
inline constexpr std::size_t k_most_listed = 5000;

/// Messages of a queue, as they were when the page was opened or updated last.
struct MessageList {
  std::string queue = {};
  std::string group = {};                    ///< empty: the whole ring
  std::optional<std::uint64_t> from = {};    ///< the position that was asked for; nothing: the oldest message
  std::vector<PeekedMessage> messages = {};  ///< the oldest first; only the beginnings of their payloads
  bool more_before = false;                  ///< there are older ones
  bool cut = false;                          ///< there are more behind than the list may hold
  std::string trouble = {};                  ///< why there is no list; empty: there is one
};

/// One message in full, as far as a screen may hold it.
struct OpenMessage {
  std::optional<PeekedMessage> message = {};  ///< nothing: it is gone
  std::string trouble = {};                   ///< why
};

/// A process, as the kernel named it when the queue was looked at.
struct ProcessLabel {
  std::string name;
  std::string state;  ///< "stopped", "traced", "frozen" or "ended"; empty: it runs
};

/// The queue whose page is open.
struct OpenQueue {
  watch::QueueDetail detail;
  std::map<int, ProcessLabel> processes;       ///< of its endpoints, as far as they are visible here
  std::map<std::uint32_t, std::string> users;  ///< of its endpoints and its owner
};

struct TopData {
  std::shared_ptr<const watch::Fleet> fleet = std::make_shared<const watch::Fleet>();
  std::int64_t at_s = 0;                          ///< CLOCK_REALTIME of the sample
  std::shared_ptr<const OpenQueue> open{};        ///< null: not known yet, or not any more
  std::string open_trouble{};                     ///< why there is none
  std::shared_ptr<const MessageList> messages{};  ///< null: not known yet
  std::shared_ptr<const OpenMessage> message{};   ///< null: not known yet
};

}  // namespace beltway::tool
