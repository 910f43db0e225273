// One endpoint's place in a queue: what a connection hands to a new producer or consumer, and all that these know of
// the world outside shared memory. Tests make one over plain memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "beltway/consumer.hpp"
#include "beltway/options.hpp"
#include "beltway/producer.hpp"
#include "endpoint/standing.hpp"
#include "ring/queue_memory.hpp"
#include "waiting/spin_policy.hpp"

namespace beltway::endpoint {

class DeadLetters;

struct Attachment {
  ring::QueueMemory memory;
  unsigned owner = 0;  ///< producers 0 to 63, consumers k_first_consumer + 0 to 63
  std::string queue_name;

  /// Named producers only: the index of their sequence record.
  std::optional<std::uint32_t> sequence_record = std::nullopt;

  // Consumers only.
  std::string group_name;  ///< empty: private
  unsigned group = 0;      ///< index in the control segment
  ring::GroupKind kind = ring::GroupKind::private_reliable;
  std::uint32_t group_incarnation = 0;
  ring::Position start = 0;                   ///< private groups: the floor that the daemon gave it
  bool evictable = false;                     ///< its group has evict_after_ms; never for lossy ones
  std::shared_ptr<DeadLetters> dead_letters;  ///< named groups: where failed messages go; null: nowhere now

  /// Producers that had come and gone when the daemon attached it. Nothing: as many as have when the consumer is made.
  std::optional<std::uint64_t> producers_ended;

  Standing standing;  ///< whether the daemon knows the endpoint; says yes if there is no daemon (tests)

  /// Keeps mappings, bells and the connection. Its destruction unmaps and tells the daemon of the detach.
  std::shared_ptr<const void> hold;
};

/// Wrap an attachment in the public types. Throw Error(system) if the endpoint's private epoll descriptor cannot be made.
[[nodiscard]] Producer make_producer(Attachment attachment, const ProducerOptions& options);
[[nodiscard]] Consumer make_consumer(Attachment attachment, const ConsumerOptions& options);
/// With another policy than the options say: for tests.
[[nodiscard]] Consumer make_consumer(Attachment attachment, const ConsumerOptions& options,
                                     const waiting::SpinPolicy& policy);

/// A consumer that attaches again when it was evicted: see reattachment.hpp. `attach_again` may throw Error.
[[nodiscard]] Consumer make_reattaching_consumer(Attachment attachment, const ConsumerOptions& options,
                                                 std::function<Attachment()> attach_again);

}  // namespace beltway::endpoint
