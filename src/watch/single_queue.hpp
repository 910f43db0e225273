// One queue that a command names, looked at for a moment: what a second look finds again is told, as in a list of all queues.
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "beltway/queue.hpp"
#include "client/session.hpp"
#include "watch/model.hpp"
#include "watch/watched_queue.hpp"

namespace beltway::watch {

class SingleQueue {
 public:
  struct Sight {
    QueueSnapshot snapshot;
    std::vector<Verdict> verdicts;  ///< the gravest first
    std::uint64_t now_ns = 0;       ///< CLOCK_MONOTONIC of the snapshot
  };

  /// Opens a connection of its own. Throws what Queue::snapshot() throws.
  SingleQueue(const ConnectionOptions& connection, Queue queue);

  /// The queue as it is now. Takes a moment longer if it shows something that may be a moment of work. Throws what
  /// Queue::snapshot() throws.
  [[nodiscard]] Sight look();

 private:
  QueueSnapshot look_once(const SampleTime& time, const Fleet* others);
  [[nodiscard]] Fleet list_others();
  void tell_dead_letters(Fleet others);

  Queue queue_;
  std::string socket_;  ///< as the caller named it; empty: it did not
  client::Session session_;
  QueueView view_;
  WatchedQueue watched_;
};

}  // namespace beltway::watch
