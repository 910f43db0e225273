// All queues of the daemon, by name and by id, with the quotas of their users, and the endpoints whose death is awaited.
//
// Invariants: an id is never used again, also not by another daemon (they start at random places below 2^53); a name
// belongs to one queue; what a user holds counts for the owner of the queue.
// Ownership: owns the queues. Thread safety: the daemon's one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "beltway/limits.hpp"
#include "peer.hpp"
#include "promises.hpp"
#include "queue.hpp"

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
  Registry(const Quotas& quotas, Keep& keep);

  struct Declared {
    Queue& queue;
    bool created;
  };
  /// Makes the queue, or finds it with these options and makes missing groups.
  /// Throws Error(invalid_option, already_exists, no_permission, limit_reached, system).
  Declared declare(const Peer& peer, const std::string& name, const QueueOptions& options);

  /// Makes those groups that are missing. Throws as declare().
  void add_groups(const Peer& peer, Queue& queue, const std::vector<NamedGroup>& groups, Start start,
                  const std::string& operation);

  /// Error(not_found), Error(removed). `operation`: for the message.
  [[nodiscard]] Queue& find(const std::string& name, const std::string& operation) const;
  [[nodiscard]] Queue& find(std::uint64_t id, const std::string& operation) const;
  [[nodiscard]] Queue* try_find(std::uint64_t id) const noexcept;

  /// Tells all who are attached, and forgets the queue. Its memory is free when they have let go.
  void remove(const std::string& name) noexcept;
  void remove_all() noexcept;

  [[nodiscard]] const std::map<std::string, std::unique_ptr<Queue>>& queues() const noexcept { return queues_; }

  /// An occasion to look whether a process is gone: its connection ended, or the kernel says that it ended. Endpoints that are
  /// still mapped belong to nobody from now on, and their death is awaited.
  void session_ended(std::uint64_t session);
  /// The same for one endpoint that its process says it has unmapped.
  void detach(std::uint64_t session, const protocol::EndpointName& name);
  /// Whether the endpoint is known, of this user and process; then it belongs to `session`.
  [[nodiscard]] bool resume(const Peer& peer, std::uint64_t session, const protocol::EndpointName& name);

  /// Gives a part of the memory back that producers who are gone have left. True: there is more.
  bool give_back_some_memory() noexcept;
  [[nodiscard]] bool has_memory_to_give_back() const noexcept;

  /// A producer is about to fill its lane. Returns what others have been promised and not filled.
  std::uint64_t promise_lane(const protocol::EndpointName& name, std::uint64_t bytes);
  /// It has.
  void lane_is_filled(std::uint64_t session, const protocol::EndpointName& name) noexcept;

  /// Throws out who stands still (evict_after_ms). Returns how soon to look again; zero: no queue asks for it.
  std::chrono::milliseconds evict_who_stands_still();

  /// Looks at all whose death is awaited. Returns how many are still there: look again later.
  std::size_t look_at_suspects();
  [[nodiscard]] std::size_t suspects() const noexcept { return suspects_.size(); }
  /// The processes whose endpoints no connection answers for, each once.
  [[nodiscard]] std::set<int> orphans() const;

 private:
  void check_quota(const Peer& peer, const std::string& what, std::uint64_t bytes) const;
  void restore(Keep::Kept kept);
  Declared open_existing(const Peer& peer, Queue& queue, const QueueOptions& options);

  Quotas quotas_;
  Keep& keep_;
  std::uint64_t last_id_;
  std::map<std::string, std::unique_ptr<Queue>> queues_;
  std::map<std::uint64_t, Queue*> by_id_;
  std::vector<protocol::EndpointName> suspects_;
  Promises promises_;
};

}  // namespace beltway::daemon
