// All queues of the daemon, by name and by id, with the quotas of their users, and the endpoints whose death is awaited.
//
// Invariants: an id is never used again, also not by another daemon (they start at random places below 2^53); a name belongs to
// one queue; memory and queues count for the quota of the queue's owner.
// Ownership: owns the queues. Thread safety: the daemon's one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "beltway/limits.hpp"
#include "queues/dead_letter_links.hpp"
#include "queues/peer.hpp"
#include "queues/promises.hpp"
#include "queues/queue.hpp"
#include "queues/run_clock.hpp"
#include "queues/workers.hpp"

namespace beltway::daemon {

struct Quotas {
  std::uint32_t queues_per_user = k_default_max_queues_per_user;
  std::uint64_t bytes_per_user = k_default_max_bytes_per_user;
  std::uint32_t connections_per_user = k_default_max_connections_per_user;
};

/// What a user's queues take of its quota.
struct QuotaUse {
  std::uint64_t queues = 0;
  std::uint64_t bytes = 0;
};

class Registry {
 public:
  /// Takes over the queues in `keep`, repairs dead endpoints, and watches living ones until they send resume. `workers` do long
  /// jobs; without workers all is done at once.
  Registry(const Quotas& quotas, SavedQueues& saved_queues, Workers* workers = nullptr);

  struct Declared {
    Queue& queue;
    bool created;
    std::vector<OptionChange> changed = {};
  };
  /// Names of options, see `said` in protocol.hpp.
  using Said = std::optional<std::vector<std::string>>;
  /// Makes the queue, or opens one with these options. Makes missing groups. Changes the options in `said` that may change.
  /// Throws Error(invalid_option, already_exists, no_permission, limit_reached, system) before it does anything.
  /// `session`: answers for the process of an exclusive queue.
  Declared declare(const Peer& peer, const std::string& name, const QueueOptions& options, const Said& said = {},
                   std::uint64_t session = 0);
  /// Does not wait for a large queue. Returns nothing if a worker makes it; `again` is called when that job ends, then call
  /// again. Two declares of one name share one job. The quota is charged at once.
  std::optional<Declared> declare(const Peer& peer, std::uint64_t session, const std::string& name,
                                  const QueueOptions& options, const Said& said, std::function<void()> again);

  /// Makes those groups that are missing. Throws as declare().
  void add_groups(const Peer& peer, Queue& queue, const std::vector<NamedGroup>& groups, Start start,
                  const std::string& operation);

  /// Error(not_found), Error(removed). `operation`: for the message. An exclusive queue whose process has ended is removed.
  [[nodiscard]] Queue& find(const std::string& name, const std::string& operation);
  [[nodiscard]] Queue& find(std::uint64_t id, const std::string& operation);
  [[nodiscard]] Queue* try_find(std::uint64_t id) const noexcept;

  /// Queues that an earlier daemon has left and that this program cannot read. Every request for one of them is refused with
  /// Error(incompatible), which says why and what to do.
  [[nodiscard]] const std::vector<HeldQueue>& held() const noexcept { return saved_queues_.held(); }

  /// Notifies all attached endpoints and forgets the queue. Its memory is free when they have unmapped it.
  void remove(const std::string& name) noexcept;
  void remove_all() noexcept;

  // -- dead letters (registry_dead_letters.cpp) --
  /// The queue has come or gone: the description of those that send their dead letters to it changes.
  void note_change_of_sources(const std::string& queue) noexcept;
  /// Throws Error(misuse), which names them, if other queues send their dead letters to the queue.
  void require_no_sources(const Peer& peer, const Queue& queue) const;
  /// As Queue::remove_group(). Without `force`, throws Error(misuse) for the last group of a queue that gets dead letters.
  void remove_group(const Peer& peer, Queue& queue, const std::string& group, bool force);
  /// With endpoints, and with what the queue alone does not know.
  [[nodiscard]] wire::Description description_of(const Queue& queue) const;

  [[nodiscard]] const std::map<std::string, std::unique_ptr<Queue>>& queues() const noexcept { return queues_; }
  [[nodiscard]] const Removals& removals() const noexcept { return removals_; }

  /// Call it when a connection or process has ended. Of `endpoints`, those still mapped lose their session, and the daemon
  /// awaits their deaths.
  void session_ended(std::uint64_t session, const std::vector<wire::EndpointName>& endpoints);
  /// The same for one endpoint that its process says it has unmapped.
  void detach(std::uint64_t session, const wire::EndpointName& name);
  enum class Resumed : std::uint8_t {
    ok,
    gone,     ///< the queue is unknown (a held queue is known), or the endpoint has ended
    refused,  ///< the endpoint of another process
  };
  /// The endpoints of this process belong to `session` from now on. The pid decides: the kernel gives it to no other process
  /// while this one lives, whatever user it has become since. A pid that the daemon cannot see (0) proves nothing: then the
  /// user must be the same, too.
  [[nodiscard]] Resumed resume(const Peer& peer, std::uint64_t session, const wire::EndpointName& name);

  /// Gives back a part of the memory of producers that are gone. True if more is left.
  bool give_back_some_memory() noexcept;
  [[nodiscard]] bool has_memory_to_give_back() const noexcept;

  /// A producer is about to fill its lane. Returns the bytes that were promised to other producers and are not filled yet.
  std::uint64_t promise_lane(const wire::EndpointName& name, std::uint64_t bytes);
  /// The producer has filled its lane: its promise ends.
  void lane_is_filled(std::uint64_t session, const wire::EndpointName& name) noexcept;

  // -- lifetimes (registry_lifetimes.cpp) --
  /// Removes the queues that have been unused for their expire_after. Returns when to call again; nothing: no queue expires. A
  /// call that comes more than a second late means that no process ran meanwhile: queues get their grace then.
  std::optional<Queue::Clock::time_point> remove_expired(Queue::Clock::time_point now = Queue::Clock::now());
  /// Once after a queue with expire_after has come: call remove_expired(), it may be due before all others.
  [[nodiscard]] bool has_new_expiry() noexcept { return std::exchange(new_expiry_, false); }

  /// Evicts consumers that block producers for longer than evict_after. Returns when to call again; zero if no queue asks. A
  /// late call means that the machine slept (RunClock). `wall`: now.
  std::chrono::milliseconds evict_stalled_consumers(
      std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now());

  /// For processes whose end no event tells (another pid namespace on an old kernel, a sandbox without pidfds): tests this
  /// endpoint's lock as long as it is attached.
  void watch_by_lock(const wire::EndpointName& name);

  // -- events (registry_events.cpp) --
  [[nodiscard]] EventJournal& events() noexcept { return saved_queues_.events(); }
  /// Looks for what no request tells (Queue::look_for_events), in all queues. Call it about once a second while
  /// may_have_events().
  void look_for_events() noexcept;
  [[nodiscard]] bool may_have_events() const noexcept { return may_have_events_; }
  /// An endpoint has attached.
  void expect_events() noexcept { may_have_events_ = true; }

  /// Tests pending deaths for a few milliseconds. Returns how many are left. If has_more_to_reap(), call again at once, else
  /// later.
  std::size_t reap_pending();
  /// `freed` is called when a worker has finished with a queue: pending deaths in that queue may wait for it.
  void when_freed(std::function<void()> freed) { freed_ = std::move(freed); }
  /// True if reap_pending() stopped before its end.
  [[nodiscard]] bool has_more_to_reap() const noexcept { return next_pending_.has_value(); }

  /// Runs `work` on a large queue in a worker, then calls `done` in this thread; the queue is busy meanwhile. Runs it at once
  /// if the queue is small, or without workers.
  void run_beside(Queue& queue, std::function<void()> work, std::function<void()> done);
  [[nodiscard]] std::size_t pending_deaths() const noexcept { return pending_.size(); }
  /// The processes that have endpoints without a connection, each once.
  [[nodiscard]] std::set<int> orphans() const;
  /// A queue may ask for evictions: call evict_stalled_consumers().
  [[nodiscard]] bool may_evict() const noexcept { return !evicting_.empty(); }
  [[nodiscard]] const Quotas& quotas() const noexcept { return quotas_; }
  /// Queues that are just being made count, too.
  [[nodiscard]] QuotaUse use_of(std::uint32_t uid) const;

 private:
  struct PendingDeath;
  /// Removes queues whose processes have ended before it refuses. Throws Error(limit_reached).
  void check_quota(const Peer& peer, const std::string& context, std::uint64_t bytes);
  [[nodiscard]] std::optional<Error> beyond_quota(const Peer& peer, const std::string& context,
                                                  std::uint64_t bytes) const;
  // -- lifetimes (registry_lifetimes.cpp) --
  /// Null if there is none, or none any more.
  [[nodiscard]] Queue* find_lasting(const std::string& name);
  /// True: the exclusive queue's process has ended, and the queue is removed.
  bool remove_without_owner(Queue& queue) noexcept;
  void remove_all_without_owner() noexcept;
  /// The queue is exclusive, and a declare says so: only its process may.
  static void require_owner_process(const Peer& peer, const Queue& queue, std::uint64_t session);
  /// After a change: registers the queue for eviction and expiry, if it has either, and its dead letter queues.
  void note_watched(const Queue& queue);
  /// As try_reap(), for the process of an exclusive queue.
  bool try_reap_owner(Queue& queue, PendingDeath& pending);
  /// The first event of this daemon.
  void tell_start(std::size_t taken_over) noexcept;
  [[nodiscard]] static Resumed resume_owner(const Peer& peer, std::uint64_t session, Queue& queue);
  /// The process behind that name; 0: none, or not known.
  [[nodiscard]] static int process_of(const Queue& queue, const wire::EndpointName& name) noexcept;
  /// The name under which the end of an exclusive queue's process is awaited.
  [[nodiscard]] static wire::EndpointName owner_name(const Queue& queue) noexcept {
    return {queue.record().id, wire::k_queue_owner, 0};
  }

  /// The queues that send their dead letters to `target`; those that the peer may not see as a number. Empty: none.
  [[nodiscard]] std::string sources_text(const Peer& peer, const std::string& target) const;

  void restore(SavedQueues::SavedQueue saved);
  [[nodiscard]] const HeldQueue* find_held(std::string_view name) const noexcept;
  [[nodiscard]] const HeldQueue* find_held(std::uint64_t id) const noexcept;
  [[noreturn]] static void refuse(const HeldQueue& held, const std::string& operation);
  Declared open_existing(const Peer& peer, Queue& queue, const QueueOptions& options, const Said& said,
                         std::uint64_t session);
  [[nodiscard]] QueueRecord new_record(const Peer& peer, std::uint64_t session, const std::string& name,
                                       const QueueOptions& options);
  Queue& publish(NewQueue made);
  /// A queue that a worker makes.
  struct Making {
    std::uint64_t session = 0;  ///< the session that asked first and gets the result
    std::uint32_t owner_uid = 0;
    std::uint64_t bytes = 0;
    std::vector<std::function<void()>> waiting = {};
    bool is_over = false;
    std::optional<Error> failure = {};
  };
  void make_later(QueueRecord record, std::uint64_t session, std::function<void()> again);
  void finish_making(const std::string& name, std::optional<NewQueue> made, std::optional<Error> failure);
  void release(std::unique_ptr<Queue> queue) noexcept;
  /// True if the place is free, or was repaired just now. False while a worker repairs it.
  bool reap_if_dead(Queue& queue, unsigned place, Queue::Leaving leaving = Queue::Leaving::unsaid);
  /// True: remove it from pending_.
  bool try_reap(const wire::EndpointName& name, PendingDeath& pending);

  Quotas quotas_;
  SavedQueues& saved_queues_;
  Workers* workers_;
  RunClock run_clock_;
  std::uint64_t last_id_;
  std::map<std::string, std::unique_ptr<Queue>> queues_;
  std::map<std::uint64_t, Queue*> by_id_;
  std::map<std::string, Making> making_;
  DeadLetterLinks links_;             ///< of all queues in queues_
  std::set<std::uint64_t> expiring_;  ///< ids of queues with expire_after
  std::optional<Queue::Clock::time_point> next_expiry_;
  bool new_expiry_ = false;
  std::set<std::uint64_t> evicting_;  ///< ids of queues that may ask for evictions
  /// Endpoints whose locks must be asked for, since no event may tell that they are gone. `always`: see watch_by_lock();
  /// the others, only while no connection answers for them.
  struct ByName {
    bool operator()(const wire::EndpointName& a, const wire::EndpointName& b) const noexcept {
      return std::tie(a.queue, a.endpoint, a.incarnation) < std::tie(b.queue, b.endpoint, b.incarnation);
    }
  };
  struct PendingDeath {
    bool always = false;
    std::uint64_t ended = 0;  ///< the connection that ended and may have owned the endpoint
  };
  std::map<wire::EndpointName, PendingDeath, ByName> pending_;
  std::optional<wire::EndpointName> next_pending_;
  std::function<void()> freed_;
  bool may_have_events_ = false;
  Removals removals_;
  Promises promises_;
};

}  // namespace beltway::daemon
