// One queue of the watcher: its mapping, what the daemon says of it, its view and its past.
// Thread safety: one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/attach.hpp"
#include "watch/age_counts.hpp"
#include "watch/memory_keepers.hpp"
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
  /// As the daemon described it.
  [[nodiscard]] client::QueueName queue_name() const;
  /// The memory cannot be had now: asked again later, or once the description changes.
  void refuse(const SampleTime& time) noexcept { open_again_at_ = time.monotonic + k_between_opens; }
  [[nodiscard]] bool may_open(const SampleTime& time) const noexcept { return time.monotonic >= open_again_at_; }

  /// Reads the few words that `view` needs. Requires is_open().
  void read(const SampleTime& time, QueueView& view);
  /// Without a full look: tells what the samples show. Costs less, and is due less often than a reading.
  void judge(const SampleTime& time, QueueView& view);
  [[nodiscard]] Nanoseconds looked_at() const noexcept { return looked_at_; }
  /// True if the last reading, or an earlier look, says that a full look may find something.
  [[nodiscard]] bool is_suspicious(const SampleTime& time, const QueueView& view) const;
  /// True if what earlier looks found would be forgotten without another one: beyond all budgets.
  [[nodiscard]] bool is_overdue(const SampleTime& time) const noexcept {
    return verdicts_.wants_full_look() && time.monotonic - looked_at_ >= QueueVerdicts::k_longest_gap * 2 / 3;
  }
  /// True if the queue was not looked at, or what the first look found needs a second one.
  [[nodiscard]] bool is_unknown() const noexcept { return looks_ == 0 || (looks_ == 1 && verdicts_.wants_full_look()); }
  /// True if further samples will tell whether something is wrong.
  [[nodiscard]] bool undecided() const noexcept { return verdicts_.undecided(); }
  /// True if looks have found something, told or not.
  [[nodiscard]] bool has_findings() const noexcept { return verdicts_.wants_full_look(); }
  /// Scans the slots, and finds what is wrong. Returns what it has seen. Requires is_open(). `queues`: all that are known; null:
  /// only this one.
  QueueSnapshot look(const SampleTime& time, QueueView& view, const std::vector<QueueView>* queues = nullptr);

  /// Fills view.age_counts, in a queue with stamps. Requires is_open().
  void count_ages(QueueView& view);

  [[nodiscard]] QueueDetail detail(const SampleTime& time, const QueueView& view, std::size_t cells);

 private:
  /// What an endpoint's counters said at the detail before.
  struct Before {
    std::uint64_t messages = 0;
    std::uint64_t sleeps = 0;
    std::uint64_t blocked_ns = 0;
  };
  void tell(QueueView& view) const;
  void fill_groups(const Reading& reading, QueueView& view) const;
  void fill_slowest(const Reading& reading, QueueView& view) const;
  template <class State>
  EndpointView endpoint_view(const State& state, const SampleTime& time, std::map<unsigned, Before>& seen) const;

  /// The description as it would be now: times that pass have passed.
  [[nodiscard]] wire::Description description_at(const SampleTime& time) const;

  static constexpr Nanoseconds k_between_opens = std::chrono::seconds(10);
  wire::Description description_;
  std::string socket_;  ///< as the caller named it; empty: it did not
  Nanoseconds described_at_{0};
  Nanoseconds open_again_at_{0};
  Nanoseconds looked_at_{0};
  Nanoseconds judged_at_{0};
  unsigned looks_ = 0;
  bool producers_sleep_ = false;
  std::uint64_t last_out_ = 0;  ///< messages received, as of the last reading
  Nanoseconds moved_at_{0};     ///< when that changed
  std::optional<client::Inspection> inspection_;
  std::optional<Reader> reader_;
  RateWindow window_;
  Past past_;
  AgeSums ages_;
  QueueVerdicts verdicts_;
  MemoryKeepers keepers_;
  std::map<unsigned, Before> before_;  ///< by owner number
  Nanoseconds before_at_{0};
};

}  // namespace beltway::watch
