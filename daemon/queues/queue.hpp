// One queue as the daemon has it: its record, its memory, its bells and its endpoints, and what is done when an endpoint is
// gone.
//
// Proof of death: for each attach the daemon opens the control segment anew, write-locks byte `endpoint index` of that open file
// description, sends the descriptor to the client, and closes its own copy. The lock lives exactly as long as mappings and
// descriptors of this description exist. The daemon asks for the lock through a description of its own. If the byte is free, no
// process can write the words of that endpoint any more.
//
// At each change the queue record is saved first; then the shared memory is changed. So the next daemon finds memory that is at
// most one step behind the record, and reconcile() takes that step (see saved_queues.hpp).
//
// Invariants: a place of `record().endpoints` becomes free only after its byte was seen free and repair() has run. A place of
// `record().groups` becomes free only when no endpoint that was attached to the group remains. Only free places are given out.
// Ownership: the object owns segments, eventfds and mappings. Thread safety: the daemon's one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/fd.hpp"
#include "os/segment.hpp"
#include "queues/changes.hpp"
#include "queues/peer.hpp"
#include "queues/run_clock.hpp"
#include "recovery/heal.hpp"
#include "ring/live_groups.hpp"
#include "ring/one_message.hpp"
#include "ring/queue_memory.hpp"
#include "survival/records.hpp"
#include "survival/saved_queues.hpp"
#include "wire/protocol.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

/// The descriptors of a reply to attach. `borrowed` are all to be sent, in the protocol's order. `owned` are those of them that
/// the daemon closes after it has sent them: the endpoint's lock must live in the client alone.
struct AttachGrant {
  wire::AttachReply reply;
  std::vector<int> borrowed;
  std::vector<os::Fd> owned;
};

/// The memory of a new queue, made and filled, before any client knows of it.
struct NewQueue {
  QueueRecord record;
  QueueDescriptors own;
  os::Fd owner_lock;  ///< of an exclusive queue
  os::Mapping ring;
  os::Mapping control;
};
/// `record`: name, id, owner and options, checked; `options.groups` are made. Takes seconds for gigabytes. Any thread.
/// Throws Error(limit_reached, system).
[[nodiscard]] NewQueue make_queue(QueueRecord record);

class Queue {
 public:
  /// Throws Error(limit_reached, system).
  Queue(NewQueue made, SavedQueues& saved_queues);
  /// The queue that an earlier daemon has left. Throws Error(limit_reached, system); then `saved` is as before.
  Queue(SavedQueues::SavedQueue&& saved, SavedQueues& saved_queues);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  [[nodiscard]] const QueueRecord& record() const noexcept { return record_; }
  [[nodiscard]] const ring::Geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] std::uint64_t shared_bytes() const noexcept;
  [[nodiscard]] wire::Description description(bool with_endpoints) const;
  /// Of the last change of the description, but for times that pass and sequence numbers.
  [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; }
  /// The description has changed, by what this object does not know.
  void note_change() noexcept { revision_ = next_revision(); }

  /// Tells all attached processes that the queue is gone, and forgets the queue. Destroy the object afterwards.
  void remove() noexcept;
  /// After remove(): frees the memory, which takes long if it is large. Any thread.
  void release() noexcept;

  // -- work that takes long --
  /// True if the walk over all slots and lease words takes so long that a worker must do it.
  [[nodiscard]] bool is_large() const noexcept;
  /// Call it before a worker gets the queue. Until take_from_worker() the daemon may use only name, id, owner and options of
  /// record().
  [[nodiscard]] bool is_busy() const noexcept { return busy_; }
  void give_to_worker() noexcept { busy_ = true; }
  /// Returns the calls that wait for the queue.
  [[nodiscard]] std::vector<std::function<void()>> take_from_worker() noexcept {
    busy_ = false;
    return std::exchange(waiting_, {});
  }
  /// Calls `then` when the worker has done.
  void when_free(std::function<void()> then) { waiting_.push_back(std::move(then)); }

  // -- options that change while the queue lives --
  /// Takes the option from `wanted`. A new evict_after counts for consumers that attached as evictable (their time begins
  /// anew), and for all that attach later. Other consumers ack by plain stores, so they cannot become evictable.
  void change_option(const wire::QueueOption& option, const QueueOptions& wanted);
  void change_group_option(unsigned group, const wire::GroupOption& option, const GroupOptions& wanted);

  // -- groups (queue_groups.cpp) --
  [[nodiscard]] std::optional<unsigned> find_group(const std::string& name) const noexcept;
  /// The options in which `group` differs from the existing group of that name. Empty if there is no such group.
  [[nodiscard]] std::vector<wire::Difference> group_differences(const NamedGroup& group) const;
  /// True if the group exists. Throws Error(already_exists) if the group has other options than those that `group` asks for.
  [[nodiscard]] bool has_group(const NamedGroup& group) const;
  /// No effect on groups that exist. Throws Error(limit_reached) before it makes any if there is no place for all.
  void add_groups(const std::vector<NamedGroup>& groups, Start start, const std::string& operation);
  void remove_group(const std::string& name);
  [[nodiscard]] PurgeResult purge_group(const std::string& name);

  // -- one message (queue_messages.cpp) --
  /// Acknowledges it for the group. Throws Error(not_found), and Error(misuse) that names the endpoint that holds it.
  void ack_message(const std::string& group, std::uint64_t position);
  /// No consumer gets it for that time. Returns how long it would have waited otherwise. Throws as ack_message().
  std::chrono::milliseconds hold_message(const std::string& group, std::uint64_t position,
                                         std::chrono::milliseconds time);

  // -- groups whose consumers go on (queue_live_groups.cpp) --
  /// False: no effect, the group is paused.
  bool pause_group(const std::string& name);
  /// False: no effect, the group is not paused.
  bool resume_group(const std::string& name);
  /// Throws Error(invalid_option) for a position that the ring does not have.
  [[nodiscard]] ResetResult reset_group(const std::string& name, const wire::ResetTarget& target);

  // -- lifetime (queue_lifetime.cpp) --
  using Clock = std::chrono::steady_clock;
  /// True for an exclusive queue whose owner's lock is free: the owner has ended. May be called while a worker has the queue.
  [[nodiscard]] bool has_lost_owner() const noexcept;
  /// The lock of a new exclusive queue, for its process. Empty when it was taken.
  [[nodiscard]] os::Fd take_owner_lock() noexcept { return std::move(owner_lock_); }
  [[nodiscard]] bool has_owner_lock() const noexcept { return static_cast<bool>(owner_lock_); }
  /// Makes `session` answer for the owner's process; 0: none does.
  void give_owner_to(std::uint64_t session) noexcept {
    record_.owner_process.session = session;
    note_change();
  }
  /// When the queue will have been unused for its expire_after. Nothing: an endpoint is attached, or the queue does not expire.
  [[nodiscard]] std::optional<Clock::time_point> expires_at() const noexcept;
  /// The time without use begins anew.
  void renew();
  /// Call it when no process could attach until `now`: the queue does not expire within the grace (k_expiry_grace_ms) from
  /// then on.
  void give_grace(Clock::time_point now) noexcept;

  // -- endpoints (queue_endpoints.cpp) --
  /// Gives a place to the process of `session`. Heals a small queue first; the caller heals a large queue, in a worker.
  /// Checks the locks of all places if none is free. Throws Error(limit_reached, not_found).
  [[nodiscard]] AttachGrant attach(const Peer& peer, std::uint64_t session, const wire::AttachRequest& request);

  /// Whether the process has sent `detach`. If not, its end is a death and is logged.
  enum class Leaving : std::uint8_t { unsaid, said };
  /// If the process at the place is gone: repairs the queue and frees the place. True if the place now has no endpoint.
  bool reap_if_dead(unsigned place, Leaving leaving = Leaving::unsaid);
  /// Whether a process still has the memory of the endpoint at the place.
  [[nodiscard]] bool is_alive(unsigned place) const noexcept {
    return record_.endpoints[place].attached && is_locked(place);
  }

  // -- lanes of producers that are gone (queue_lanes.cpp) --
  [[nodiscard]] bool has_memory_to_give_back() const noexcept {
    return lanes_to_scan_ != 0 || !parts_to_punch_.empty();
  }
  /// Scans one lane for parts that no message needs, or gives a part that was found back. True: there is more to do.
  bool give_back_some_memory() noexcept;

  // -- eviction (queue_eviction.cpp) --
  /// Evicts consumers that have blocked producers without progress for their group's evict_after_ms. Call it a few times during
  /// that time. A late tick evicts no consumer.
  void evict_stalled_consumers(RunClock::Tick tick);
  /// Evicts that consumer now, whatever it does. No effect if it is evicted. Throws Error(not_found): there is none, and
  /// Error(misuse): it acknowledges by plain stores, which no eviction can stop. `by`: who asked, for the event.
  void evict_consumer(unsigned index, const std::string& by);
  /// Tells the evictions that an earlier daemon has made, if it died before it told them.
  void tell_lost_evictions();
  /// The shortest evict_after_ms of all groups; 0: no consumer is ever evicted.
  [[nodiscard]] std::chrono::milliseconds shortest_evict_after() const noexcept;

  // -- events (queue_events.cpp) --
  /// An event about the queue, to be filled and told.
  [[nodiscard]] StoredEvent event(std::string_view kind, std::string text = {}) const;
  /// Likewise about the attached endpoint at `place`, its process and its group.
  [[nodiscard]] StoredEvent event_of_endpoint(unsigned place, std::string_view kind, std::string text = {}) const;
  /// Gives it to the journal. Any thread.
  void tell(StoredEvent event) noexcept { saved_queues_.events().add(std::move(event)); }
  /// What no request tells: producers that wait since the last look, and messages that became dead letters. Call it about once a
  /// second.
  void look_for_events() noexcept;
  /// True if look_for_events() may find something.
  [[nodiscard]] bool may_have_events() const noexcept;

  /// Heals the words that a program wrote over, and logs that. `when`: the occasion, for the log.
  void heal(std::string_view when) noexcept;

  [[nodiscard]] unsigned owner_of(unsigned place) const noexcept;
  /// The place of an endpoint by owner number and incarnation, if it is attached.
  [[nodiscard]] std::optional<unsigned> find_endpoint(unsigned owner, std::uint32_t incarnation) const noexcept;
  /// Makes `session` answer for the endpoint; 0: no session does.
  void give_endpoint_to(unsigned place, std::uint64_t session) noexcept {
    record_.endpoints[place].session = session;
    note_change();
  }

 private:
  void use_memory();
  /// After the daemon's death at any instruction: does to the shared memory what the record says.
  void reconcile() noexcept;
  // -- healing (queue_heal.cpp) --
  /// The attached endpoints, by the record.
  [[nodiscard]] recovery::Living living() const noexcept;
  void tell_of_disorder(std::string_view when, unsigned restored, const recovery::HealCounts& counts) noexcept;
  void save() {
    note_change();
    note_use();
    saved_queues_.write(saved_at_, record_);
  }
  /// Notes in the record since when no endpoint is attached.
  void note_use() noexcept;
  /// Writes what the record says of options that may change into the words of the groups. If a word has changed, posts a notice
  /// and wakes all sleepers, so that endpoints read these words again.
  void store_settings() noexcept;
  /// Consumers read the options of their groups again.
  void tell_of_settings() noexcept;
  /// Tells processes the difference of CLOCK_REALTIME and CLOCK_MONOTONIC.
  void store_clock_offset() noexcept;
  /// `whose`: for the log.
  void finish_change(const std::string& whose, std::string_view option, const std::string& value);

  [[nodiscard]] unsigned group_or_throw(const std::string& name, const std::string& operation) const;
  /// Does the reset that the record says, if it says one. Throws nothing: what cannot be saved is done again by the next daemon.
  std::optional<ring::Reset> finish_reset(unsigned index) noexcept;
  /// Frees the places of removed groups that are drained and deserted.
  void settle_groups();
  [[nodiscard]] bool has_readers() const noexcept;
  /// After a change of groups or consumers: begins or ends the count of messages that no consumer gets (QueueTotals::unread).
  void count_unread() noexcept;

  struct Place {
    unsigned index;
    os::Fd control;
  };
  [[nodiscard]] Place take_place(wire::Role role, const std::string& context);
  [[nodiscard]] std::optional<Place> try_take_place(wire::Role role, const std::string& context);
  [[nodiscard]] std::string endpoint_text(unsigned place) const;
  /// As above, with its process, by owner number; also for a number that no endpoint has.
  [[nodiscard]] std::string owner_text(unsigned owner) const;
  /// Throws what keeps an operator from the message, if anything does.
  void require_waiting(const ring::OneMessage& message, ring::Position position, const std::string& context) const;
  // -- events (queue_events.cpp) --
  void look_for_room();
  void look_for_dead_letters();
  [[nodiscard]] StoredEvent full_event(ring::Position floor) const;
  [[nodiscard]] bool is_locked(unsigned byte) const noexcept;
  /// The index of the producer's name: that of the next name if it is new. Throws Error(already_exists, limit_reached).
  [[nodiscard]] std::optional<std::uint32_t> name_for(const wire::AttachRequest& request, const std::string& context);
  [[nodiscard]] unsigned group_for(const wire::AttachRequest& request);
  [[nodiscard]] unsigned group_of(const Place& place, const wire::AttachRequest& request,
                                  unsigned named) const noexcept;
  /// The producer at the place is gone: its lane's memory is to be given back.
  void free_lane_of(unsigned place) noexcept;
  /// A producer gets the place, and the lane with whatever memory it has.
  void keep_lane_of(unsigned place) noexcept;
  /// Messages that needed parts of such lanes may be finished by now.
  void scan_rest_of_lanes() noexcept;
  void free_ownerless_lanes() noexcept;
  void find_parts_to_punch(unsigned lane) noexcept;
  void enter_group(const EndpointRecord& endpoint, Start start, wire::AttachReply& reply) noexcept;
  void make_symmetric();

  /// The floor of a group when the daemon first saw it block producers, and the consumer that keeps the floor there.
  struct Stall {
    ring::Position floor = 0;
    std::optional<unsigned> place;  ///< nothing: the group blocks no producer, or no consumer keeps its floor
    std::chrono::steady_clock::time_point since;
  };
  /// 0: never. Private groups have the queue's.
  [[nodiscard]] std::chrono::milliseconds evict_after(unsigned group) const noexcept;
  [[nodiscard]] bool holds_producers_back(ring::Position floor) const noexcept;
  /// The place of the consumer that keeps the group's floor there; nothing if no attached consumer does.
  [[nodiscard]] std::optional<unsigned> find_consumer_at(unsigned group, ring::Position floor) const noexcept;
  [[nodiscard]] std::optional<unsigned> find_holder(unsigned group, ring::Position floor) const noexcept;
  /// `why`: for the event.
  void evict(unsigned place, std::string why);
  /// Gives the messages of the evicted consumer to other consumers. Safe to repeat.
  void revoke(unsigned place) noexcept;

  std::uint64_t revision_ = next_revision();
  bool busy_ = false;
  std::vector<std::function<void()>> waiting_;
  QueueRecord record_;
  ring::Geometry geometry_;
  SavedQueues& saved_queues_;
  unsigned saved_at_ = 0;
  QueueDescriptors own_;
  os::Fd owner_lock_;  ///< until it is taken
  std::optional<Clock::time_point> no_expiry_before_;
  std::vector<int> bell_numbers_;
  os::Mapping ring_mapping_;
  os::Mapping control_mapping_;
  std::uint64_t lanes_to_scan_ = 0;  ///< by place: no producer is there, and memory may be
  std::uint64_t lanes_in_use_by_messages_ =
      0;  ///< by place: no producer is there, and messages needed a part at the last scan
  std::vector<os::SegmentRange> parts_to_punch_;  ///< of one lane
  unsigned punched_lane_ = 0;                     ///< which
  std::vector<Stall> stalls_;                     ///< by group; empty until one has evict_after_ms
  /// What look_for_events() saw the last time.
  struct LastLook {
    std::optional<ring::Position> full_at;      ///< producers wait for that floor
    bool told_full = false;                     ///< an event has said so
    std::optional<std::uint64_t> dead_letters;  ///< all so far
  };
  LastLook last_look_;
  ring::QueueMemory memory_;  ///< without the heap: nothing that the daemon does reads payloads
};

/// Takes the write lock of that byte of `control` for this very open file description. False: another description has it. Throws
/// Error(system). `context`: for errors.
[[nodiscard]] bool try_lock_byte(const os::Fd& control, unsigned byte, const std::string& context);

/// Writes what the record says of a named group's options into the group's words. True if a word has changed.
bool store_group_settings(const QueueRecord& record, const ring::QueueMemory& memory, unsigned index) noexcept;

/// Writes what the record says of stamps. True if the word has changed.
bool store_stamping(const QueueRecord& record, const ring::QueueMemory& memory) noexcept;
/// The first position whose message was published at that time of CLOCK_REALTIME or later; `tail` if all are older. Throws
/// Error(invalid_option) if there are messages and none has a stamp.
[[nodiscard]] ring::Position find_published(const ring::QueueMemory& memory, std::uint64_t published_us,
                                            const std::string& context);

/// Makes groups in free places of the record, of which there must be enough.
void make_groups(QueueRecord& record, const ring::QueueMemory& memory, const std::vector<NamedGroup>& groups,
                 Start start);

}  // namespace beltway::daemon
