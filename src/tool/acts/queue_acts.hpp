// What an operator does to a queue, a group, a consumer or one message: the call of the library, and what to say of it. Commands,
// `beltway top` and `beltway web` share these.
// Thread safety: as Connection. Each act blocks for the daemon.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>

#include "beltway/connection.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

/// For each message, while its target is full. Who needs longer uses the command.
inline constexpr std::chrono::seconds k_act_patience{5};

/// What an act did.
struct ActReport {
  std::string text;                             ///< a sentence without a full stop
  watch::Json numbers = watch::Json::object();  ///< what it counted, as commands print it
};

/// The group that is named, or the only one. An error begins with `what` and the queue's name, and says to name one by `option`.
/// Throws Failure: not_found if there is no group, usage if there are several.
[[nodiscard]] std::string group_or_only(const Queue& queue, const std::string& named, const std::string& what,
                                        const std::string& option = "--group");

/// The acts on one queue, with this process's rights. All throw Error, and Failure for what is refused here.
class QueueActs {
 public:
  QueueActs(Connection connection, Queue queue) : connection_(std::move(connection)), queue_(std::move(queue)) {}

  ActReport purge(const std::string& group) const;
  ActReport pause(const std::string& group) const;
  ActReport resume(const std::string& group) const;
  /// `to` as `group reset --to` takes it.
  ActReport reset(const std::string& group, const std::string& to) const;
  /// Moves up to `most` dead letters to `to`; empty: back to the queues that they come from.
  ActReport requeue(const std::string& group, const std::stop_token& stop, const std::string& to = {},
                    std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const;
  /// `pid`: only if the consumer is one of this process. Another consumer may have its place by now.
  ActReport evict(unsigned consumer, std::optional<int> pid = {}) const;
  ActReport ack(const std::string& group, std::uint64_t position) const;
  /// Nothing: the Until was stopped, and the message is where it was.
  std::optional<ActReport> move(const std::string& group, std::uint64_t position, const std::string& to,
                                const Until& until) const;
  /// The queue need not be open: its owner may remove it without the right to read it.
  static ActReport remove(const Connection& connection, const std::string& queue);

 private:
  Connection connection_;
  Queue queue_;
};

}  // namespace beltway::tool
