// Reads events one page after the other, also over the death of the daemon: `beltway events`.
// Thread safety: one thread, the one that made the Interrupt behind the stop token.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "beltway/connection.hpp"

namespace beltway::tool {

class EventFollower {
 public:
  struct Sinks {
    /// False: no more events are wanted.
    std::function<bool(const Event&)> event;
    /// After the events of a page.
    std::function<void()> flush;
    /// What a person must know about the events: the daemon is gone, events are lost.
    std::function<void(const std::string&)> note;
  };

  /// Begins with the event of that number.
  EventFollower(Connection connection, std::uint64_t since, Sinks sinks, std::stop_token stop);

  /// Passes on all events that there are. False: no more are wanted. Throws Error.
  bool read_all();
  /// Goes on until a stop is requested or no more events are wanted. A daemon that is gone is awaited. Throws Error for all else.
  void follow();

 private:
  /// Tells which events are lost, if some are. False: the numbers begin anew, so that the page must be asked for again.
  bool check_order(const EventPage& page);
  bool pass_on(const EventPage& page);

  Connection connection_;
  std::uint64_t next_;
  Sinks sinks_;
  std::stop_token stop_;
  std::optional<std::uint64_t> journal_;  ///< that `next_` belongs to; nothing: no page has come yet
};

}  // namespace beltway::tool
