// What `requeue` does once it is attached: takes one dead letter, publishes it, and only then acknowledges it.
//
// So a process that is killed at any moment loses no message. A message that it had published and not yet acknowledged is in both
// queues then; origin and position of the dead letter tell that the two are one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "beltway/connection.hpp"
#include "beltway/consumer.hpp"
#include "beltway/producer.hpp"
#include "tool/text/progress.hpp"

namespace beltway::tool {

struct RequeuePlan {
  std::string to = {};                                   ///< for all messages; empty: each goes to its origin
  std::uint64_t most = 0;                                ///< messages that are moved at most
  std::uint64_t there = 0;                               ///< messages that are looked at: those that were there
  std::optional<std::chrono::nanoseconds> timeout = {};  ///< for each message, while its target is full
  Progress* progress = nullptr;                          ///< is told how far it came; may be null
};

/// Thread safety: one thread, the one that made the Interrupt behind the stop token.
class Requeueing {
 public:
  /// A message that is given back.
  struct Kept {
    std::uint64_t position = 0;
    std::string origin = {};  ///< the queue; empty: it has none
    std::string why = {};
    bool forbidden = false;  ///< the caller may not publish to its target
  };

  Requeueing(Connection connection, Consumer& consumer, RequeuePlan plan, std::stop_token stop);

  /// Returns when no message is ready, the plan is done or a stop is requested. Messages that cannot be moved are given back at
  /// its end. Throws Failure (timeout, gone) and Error; what was moved until then is counted, and the present message given back.
  void run();

  /// The queues that got messages, with their number.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& moved() const noexcept { return moved_; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] const std::vector<Kept>& kept() const noexcept { return kept_; }

 private:
  /// A queue that gets messages, or why it gets none.
  struct Target {
    std::optional<Producer> producer;
    std::optional<Error> failure;
  };
  /// False: a stop was requested.
  bool move(Message message);
  /// Throws Error if it gets none and all messages shall go there.
  Target& target(const std::string& name);
  [[nodiscard]] Status publish(Producer& producer, const Message& message) const;
  void keep(Message message, Kept kept);
  void give_back() noexcept;
  [[nodiscard]] Until until() const { return plan_.timeout ? Until(*plan_.timeout, stop_) : Until(stop_); }

  Connection connection_;
  Consumer& consumer_;
  RequeuePlan plan_;
  std::stop_token stop_;
  std::map<std::string, Target> targets_;
  std::map<std::string, std::uint64_t> moved_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<Kept> kept_;
  std::vector<Message> held_;  ///< to be given back at the end: a receive would bring them again
};

}  // namespace beltway::tool
