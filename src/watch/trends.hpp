// What only several samples of a queue show: a lag that grows, failures that go on, messages that are corrupt.
//
// A sample costs a few comparisons. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "watch/findings.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

class Trends {
 public:
  /// Takes a sample. `now_ns`: CLOCK_MONOTONIC.
  void add(const QueueView& view, std::uint64_t now_ns);
  /// Takes a full look: it says which consumers fail, and counts corrupt messages.
  void add(const FullLook& look, std::uint64_t now_ns);

  /// What they show by now.
  [[nodiscard]] std::vector<Finding> findings() const;

 private:
  /// Since when a group's lag has not fallen, and what it was then.
  struct Growth {
    std::uint64_t since_ns = 0;
    std::uint64_t from = 0;
    std::uint64_t lag = 0;
    std::uint64_t grew_at_ns = 0;  // the last time that it was larger than before
    unsigned consumers = 0;
    bool paused = false;
  };
  /// The sums of a moment.
  struct Moment {
    std::uint64_t at_ns = 0;
    std::uint64_t messages_out = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t dead_lettered = 0;
  };
  /// One counter of each consumer, and who has counted most since the full look before.
  struct Counted {
    std::map<unsigned, std::uint64_t> by_consumer;
    std::optional<EndpointInfo> most;
    void add(const QueueSnapshot& snapshot, std::uint64_t ConsumerCounters::* counter);
  };

  void add_growth(const std::string& group, const Growth& growth, std::vector<Finding>& findings) const;
  void add_retries(std::vector<Finding>& findings) const;
  void add_dead_letters(std::vector<Finding>& findings) const;
  void add_corrupt(std::vector<Finding>& findings) const;
  [[nodiscard]] Verdict verdict(const char* kind, Severity severity) const;
  /// How much a sum grew within the window of moments.
  [[nodiscard]] std::uint64_t grown(std::uint64_t Moment::* sum) const;
  [[nodiscard]] Nanoseconds window() const;

  std::uint64_t now_ns_ = 0;
  std::string queue_;
  std::uint32_t slots_ = 0;
  std::uint64_t used_ = 0;
  std::map<std::string, Growth> growth_;  // by group
  std::deque<Moment> moments_;            // oldest first
  Counted nacks_;
  Counted dead_letters_;
  bool single_message_fails_ = false;     // as of the last full look
  std::optional<std::uint64_t> corrupt_;  // as of the last full look
  std::uint64_t corrupt_more_ = 0;        // since the first one
  std::uint64_t corrupt_at_ns_ = 0;       // when it was seen to grow last; 0: never
  std::vector<EndpointInfo> producers_;
};

}  // namespace beltway::watch
