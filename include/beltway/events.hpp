// What the daemon has seen, in order: endpoints that came and went, evictions, full queues. See Connection::events().
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "beltway/limits.hpp"

namespace beltway {

/// One thing that happened. A member that does not apply is empty or 0. Later versions may add kinds.
struct Event {
  std::uint64_t sequence = 0;      ///< 1 for the first one of a journal, then one more each time
  std::uint64_t time_ns = 0;       ///< since 1970, CLOCK_REALTIME
  std::uint64_t monotonic_ns = 0;  ///< CLOCK_MONOTONIC
  /// started, taken_over: the daemon. declared, changed, removed, expired: a queue. attached, left, died, repaired, evicted:
  /// an endpoint. full, room: producers wait, and wait no more. dead_lettered, purged, acknowledged, moved: messages.
  /// group_added, group_removed, group_paused, group_resumed, group_reset.
  std::string kind = {};
  std::string queue = {};
  std::uint64_t queue_id = 0;
  std::string group = {};    ///< a named group
  std::string role = {};     ///< "producer" or "consumer", if the event is about an endpoint
  unsigned index = 0;        ///< of that endpoint, among producers or among consumers
  int pid = 0;               ///< the endpoint's process; otherwise the process that asked for it; 0: none, or not known
  std::uint32_t uid = 0;     ///< that process's user; only if there is a pid
  std::string command = {};  ///< the name of that process's program
  std::uint64_t voided = 0;  ///< repaired: claims without a message that were ended
  std::uint64_t released = 0;  ///< repaired: messages that were given back to their groups
  std::uint64_t messages = 0;  ///< dead_lettered, purged: how many
  std::string text = {};       ///< what happened, for people: a sentence without its end
};

/// Some events that follow each other.
struct EventPage {
  /// The journal that the sequence numbers belong to. Another number means that a daemon began anew, from sequence number 1.
  std::uint64_t journal = 0;
  std::vector<Event> events = {};  ///< those that the caller may see
  std::uint64_t first = 0;         ///< sequence number of the oldest event that the daemon remembers
  std::uint64_t last = 0;          ///< of the newest one; 0: there is none yet
  std::uint64_t next = 0;          ///< ask for the events from here on next
  bool more = false;               ///< there are more already
};

}  // namespace beltway
