// All queues of the daemon, by name and by id, with the quotas of their users, and the endpoints whose death is awaited.
//
// Invariants: an id is never used again, also not by another daemon (they start at random places below 2^53); a name
// belongs to one queue; what a user holds counts for the owner of the queue.
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
#include <vector>

#include "beltway/limits.hpp"
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

class Registry {
 public:
  /// Takes over the queues that an earlier daemon has left in `keep`, repairs who died meanwhile, and awaits the death of those
  /// who live until they say that they are there (resume).
  /// `workers` do what takes long; without them everything is done at once.
  Registry(const Quotas& quotas, SavedQueues& keep, Workers* workers = nullptr);

  struct Declared {
    Queue& queue;
    bool created;
    std::vector<OptionChange> changed = {};
  };
  /// Names of options, see `said` in protocol.hpp.
  using Said = std::optional<std::vector<std::string>>;
  /// Makes the queue, or finds it with these options, makes missing groups, and changes what `said` asks for and can be changed.
  /// Throws Error(invalid_option, already_exists, no_permission, limit_reached, system) before it does anything.
  Declared declare(const Peer& peer, const std::string& name, const QueueOptions& options, const Said& said = {});
  /// The same for a connection, which a large queue would keep waiting: nothing, and `again` is called when it is there, or
  /// could not be made; then ask again. Two who declare one name at once get one queue. Memory counts for the user's
  /// quota from the beginning.
  std::optional<Declared> declare(const Peer& peer, std::uint64_t session, const std::string& name,
                                  const QueueOptions& options, const Said& said, std::function<void()> again);

  /// Makes those groups that are missing. Throws as declare().
  void add_groups(const Peer& peer, Queue& queue, const std::vector<NamedGroup>& groups, Start start,
                  const std::string& operation);

  /// Error(not_found), Error(removed). `operation`: for the message.
  [[nodiscard]] Queue& find(const std::string& name, const std::string& operation) const;
  [[nodiscard]] Queue& find(std::uint64_t id, const std::string& operation) const;
  [[nodiscard]] Queue* try_find(std::uint64_t id) const noexcept;

  /// Queues that an earlier daemon has left and that this program cannot read. Every request for one of them is refused with
  /// Error(incompatible), which says why and what to do.
  [[nodiscard]] const std::vector<HeldQueue>& held() const noexcept { return keep_.held(); }

  /// Tells all who are attached, and forgets the queue. Its memory is free when they have let go.
  void remove(const std::string& name) noexcept;
  void remove_all() noexcept;

  [[nodiscard]] const std::map<std::string, std::unique_ptr<Queue>>& queues() const noexcept { return queues_; }

  /// An occasion to look whether a process is gone: its connection ended, or the kernel says that it ended. Of `endpoints`, those
  /// of the connection that are still mapped belong to nobody from now on, and their death is awaited.
  void session_ended(std::uint64_t session, const std::vector<protocol::EndpointName>& endpoints);
  /// The same for one endpoint that its process says it has unmapped.
  void detach(std::uint64_t session, const protocol::EndpointName& name);
  enum class Resumed : std::uint8_t {
    ok,
    gone,     ///< the queue is not known (one that is held is), or the endpoint has ended
    refused,  ///< another process's
  };
  /// An endpoint that is this process's belongs to `session` from now on. The process's number decides: the kernel gives it to
  /// nobody else while the process lives, whatever user the process has become since. Numbers that the daemon
  /// cannot see (pid 0) prove nothing, so there the user must be the same, too.
  [[nodiscard]] Resumed resume(const Peer& peer, std::uint64_t session, const protocol::EndpointName& name);

  /// Gives a part of the memory back that producers who are gone have left. True: there is more.
  bool give_back_some_memory() noexcept;
  [[nodiscard]] bool has_memory_to_give_back() const noexcept;

  /// A producer is about to fill its lane. Returns what others have been promised and not filled.
  std::uint64_t promise_lane(const protocol::EndpointName& name, std::uint64_t bytes);
  /// It has.
  void lane_is_filled(std::uint64_t session, const protocol::EndpointName& name) noexcept;

  /// Throws out who stands still (evict_after_ms). Returns how soon to look again; zero: no queue asks for it. `wall`: now. A
  /// call that comes later than the last one asked for means a time in which nobody ran (see RunClock).
  std::chrono::milliseconds evict_who_stands_still(
      std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now());

  /// For an endpoint of a process whose end nobody tells the daemon (another pid namespace on an old kernel, a sandbox without
  /// pidfds): its lock is asked for as long as it is attached, whether a connection answers for it or not.
  void watch_by_lock(const protocol::EndpointName& name);

  /// Looks at those whose death is awaited, for a few milliseconds. Returns how many are left: look again later, or at once if
  /// is_looking().
  std::size_t reap_pending();
  /// `freed` is called whenever a worker has done with a queue: pending_deaths of it may be waiting.
  void when_freed(std::function<void()> freed) { freed_ = std::move(freed); }
  /// The last look did not come to its end.
  [[nodiscard]] bool is_looking() const noexcept { return next_pending_.has_value(); }

  /// Does `work` on a large queue in a worker, then calls `done` here; meanwhile the queue is busy. At once if the queue is
  /// small, or there are no workers.
  void run_beside(Queue& queue, std::function<void()> work, std::function<void()> done);
  [[nodiscard]] std::size_t pending_deaths() const noexcept { return pending_.size(); }
  /// The processes whose endpoints no connection answers for, each once.
  [[nodiscard]] std::set<int> orphans() const;
  /// A queue may ask for evictions: call evict_who_stands_still().
  [[nodiscard]] bool may_evict() const noexcept { return !evicting_.empty(); }

 private:
  void check_quota(const Peer& peer, const std::string& what, std::uint64_t bytes) const;
  void restore(SavedQueues::SavedQueue kept);
  [[nodiscard]] const HeldQueue* find_held(std::string_view name) const noexcept;
  [[nodiscard]] const HeldQueue* find_held(std::uint64_t id) const noexcept;
  [[noreturn]] static void refuse(const HeldQueue& held, const std::string& operation);
  Declared open_existing(const Peer& peer, Queue& queue, const QueueOptions& options, const Said& said);
  [[nodiscard]] QueueRecord new_record(const Peer& peer, const std::string& name, const QueueOptions& options);
  Queue& publish(NewQueue made);
  /// A queue that a worker makes.
  struct Making {
    std::uint64_t session = 0;  ///< who asked first, and gets what comes of it
    std::uint32_t owner_uid = 0;
    std::uint64_t bytes = 0;
    std::vector<std::function<void()>> waiting = {};
    bool is_over = false;
    std::optional<Error> failure = {};
  };
  void make_later(QueueRecord record, std::uint64_t session, std::function<void()> again);
  void finish_making(const std::string& name, std::optional<NewQueue> made, std::optional<Error> failure);
  void release(std::unique_ptr<Queue> queue) noexcept;
  /// Whether nobody is there (any more). A large queue is repaired by a worker; until that is done somebody is.
  bool reap_if_dead(Queue& queue, unsigned place, Queue::Leaving leaving = Queue::Leaving::unsaid);
  struct PendingDeath;
  /// True: no suspect any more.
  bool look_at(const protocol::EndpointName& name, PendingDeath& pending);

  Quotas quotas_;
  SavedQueues& keep_;
  Workers* workers_;
  RunClock run_clock_;
  std::uint64_t last_id_;
  std::map<std::string, std::unique_ptr<Queue>> queues_;
  std::map<std::uint64_t, Queue*> by_id_;
  std::map<std::string, Making> making_;
  std::set<std::uint64_t> evicting_;  ///< ids of queues that may ask for evictions
  /// Endpoints whose locks must be asked for, since no event may tell that they are gone. `always`: see watch_by_lock();
  /// the others, only while no connection answers for them.
  struct ByName {
    bool operator()(const protocol::EndpointName& a, const protocol::EndpointName& b) const noexcept {
      return std::tie(a.queue, a.endpoint, a.incarnation) < std::tie(b.queue, b.endpoint, b.incarnation);
    }
  };
  struct PendingDeath {
    bool always = false;
    std::uint64_t ended = 0;  ///< this connection has ended, and the endpoint may have been its own
  };
  std::map<protocol::EndpointName, PendingDeath, ByName> pending_;
  std::optional<protocol::EndpointName> next_pending_;
  std::function<void()> freed_;
  Promises promises_;
};

}  // namespace beltway::daemon
