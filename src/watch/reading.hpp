// Reads the few words of a mapped queue that a line of a list needs: no slots but those at the floors.
//
// The memory is input: each word is read once, and measured against the geometry. Words of a peer that scribbles give wrong
// numbers, nothing worse; each call does a bounded number of steps.
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ring/queue_memory.hpp"
#include "watch/model.hpp"
#include "wire/protocol.hpp"

namespace beltway::watch {

/// Sums over all endpoints since the queue was made. A count may lag behind for a moment when an endpoint ends.
struct Sums {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t lost = 0;
};

struct Reading {
  Counts counts = {};  ///< all counters: those of Sums as of now, the others as of the last reading of all of them
  std::uint64_t position = 0;
  std::uint64_t used = 0;
  bool removed = false;
  bool producers_sleep = false;  ///< some producer waits for room
  Sums sums;
  struct Group {
    std::uint64_t lag = 0;
    std::uint64_t messages_out = 0;  ///< received by its consumers since the first reading
    std::optional<Nanoseconds> oldest_age = {};
  };
  std::vector<Group> groups;  ///< of the description
  struct PrivateConsumer {
    unsigned index = 0;
    std::uint64_t lag = 0;
    std::optional<Nanoseconds> oldest_age = {};
  };
  std::vector<PrivateConsumer> private_consumers;  ///< the reliable ones
};

class Reader {
 public:
  explicit Reader(const ring::QueueMemory& memory);

  /// What the daemon says of the queue: which endpoint belongs to which group.
  void describe(const wire::Description& description);
  /// Valid until the next call.
  [[nodiscard]] const Reading& read();

 private:
  struct Consumer {
    std::uint64_t messages = 0;  ///< as of the last reading
    Sums sums = {};
    int group = -1;  ///< index in Reading::groups
  };
  void read_all_counters(const QueueTotals& gone);
  void read_producers(Sums& sums);
  void read_consumers(Sums& sums);
  void read_group(std::size_t index, unsigned place, ring::Position tail);
  void read_private(Reading::PrivateConsumer& consumer, ring::Position tail);
  [[nodiscard]] std::optional<Nanoseconds> age_of_first(ring::Position from, ring::Position tail) const;

  ring::QueueMemory memory_;
  Reading reading_;
  std::vector<unsigned> places_;              ///< of the groups, in shared memory
  std::vector<unsigned> leaving_;             ///< likewise, of those that were removed
  std::vector<ring::Position> needed_;        ///< of each group: the first position that was not over
  std::vector<unsigned> attached_producers_;  ///< indexes
  std::vector<unsigned> attached_consumers_;  ///< likewise
  std::vector<Consumer> consumers_;           ///< by index
  std::vector<Sums> producers_;               ///< by index
  std::uint64_t readings_ = 0;
};

}  // namespace beltway::watch
