// What a daemon leaves to the next one: its queues' descriptors, in the store, and their records, in the registry segment.
// Nothing of it is ever read from memory that a client can write.
//
// A queue has a place, 0 to k_max_places - 1. Its descriptors are named after it, "<place><part>" in base 36, two characters
// each; part 0 is the ring, 1 the heap, 2 control, 3 and on the bells. In this order things are done, so that a daemon
// killed between any two of them leaves nothing ambiguous:
//   declare:  descriptors, then record.   Descriptors without a record are nobody's: dropped by the next daemon.
//   change:   record, then memory.        The next daemon does to the memory what the record says (Queue::reconcile).
//   remove:   record says removing, memory says removed, record cleared, descriptors dropped.
//
// Without a store nothing is kept, and every call succeeds.
// Ownership: the registry segment; the store is the server's and outlives this. Thread safety: the daemon's one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record_segment.hpp"
#include "records.hpp"
#include "store.hpp"

namespace beltway::daemon {

/// A queue's memory and bells.
struct QueueDescriptors {
  Fd ring;
  Fd heap;  ///< empty without lanes
  Fd control;
  std::vector<Fd> bells;
};

class Keep {
 public:
  struct Kept {
    unsigned place = 0;
    QueueRecord record;
    QueueDescriptors descriptors;
  };

  /// Takes over what an earlier daemon has left in the store, or begins anew.
  explicit Keep(Store& store);
  Keep(const Keep&) = delete;
  Keep& operator=(const Keep&) = delete;

  /// The queues that were left, once. Those of which something is missing are dropped, and the log says so.
  [[nodiscard]] std::vector<Kept> take_queues();

  /// Gives a place to a new queue and has its descriptors held. Throws Error(limit_reached).
  [[nodiscard]] unsigned add(const QueueDescriptors& descriptors, const std::string& what);
  /// From now on the next daemon finds this record. Throws Error(system).
  void write(unsigned place, const QueueRecord& record);
  void drop(unsigned place) noexcept;

 private:
  [[nodiscard]] std::optional<Kept> take_queue(unsigned place);

  Store& store_;
  std::optional<RecordSegment> records_;  ///< none: no store
  std::vector<unsigned> parts_;           ///< by place: descriptors that are held; 0: the place is free
};

}  // namespace beltway::daemon
