// A small queue in the explorer's memory, with the real Producer and Consumer on top: what scenarios are made of. Messages
// carry a number and enough redundancy to show a torn one.
//
// Actors call publish(), receive() and so on; what they did is written down, and the checks compare it with what a drained
// queue must have given. Lives for one execution; nothing in it is ever destroyed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "beltway/consumer.hpp"
#include "beltway/producer.hpp"
#include "endpoint/attachment.hpp"
#include "explorer.hpp"
#include "ring/groups.hpp"

namespace beltway::explore {

using namespace beltway::endpoint;
using namespace beltway::ring;

struct WorldOptions {
  std::uint32_t slots = 2;
  std::uint32_t producers = 3;
  std::uint32_t consumers = 2;
  std::uint32_t groups = 0;  ///< named ones that exist from the beginning
  std::uint64_t lane_bytes = 0;
  std::uint32_t max_parked = 0;
  Position first = (1ULL << k_position_bits) - 1;  ///< just below every wrap
  bool evictable = false;                          ///< consumers may be thrown out
  bool one_bell = false;                           ///< all endpoints in event mode listen to the same bell
};

/// What one consumer got.
struct Log {
  struct Entry {
    unsigned id;
    Position position;
  };
  std::array<Entry, 64> entries{};
  unsigned count = 0;
};

class World {
 public:
  explicit World(const WorldOptions& options);

  static constexpr unsigned k_most = 8;

  QueueMemory memory;

  // -- endpoints, as the daemon makes and ends them. Consumer `c` is owner k_first_consumer + c.
  void add_producer(unsigned index);
  void add_consumer(unsigned index, unsigned group, const ConsumerOptions& options = {});
  /// A private group for consumer `index`, and the consumer.
  void add_private(unsigned index, Start start = Start::latest, GroupKind kind = GroupKind::private_reliable);
  /// What the daemon does about a dead or detached endpoint.
  void bury(unsigned owner);
  /// What the daemon does with a lane after bury(): the memory that no message needs becomes zeros.
  void give_back_lane(unsigned producer);
  /// What the daemon does about a consumer of a named group that stands still.
  void throw_out(unsigned consumer, unsigned group);

  // -- what actors do
  /// Publishes message `id`, in the lane if it is `large`. False if the queue is full.
  bool publish(unsigned producer, unsigned id, bool large = false);
  /// As publish(), of a small message with the key "k". Message and properties lie in the lane.
  bool publish_with_properties(unsigned producer, unsigned id);
  /// Waits for room, for ever or until a deadline. False if the deadline came first.
  bool publish_waiting(unsigned producer, unsigned id, bool large = false, bool patient = true);
  enum class Then : std::uint8_t { ack, nack, nack_for_long, reject, hold };
  /// Takes one message and ends it. False if there was none.
  bool receive(unsigned consumer, Then then = Then::ack);
  /// Waits for one, if `patient` for ever. Returns how it ended.
  Status receive_waiting(unsigned consumer, Then then = Then::ack, bool patient = true);
  /// The same in event mode: tries, and waits in an event loop while there is none.
  Status receive_in_a_loop(unsigned consumer, Then then = Then::ack);
  /// Publishes in event mode: tries, and waits in an event loop while there is no room.
  void publish_in_a_loop(unsigned producer, unsigned id);
  /// Up to `count` messages leased at once and held.
  unsigned receive_batch(unsigned consumer, unsigned count);
  void end_held(unsigned consumer, Then then);
  /// Extends the lease of the first message that is held.
  bool extend_held(unsigned consumer);
  /// What is held must still be what it was.
  void read_held_again(unsigned consumer);

  // -- checks: call fail(). They run the queue on, and need an idle consumer or producer index for it.
  /// Drains `consumer`: it must have got each message once, in order.
  void check_private(unsigned consumer, bool gapless = true);
  /// The same for one that joined meanwhile: each message from the first that it got on, and all that were published after
  /// joined() was called.
  void check_joined(unsigned consumer);
  /// The same for a named group, drained by consumer `by`. `gapless`: false if some may be GONE before they are read.
  void check_joined_group(unsigned group, unsigned by, bool gapless = true);
  /// The group whose messages check_joined() is about is there.
  void joined() noexcept { joined_ = true; }
  /// Drains named group `group` by way of consumer `by`: each message was acknowledged once. `unsure`: acks that were done by
  /// one who did not live to tell.
  void check_named(unsigned group, unsigned by, unsigned unsure = 0);
  /// Nobody sleeps though there is something for it. `actor` runs producer or consumer `owner`.
  void check_sleeper(unsigned actor, unsigned owner);
  /// Messages go through, several laps.
  void check_usable(unsigned producer, unsigned consumer);

  std::array<std::unique_ptr<Producer>, k_most> producers;
  std::array<std::unique_ptr<Consumer>, k_most> consumers;
  std::array<Log, k_most> got;       // by consumer, in order
  std::array<bool, 64> tried{};      // message ids that somebody tried to publish
  std::array<bool, 64> published{};  // that were published for sure
  std::array<unsigned, 64> acked{};  // how often an ack was ours
  bool moves_are_closed = false;     // the dead letter queue is full
  std::array<unsigned, 64> moved{};  // by position, modulo 64: how often the message came to the dead letter queue

 private:
  Status lend_and_commit(unsigned producer, const Bytes& message);
  void drain(unsigned consumer);
  void take(unsigned consumer, Message& message, Then then);
  void end(unsigned id, Message& message, Then then);
  Attachment attachment(unsigned owner);
  void begin(unsigned id) noexcept {
    tried[id] = true;
    after_join_[id] = joined_;
  }

  const bool evictable_;
  std::array<int, 2 * k_most> bells_{};
  std::array<bool, k_most> ended_{};  // the consumer was told of the end of the stream
  bool joined_ = false;
  std::array<bool, 64> with_properties_{};
  std::array<bool, 64> after_join_{};  // tried when the join was over
  std::array<std::array<Message, 8>, k_most> held_;
  std::array<std::array<unsigned, 8>, k_most> held_ids_{};
  std::array<unsigned, k_most> held_count_{};
};

/// A scenario over a World: `setup` adds endpoints and actors.
[[nodiscard]] Scenario scenario(std::string name, const WorldOptions& options, const Bounds& bounds,
                                std::function<void(World&)> setup, std::function<void(World&)> check);

}  // namespace beltway::explore
