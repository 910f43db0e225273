// The verdicts about the machine and about processes' descriptors, kept between samples: they change slowly, and each look costs
// system calls. So a watcher that samples ten times a second looks no oftener than one that samples once.
// Thread safety: one thread at a time.
#pragma once

#include <optional>
#include <vector>

#include "watch/model.hpp"

namespace beltway::watch {

class MachineLooks {
 public:
  /// Those of the last looks. What is due is looked at again. `now`: CLOCK_MONOTONIC.
  [[nodiscard]] std::vector<Verdict> verdicts(const Fleet& fleet, Nanoseconds now);

 private:
  /// What one kind of look has found, and when the next one is due; nothing: at once.
  struct Kept {
    std::vector<Verdict> verdicts = {};
    std::optional<Nanoseconds> due_at = {};
  };
  template <class Look>
  static void renew(Kept& kept, Nanoseconds now, Nanoseconds pause, const Look& look);

  Kept machine_;
  Kept descriptors_;
};

}  // namespace beltway::watch
