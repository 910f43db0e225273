// What survives a daemon: descriptors in the store, queue records in the registry segment. No client can write either.
//
// A queue has a place, 0 to k_max_places - 1. Its descriptors are named after it, "<place><part>", two characters each; part 0
// is the ring, 1 the heap, 2 control, 3 and on the bells. The order below makes each state after a kill unambiguous:
//   declare:  descriptors, then record.   The next daemon drops descriptors without a record.
//   change:   record, then memory.        The next daemon does to the memory what the record says (Queue::reconcile).
//   remove:   record says removing, memory says removed, record cleared, descriptors dropped.
//
// Names in the store:
//   REG2     the registry of this version and later ones of its format
//   reg      the registry of version 0.1, whose queues are named with small letters and digits only. A daemon of 0.1
//            drops entries that it cannot read. It ignores names of later versions, so those entries stay.
//   A000     a queue's part; the first character is one that version 0.1 never uses
//   EXE0     see stored_program.hpp
//   EVTS     see event_journal.hpp
//   lock, listen socket  see listener.hpp
//
// A queue that this program cannot read (another layout, or a record that it does not understand) is *held*: its
// descriptors stay in the store, its place stays taken, and nothing of it is mapped or changed.
//
// Without a store all calls succeed and save nothing.
// Ownership: the registry segment; the store is the server's and outlives this. Thread safety: the daemon's one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "survival/descriptor_store.hpp"
#include "survival/event_journal.hpp"
#include "survival/record_text.hpp"
#include "survival/records.hpp"
#include "survival/saved_records.hpp"

namespace beltway::daemon {

/// A queue's memory and bells.
struct QueueDescriptors {
  os::Fd ring;
  os::Fd heap;  ///< empty without lanes
  os::Fd control;
  std::vector<os::Fd> bells;
};

/// A queue that this program cannot read.
struct HeldQueue {
  RecordStamp stamp;
  std::string why;  ///< "it has layout 1.1, and this program reads 2.0"
};

/// The queues that an earlier daemon has left. They are only read.
struct Survey {
  std::size_t own = 0;            ///< queues that this program can read
  std::vector<HeldQueue> others;  ///< queues that it cannot read
  std::uint64_t starts = 0;       ///< earlier daemons with these queues, since the last daemon that became ready
};

/// Whether a descriptor in the store is a registry, or a part of a queue, by its name.
[[nodiscard]] bool is_registry(std::string_view name) noexcept;
[[nodiscard]] bool is_queue_part(std::string_view name) noexcept;

/// Counts a start of this daemon in the registry, and reads the records of all queues in the store.
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

  /// The queues that were left, once. Incomplete ones are dropped and logged. Unreadable ones are held.
  [[nodiscard]] std::vector<SavedQueue> take_queues();

  [[nodiscard]] const std::vector<HeldQueue>& held() const noexcept { return held_; }
  /// Gives back a queue that proved unusable: it is held from now on.
  void hold(SavedQueue saved, std::string why);
  /// The daemon is ready: the start has succeeded.
  void clear_starts() noexcept;

  /// Gives a place to a new queue and has its descriptors held. Throws Error(limit_reached).
  [[nodiscard]] unsigned add(const QueueDescriptors& descriptors, const std::string& context);
  /// Saves the record: the next daemon finds it. Throws Error(system).
  void write(unsigned place, const QueueRecord& record);
  void drop(unsigned place) noexcept;

  /// What the daemon has seen. Any thread.
  [[nodiscard]] EventJournal& events() noexcept { return events_; }

 private:
  void take_registry();
  /// Everything of a registry that this program does not use, and all that may belong to its queues.
  void hold_other_registries();
  void hold_place(unsigned place, HeldQueue queue);
  void hold_descriptor(NamedFd& left);
  [[nodiscard]] std::optional<SavedQueue> take_queue(unsigned place);
  /// Drops descriptors without a place: a daemon died while it made their queue.
  void drop_the_rest();

  DescriptorStore& store_;
  EventJournal events_;
  std::optional<SavedRecords> records_;  ///< none: no store
  std::vector<unsigned> parts_;          ///< by place: descriptors that are held; 0: the place is free
  std::vector<HeldQueue> held_;
  std::vector<os::Fd>
      held_descriptors_;  ///< kept open for a daemon that execs the stored program (DescriptorStore::stored)
};

}  // namespace beltway::daemon
