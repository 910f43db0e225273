// What the screen can do to a queue, as values: which acts a place of the screen offers, what each will do, in words, and the
// command of the tool that does the same.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "watch/model.hpp"

namespace beltway::tool {

/// What a line of a queue's page is about.
struct Target {
  enum class Kind : std::uint8_t { group, consumer, producer };
  Kind kind = Kind::group;
  std::string name = {};  ///< of a group
  unsigned index = 0;     ///< of an endpoint
  bool operator==(const Target&) const = default;
};

struct Act {
  enum class Kind : std::uint8_t { purge, requeue, evict, reset, pause, resume, remove, ack, move };
  Kind kind = Kind::purge;
  std::string queue = {};
  std::uint64_t queue_id = 0;  ///< so that a queue that was made anew under the name is left alone
  std::string group = {};
  unsigned consumer = 0;       ///< evict
  int pid = 0;                 ///< evict: the consumer's process, so that another one in its place is left alone
  std::string to = {};         ///< reset: as `group reset --to` takes it; move: a queue
  std::uint64_t position = 0;  ///< ack, move: of the message
};

/// An act that the menu offers.
struct ActChoice {
  char key = 0;
  std::string label;
  Act act;
};

/// What can be done at this line; without a target, to the only group and the queue.
[[nodiscard]] std::vector<ActChoice> choices_of(const watch::QueueDetail& detail, const std::optional<Target>& target);

/// What can be done to one message of a group, and to the consumer that holds it.
[[nodiscard]] std::vector<ActChoice> choices_of_message(const watch::QueueDetail& detail, const std::string& group,
                                                        const PeekedMessage& message);
/// The group of a list of messages: it is named, or the queue has no other one. Empty: there is none, or several.
[[nodiscard]] std::string group_of_list(const watch::QueueDetail& detail, const std::string& named);

/// What the act will do to the queue as it is now, as sentences for the question.
[[nodiscard]] std::string consequence_of(const Act& act, const watch::QueueDetail& detail);
/// The same as a command, as a shell takes it.
[[nodiscard]] std::string command_of(const Act& act);
/// "y" for most acts, the name of the queue for its removal.
[[nodiscard]] std::string confirmation_of(const Act& act);

/// How an act ended: what it did, or why it was refused.
struct ActResult {
  bool done = false;
  std::string text;
};

}  // namespace beltway::tool
