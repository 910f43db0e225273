// The verdicts of one queue: what its samples and full looks find, and find again.
//
// A finding becomes a verdict once each look has shown it for its time (Finding::told_after). Each look must be at most
// k_longest_gap after the one before. A finding that a look does not show is dropped at once.
// Thread safety: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "watch/findings.hpp"
#include "watch/model.hpp"
#include "watch/trends.hpp"

namespace beltway::watch {

class QueueVerdicts {
 public:
  /// `tells_at_once`: a finding need not last, it must only be found twice.
  explicit QueueVerdicts(bool tells_at_once = false) noexcept : tells_at_once_(tells_at_once) {}

  /// Takes a sample. `look`: a full look of the same moment; nullptr: none was made. What an earlier full look found is
  /// kept until the next one, at most for k_longest_gap. `now_ns`: CLOCK_MONOTONIC.
  void add(const QueueView& view, const FullLook* look, std::uint64_t now_ns);

  /// The gravest first, then the longest.
  [[nodiscard]] const std::vector<Verdict>& told() const noexcept { return told_; }
  /// True if a finding may become a verdict with further looks, soon (Finding::told_after is short).
  [[nodiscard]] bool undecided() const noexcept { return undecided_; }
  /// True if the samples show that a full look may find something.
  [[nodiscard]] bool wants_full_look() const noexcept { return !seen_.empty(); }

  static constexpr std::chrono::seconds k_longest_gap{3};

 private:
  struct Seen {
    Finding finding;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    bool by_full_look = false;
    bool began_before = false;  // before first_ns, and it is not known when
  };
  void see(std::vector<Finding> findings, bool by_full_look, std::uint64_t now_ns);
  void tell(std::uint64_t now_ns);

  bool tells_at_once_;
  Trends trends_;
  std::vector<Seen> seen_;
  std::uint64_t full_look_ns_ = 0;  // the last one; 0: none
  std::vector<Verdict> told_;
  bool undecided_ = false;
};

}  // namespace beltway::watch
