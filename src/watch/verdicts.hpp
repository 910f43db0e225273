// How verdicts are told: their sentences, and the order of queues by trouble. Findings are in findings.hpp.
// Thread safety: functions, from any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "watch/causes.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// Subject and cause for a page that is about the queue alone.
[[nodiscard]] std::string sentence_of(const Verdict& verdict);

/// The kind in words: "consumer stopped".
[[nodiscard]] std::string kind_words(const Verdict& verdict);

/// `sentence; evidence; for how long; forecast`, without the parts that are not known or said already.
[[nodiscard]] std::string with_parts(std::string sentence, const Verdict& verdict);

/// How long a cause has lasted as far as the snapshot itself shows; nothing: it does not show that.
[[nodiscard]] std::optional<Nanoseconds> lasted(const Cause& cause);

/// True if `a` is to stand before `b` in a list by trouble.
[[nodiscard]] bool is_graver(const QueueView& a, const QueueView& b);

}  // namespace beltway::watch
