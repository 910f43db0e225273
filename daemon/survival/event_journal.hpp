// The event journal: what the daemon has seen, in order, for `beltway events`. The last k_max_events are kept, also for the next
// daemon, if a store holds their memory (event_segment.hpp). The store's name for it is EVTS, which older daemons leave alone.
//
// A sequence number is never used again in one journal. A number is missing if the daemon was killed while it wrote that event.
// An event remembers owner and mode of its queue, so that rights count also after the queue is gone.
//
// Ownership: the segment and the events. Thread safety: all members, since workers repair queues, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "beltway/events.hpp"
#include "beltway/limits.hpp"
#include "survival/descriptor_store.hpp"
#include "survival/event_segment.hpp"
#include "survival/records.hpp"

namespace beltway::daemon {

/// An event, and who may see it.
struct StoredEvent {
  Event event;
  bool is_public = false;  ///< about the daemon itself
  std::uint32_t owner_uid = 0;
  std::uint32_t owner_gid = 0;
  std::uint32_t mode = 0;
};

/// An event about the queue, with the rights that it gives.
[[nodiscard]] StoredEvent event_of(const QueueRecord& queue, std::string_view kind, std::string text = {});

/// Throws Error(protocol) for what is no event.
[[nodiscard]] std::string encode(const StoredEvent& stored);
[[nodiscard]] StoredEvent decode_stored_event(std::string_view text);

class EventJournal {
 public:
  /// Goes on with the journal in the store. Begins one, and has it held, if there is none or it makes no sense.
  explicit EventJournal(DescriptorStore& store);
  /// Goes on with that journal.
  explicit EventJournal(EventSegment segment);
  EventJournal(const EventJournal&) = delete;
  EventJournal& operator=(const EventJournal&) = delete;

  /// Gives the event its number and its times, unless it has times. An event that cannot be kept is only shown by this daemon.
  void add(StoredEvent stored) noexcept;

  /// The events from number `since` on that `may_see` allows: at most `count`, and at most what fits an answer. Looks at no more
  /// than k_max_events_per_request.
  [[nodiscard]] EventPage page(std::uint64_t since, std::uint32_t count,
                               const std::function<bool(const StoredEvent&)>& may_see) const;

  /// What was told last of that endpoint, of: attached, left, died, evicted. Empty: none of the events that are kept.
  [[nodiscard]] std::string last_of_endpoint(std::uint64_t queue_id, std::string_view role, unsigned index) const;

  /// True if an earlier daemon has left events.
  [[nodiscard]] bool was_taken_over() const noexcept { return was_taken_over_; }

 private:
  void begin(DescriptorStore& store);
  void restore();

  std::optional<EventSegment> segment_;  ///< none: there is no memory for it
  os::Fd held_;  ///< the journal of earlier daemons as the store gave it (DescriptorStore::stored)
  std::uint64_t journal_ = 1;
  bool was_taken_over_ = false;
  mutable std::mutex mutex_;  ///< guards what follows
  std::uint64_t last_ = 0;
  std::deque<StoredEvent> events_;  ///< by sequence number
};

}  // namespace beltway::daemon
