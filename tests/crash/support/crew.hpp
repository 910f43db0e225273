// The living endpoints of a world: the library's own Producer and Consumer objects over its memory, as a process would have
// them, and the journal entries around each of their operations.
//
// Thread safety: none. A crew must be gone before its world.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "beltway/consumer.hpp"
#include "beltway/producer.hpp"
#include "ring/wake.hpp"
#include "world.hpp"

namespace beltway::crash {

using namespace beltway::ring;

/// Makes the groups of a world's shape, and every endpoint attached in shared memory, as the daemon does.
void found(World& world);

/// Marks an endpoint attached; consumers: with its group.
void attach(World& world, unsigned owner, unsigned group = 0);

/// Whether the daemon has said that `owner` is thrown out.
[[nodiscard]] bool is_evicted(const World& world, unsigned owner) noexcept;
/// What the daemon does to throw `owner` out.
void evict(World& world, unsigned owner);

class Crew {
 public:
  explicit Crew(World& world) : world_(world) {}

  /// Made at first use, over what the world then says.
  Producer& producer(unsigned owner);
  Consumer& consumer(unsigned owner, bool lossy = false, std::uint32_t prefetch = 0);
  [[nodiscard]] World& world() noexcept { return world_; }
  /// Drops the object, so that the next use makes a new one.
  void forget(unsigned owner) {
    producers_.erase(owner);
    consumers_.erase(owner);
  }
  /// Who is frozen while others go on.
  [[nodiscard]] unsigned actor() const noexcept { return actor_; }
  void set_actor(unsigned owner) noexcept { actor_ = owner; }

  // Operations, with their journal.
  Status publish(unsigned owner, std::uint64_t id, std::uint32_t size);
  /// With the message's id as its sequence number.
  Status publish_sequenced(unsigned owner, std::uint64_t id, std::uint32_t size);
  Status publish_until(unsigned owner, std::uint64_t id, const Until& until);
  Result<std::size_t> publish_batch(unsigned owner, std::uint64_t id, std::size_t count, std::uint32_t size);
  Status publish_loan(unsigned owner, std::uint64_t id, std::uint32_t size);
  /// Receives one message as the private consumer.
  Status read();
  std::size_t read_batch();
  /// Receives as a consumer of the named group, and acknowledges, or gives back.
  Status lease(unsigned owner, bool ack);
  /// Leases a message and rejects it.
  Status reject(unsigned owner);
  /// Leases a message and gives it back with a delay.
  Status lease_and_delay(unsigned owner);
  /// Holds a message for longer than its group allows, then takes what comes next, and ends both.
  Status lease_and_hang(unsigned owner);
  std::size_t lease_batch(unsigned owner, unsigned nack_mask);
  std::size_t lease_and_ack_batch(unsigned owner);
  /// Receives as the lossy consumer.
  Status read_lossy();
  /// Likewise, once ask_for_newest() was called: the newest message alone.
  Status read_newest();
  void ask_for_newest() noexcept { conflates_ = true; }

  /// Journals a message that `owner` received, and lets go of it or acknowledges it.
  void note_and_end(Message& message, unsigned owner);
  /// k_joiner attaches: to the other named group, which is made for it, or with a private one.
  void join_newcomer(GroupKind kind, Start start);
  /// It reads what is there for it.
  void read_newcomer();
  /// It reads the rest and detaches; its named group goes, too.
  void newcomer_leaves();
  /// `owner` receives a message and keeps it until release(), which looks whether it is still the same.
  void hold(unsigned owner);
  void release();
  /// As lease() in two parts: `owner` takes a message of the named group, and ends it later.
  Status take(unsigned owner);
  void end_taken(unsigned owner, bool ack);
  void wake_up(unsigned owner);
  /// From here on, a wake of `owner` counts.
  void note_wakes(unsigned owner);
  /// Says that `owner` sleeps: its thread is in the kernel until its bell rings.
  void sleep(unsigned owner, Position past = 0, bool busy = false);

 private:
  /// False if the message is no one's any more, which only who was thrown out may see.
  bool note_read(const Message& message);
  bool note_leased(const Message& message, unsigned owner);
  void end_lease(Message& message, unsigned owner, bool ack);

  World& world_;
  unsigned actor_ = k_nobody;
  bool conflates_ = false;
  std::optional<Position> last_newest_;
  std::vector<Message> held_;  // before their consumers: let go of after them, as an application may
  std::vector<std::uint64_t> held_ids_;
  std::map<unsigned, Message> taken_;  // by consumer: dropped before their consumers
  std::map<unsigned, Producer> producers_;
  std::map<unsigned, Consumer> consumers_;
};

}  // namespace beltway::crash
