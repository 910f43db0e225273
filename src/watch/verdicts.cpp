// See verdicts.hpp; also the text of verdicts (model.hpp).
#include "watch/verdicts.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "watch/format.hpp"

namespace beltway::watch {

namespace {

/// What was seen for less says nothing of how long it has lasted.
constexpr std::chrono::seconds k_least_told{1};

Nanoseconds longest(const std::vector<Verdict>& verdicts) {
  return verdicts.empty() ? Nanoseconds(0) : verdicts.front().since.value_or(Nanoseconds(0));
}

}  // namespace

std::optional<Nanoseconds> lasted(const Cause& cause) {
  if (!cause.for_ns) return std::nullopt;
  return Nanoseconds(static_cast<std::int64_t>(std::min<std::uint64_t>(*cause.for_ns, INT64_MAX)));
}

std::string sentence_of(const Verdict& verdict) {
  const std::string prefix = verdict.queue + ": ";
  if (verdict.subject == verdict.queue || verdict.subject.empty()) return verdict.cause;
  const std::string subject =
      verdict.subject.starts_with(prefix) ? verdict.subject.substr(prefix.size()) : verdict.subject;
  return verdict.cause.empty() ? subject : subject + ": " + verdict.cause;
}

std::string kind_words(const Verdict& verdict) {
  std::string words = verdict.kind;
  std::ranges::replace(words, '_', ' ');
  return words;
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

std::string since_text(const Verdict& verdict) {
  if (!verdict.since) return {};
  if (!verdict.since_is_least) return "for " + format_duration(*verdict.since);
  return *verdict.since < k_least_told ? std::string() : "for at least " + format_duration(*verdict.since);
}

bool says_since(const std::string& text, const Verdict& verdict) {
  if (text.find(since_text(verdict)) != std::string::npos) return true;
  static constexpr std::string_view k_lasted = "ed for ";
  static constexpr std::string_view k_digits = "0123456789";
  for (std::size_t at = text.find(k_lasted); at != std::string::npos; at = text.find(k_lasted, at + 1)) {
    const std::size_t behind = at + k_lasted.size();
    if (behind < text.size() && k_digits.find(text[behind]) != std::string_view::npos) return true;
  }
  return false;
}

std::string with_parts(std::string sentence, const Verdict& verdict) {
  if (!verdict.evidence.empty()) sentence += "; " + verdict.evidence;
  if (!says_since(sentence, verdict)) sentence += "; " + since_text(verdict);
  if (!verdict.forecast.empty()) sentence += "; " + verdict.forecast;
  return sentence;
}

std::string text_of(const Verdict& verdict) {
  std::string text = verdict.subject;
  if (!verdict.cause.empty()) text += (text.empty() ? "" : ": ") + verdict.cause;
  text = with_parts(std::move(text), verdict);
  if (!verdict.remedies.empty()) text += "; remedy: " + verdict.remedies.front().command;
  return text;
}

}  // namespace beltway::watch
