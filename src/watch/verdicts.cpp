// See verdicts.hpp; also the text of verdicts (model.hpp).
#include "watch/verdicts.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace beltway::watch {

namespace {

Nanoseconds longest(const std::vector<Verdict>& verdicts) {
  return verdicts.empty() ? Nanoseconds(0) : verdicts.front().since.value_or(Nanoseconds(0));
}

}  // namespace

Severity severity_of(const Cause& cause) {
  if (cause.kind == "removed") return Severity::note;
  if (cause.blocks || cause.kind == "corrupt_messages") return Severity::trouble;
  static constexpr std::array<std::string_view, 5> k_notes{"symmetric_fences", "rescued", "parked", "group_paused",
                                                           "woken_and_absent"};
  return std::ranges::find(k_notes, cause.kind) != k_notes.end() ? Severity::note : Severity::warning;
}

std::optional<Nanoseconds> lasted(const Cause& cause) {
  if (!cause.for_ns) return std::nullopt;
  return Nanoseconds(static_cast<std::int64_t>(std::min<std::uint64_t>(*cause.for_ns, INT64_MAX)));
}

Verdict verdict_of(const Cause& cause, const std::string& queue) {
  Verdict verdict{.kind = cause.kind, .severity = severity_of(cause), .queue = queue};
  verdict.subject = queue;
  verdict.cause = cause.text;
  if (!cause.subject.empty()) {
    verdict.subject += ": " + cause.subject;
    verdict.cause = cause.text.substr(cause.subject.size() + 2);
  }
  verdict.since = lasted(cause);
  verdict.remedies = cause.remedies;
  verdict.group = cause.group;
  verdict.producer = cause.producer;
  verdict.consumer = cause.consumer;
  verdict.pid = cause.pid;
  verdict.position = cause.position;
  verdict.blocks = cause.blocks;
  verdict.waited = lasted(cause);
  return verdict;
}

std::vector<Verdict> verdicts_of(const std::vector<Cause>& causes, const std::string& queue) {
  std::vector<Verdict> verdicts;
  for (const Cause& cause : causes) verdicts.push_back(verdict_of(cause, queue));
  sort_by_gravity(verdicts);
  return verdicts;
}

std::string sentence_of(const Verdict& verdict) {
  const std::string prefix = verdict.queue + ": ";
  if (!verdict.subject.starts_with(prefix)) return verdict.cause;
  return verdict.subject.substr(prefix.size()) + ": " + verdict.cause;
}

void sort_by_gravity(std::vector<Verdict>& verdicts) {
  std::ranges::stable_sort(verdicts, [](const Verdict& a, const Verdict& b) {
    return std::pair(a.severity, a.since.value_or(Nanoseconds(0))) >
           std::pair(b.severity, b.since.value_or(Nanoseconds(0)));
  });
}

bool is_graver(const QueueView& a, const QueueView& b) {
  const auto key = [](const QueueView& view) {
    const std::optional<Severity> severity = view.severity();
    return std::pair(severity ? -1 - static_cast<int>(*severity) : 0, -longest(view.verdicts));
  };
  return std::pair(key(a), std::string_view(a.info.name)) < std::pair(key(b), std::string_view(b.info.name));
}

const char* name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::trouble: return "trouble";
  }
  return "unknown";
}

std::string text_of(const Verdict& verdict) {
  std::string text = verdict.subject;
  if (!verdict.cause.empty()) text += (text.empty() ? "" : ": ") + verdict.cause;
  for (const std::string* part : {&verdict.evidence, &verdict.forecast}) {
    if (!part->empty()) text += "; " + *part;
  }
  if (!verdict.remedies.empty()) text += "; remedy: " + verdict.remedies.front().command;
  return text;
}

}  // namespace beltway::watch
