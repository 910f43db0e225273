// From what one queue or the daemon shows to verdicts: each finding with its severity, and in which order they are told.
//
// A finding may need a second look: `brief` ones are told only if the look before had them, too. SinceWhen says how long a
// finding has been there.
// Thread safety: functions, from any thread; SinceWhen: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "watch/causes.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// The severity of a cause of that kind.
[[nodiscard]] Severity severity_of(const Cause& cause);
/// A cause as a verdict on `queue`.
[[nodiscard]] Verdict verdict_of(const Cause& cause, const std::string& queue);
/// All of them, the gravest first. SinceWhen knows the age of those that do not know it.
[[nodiscard]] std::vector<Verdict> verdicts_of(const std::vector<Cause>& causes, const std::string& queue);

/// Subject and cause for a page that is about the queue alone.
[[nodiscard]] std::string sentence_of(const Verdict& verdict);

/// How long a cause has lasted as far as the snapshot itself shows; nothing: it does not show that.
[[nodiscard]] std::optional<Nanoseconds> lasted(const Cause& cause);

/// The gravest first; of equal ones the longest.
void sort_by_gravity(std::vector<Verdict>& verdicts);
/// True if `a` is to stand before `b` in a list by trouble.
[[nodiscard]] bool is_graver(const QueueView& a, const QueueView& b);

/// Since when each finding has been there. A finding that was absent from a look begins anew.
class SinceWhen {
 public:
  /// Fills `since` of those verdicts that do not know it. `now`: CLOCK_MONOTONIC, which may not go back.
  void fill(std::vector<Verdict>& verdicts, Nanoseconds now);

 private:
  std::map<std::string, Nanoseconds> first_seen_;
};

}  // namespace beltway::watch
