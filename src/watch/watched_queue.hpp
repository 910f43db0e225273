// One queue of the watcher: its mapping, what the daemon says of it, its view and its past.
// Thread safety: one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/attach.hpp"
#include "watch/past.hpp"
#include "watch/queue_verdicts.hpp"
#include "watch/reading.hpp"
#include "watch/watcher.hpp"
#include "wire/protocol.hpp"

namespace beltway::watch {

/// The time of one sample, by both clocks.
struct SampleTime {
  Nanoseconds monotonic{0};
  std::int64_t wall_s = 0;

  [[nodiscard]] static SampleTime now();
};

class WatchedQueue {
 public:
  WatchedQueue(wire::Description description, const WatcherOptions& options);

  [[nodiscard]] std::uint64_t id() const noexcept { return description_.info.id; }
  [[nodiscard]] const std::string& name() const noexcept { return description_.info.name; }

  /// The daemon said something new.
  void describe(wire::Description description, QueueView& view);
  [[nodiscard]] bool is_open() const noexcept { return inspection_.has_value(); }
  void open(client::Inspection inspection);

  /// Reads the few words that `view` needs. Requires is_open().
  void read(const SampleTime& time, QueueView& view);
  /// True if further samples will tell whether something is wrong.
  [[nodiscard]] bool undecided() const noexcept { return verdicts_.undecided(); }
  /// Scans the slots, and finds what is wrong. Requires is_open().
  void look(const SampleTime& time, QueueView& view);

  [[nodiscard]] QueueDetail detail(const SampleTime& time, const QueueView& view, std::size_t cells);

 private:
  /// What an endpoint's counters said at the detail before.
  struct Before {
    std::uint64_t messages = 0;
    std::uint64_t sleeps = 0;
    std::uint64_t blocked_ns = 0;
  };
  void fill_groups(const Reading& reading, QueueView& view) const;
  void fill_slowest(const Reading& reading, QueueView& view) const;
  template <class State>
  EndpointView endpoint_view(const State& state, const SampleTime& time, std::map<unsigned, Before>& seen) const;

  wire::Description description_;
  std::optional<client::Inspection> inspection_;
  std::optional<Reader> reader_;
  RateWindow window_;
  Past past_;
  QueueVerdicts verdicts_;
  std::map<unsigned, Before> before_;  ///< by owner number
  Nanoseconds before_at_{0};
};

}  // namespace beltway::watch
