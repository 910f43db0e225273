// What a daemon leaves to the next one: its queues' descriptors, in the store, and their records, in the registry segment.
// Nothing of it is ever read from memory that a client can write.
//
// A queue has a place, 0 to k_max_places - 1. Its descriptors are named after it, "<place><part>", two characters each; part
// 0 is the ring, 1 the heap, 2 control, 3 and on the bells. In this order things are done, so that a daemon killed
// between any two of them leaves nothing ambiguous:
//   declare:  descriptors, then record.   Descriptors without a record are nobody's: dropped by the next daemon.
//   change:   record, then memory.        The next daemon does to the memory what the record says (Queue::reconcile).
//   remove:   record says removing, memory says removed, record cleared, descriptors dropped.
//
// Names in the store:
//   REG2     the registry of this version and later ones of its format
//   reg      the registry of version 0.1, whose queues are named with small letters and digits only. A daemon of 0.1 knows
//            nothing of layouts, and drops what it does not understand: the names of later versions it does not understand at
//            all, and leaves them alone.
//   A000     a queue's part: the first character is of another alphabet than those of version 0.1
//   EXE0     see stored_program.hpp
//   lock, listen socket  see listener.hpp
//
// A queue that this program cannot read (another layout, or a record that it does not understand) is *held*: its
// descriptors stay in the store, its place stays taken, and nothing of it is mapped or changed.
//
// Without a store nothing is kept, and every call succeeds.
// Ownership: the registry segment; the store is the server's and outlives this. Thread safety: the daemon's one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "survival/descriptor_store.hpp"
#include "survival/record_text.hpp"
#include "survival/records.hpp"
#include "survival/saved_records.hpp"

namespace beltway::daemon {

/// A queue's memory and bells.
struct QueueDescriptors {
  Fd ring;
  Fd heap;  ///< empty without lanes
  Fd control;
  std::vector<Fd> bells;
};

/// A queue that this program cannot read.
struct HeldQueue {
  RecordStamp stamp;
  std::string why;  ///< "it has layout 1.1, and this program reads 2.0"
};

/// What an earlier daemon has left, looked at and not touched.
struct Survey {
  std::size_t own = 0;            ///< queues that this program can read
  std::vector<HeldQueue> others;  ///< queues that it cannot read
  std::uint64_t starts = 0;       ///< daemons that began with these queues since one was ready, this one not counted
};

/// Whether a descriptor in the store is a registry, or a part of a queue, by its name.
[[nodiscard]] bool is_registry(std::string_view name) noexcept;
[[nodiscard]] bool is_queue_part(std::string_view name) noexcept;

/// Counts a start of this daemon in the registry, and looks at the records of all queues in the store.
[[nodiscard]] Survey survey(const DescriptorStore& store);

class SavedQueues {
 public:
  struct SavedQueue {
    unsigned place = 0;
    QueueRecord record;
    QueueDescriptors descriptors;
  };

  /// Takes over what an earlier daemon has left in the store, or begins anew.
  explicit SavedQueues(DescriptorStore& store);
  SavedQueues(const SavedQueues&) = delete;
  SavedQueues& operator=(const SavedQueues&) = delete;

  /// The queues that were left, once. Those of which something is missing are dropped, and the log says so. Those that cannot
  /// be read are held.
  [[nodiscard]] std::vector<SavedQueue> take_queues();

  [[nodiscard]] const std::vector<HeldQueue>& held() const noexcept { return held_; }
  /// Gives a queue back that could not be used after all: it is held from now on.
  void hold(SavedQueue kept, std::string why);
  /// The daemon is ready: the start has succeeded.
  void clear_starts() noexcept;

  /// Gives a place to a new queue and has its descriptors held. Throws Error(limit_reached).
  [[nodiscard]] unsigned add(const QueueDescriptors& descriptors, const std::string& what);
  /// From now on the next daemon finds this record. Throws Error(system).
  void write(unsigned place, const QueueRecord& record);
  void drop(unsigned place) noexcept;

 private:
  void take_registry();
  /// Everything of a registry that this program does not use, and all that may belong to its queues.
  void hold_other_registries();
  void hold_place(unsigned place, HeldQueue queue);
  void hold_descriptor(NamedFd& left);
  [[nodiscard]] std::optional<SavedQueue> take_queue(unsigned place);
  /// What lies in no queue's place is of no use: an earlier daemon was killed while it was making a queue.
  void drop_the_rest();

  DescriptorStore& store_;
  std::optional<SavedRecords> records_;  ///< none: no store
  std::vector<unsigned> parts_;          ///< by place: descriptors that are held; 0: the place is free
  std::vector<HeldQueue> held_;
  std::vector<Fd> held_descriptors_;  ///< open for a daemon that hands itself on (DescriptorStore::kept)
};

}  // namespace beltway::daemon
