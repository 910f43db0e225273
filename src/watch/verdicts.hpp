// From what one queue or the daemon shows to verdicts: each finding with its severity, and in which order they are told.
// Thread safety: functions, from any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "watch/causes.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// The severity of a cause of that kind.
[[nodiscard]] Severity severity_of(const Cause& cause);
/// A cause as a verdict on `queue`.
[[nodiscard]] Verdict verdict_of(const Cause& cause, const std::string& queue);
/// All of them, the gravest first.
[[nodiscard]] std::vector<Verdict> verdicts_of(const std::vector<Cause>& causes, const std::string& queue);

/// Subject and cause for a page that is about the queue alone.
[[nodiscard]] std::string sentence_of(const Verdict& verdict);

/// How long a cause has lasted as far as the snapshot itself shows; nothing: it does not show that.
[[nodiscard]] std::optional<Nanoseconds> lasted(const Cause& cause);

/// The gravest first; of equal ones the longest.
void sort_by_gravity(std::vector<Verdict>& verdicts);
/// True if `a` is to stand before `b` in a list by trouble.
[[nodiscard]] bool is_graver(const QueueView& a, const QueueView& b);

}  // namespace beltway::watch
