// What several pages use: headings, verdicts in words.
#include <chrono>

#include "tool/top/pages.hpp"

namespace beltway::tool {

PageLine heading_line(const std::string& text) { return {.spans = {{text, {.bold = true}}}}; }

Ink ink_of(watch::Severity severity) noexcept {
  switch (severity) {
    case watch::Severity::note: return Ink::note;
    case watch::Severity::warning: return Ink::warning;
    case watch::Severity::trouble: return Ink::trouble;
  }
  return Ink::plain;
}

char mark_of(watch::Severity severity) noexcept {
  switch (severity) {
    case watch::Severity::note: return '-';
    case watch::Severity::warning: return '*';
    case watch::Severity::trouble: return '!';
  }
  return ' ';
}

std::string words_of(const watch::Verdict& verdict) {
  std::string subject = verdict.subject == verdict.queue ? std::string() : verdict.subject;
  if (!verdict.queue.empty() && subject.starts_with(verdict.queue + ' ')) subject.erase(0, verdict.queue.size() + 1);
  if (subject.empty() || verdict.cause.empty()) return subject + verdict.cause;
  return subject + ": " + verdict.cause;
}

void add_verdict_lines(std::vector<PageLine>& lines, const watch::Verdict& verdict, std::size_t width,
                       Charset charset) {
  std::string text = words_of(verdict);
  if (!verdict.evidence.empty()) text += "; " + verdict.evidence;
  if (!watch::says_since(text, verdict))
    text += std::string(verdict.since_is_least ? "; for at least " : "; for ") +
            short_duration(std::chrono::duration<double>(*verdict.since).count());
  if (!verdict.forecast.empty()) text += "; " + verdict.forecast;
  const Style style{.ink = ink_of(verdict.severity), .bold = verdict.severity == watch::Severity::trouble};
  std::string mark = {mark_of(verdict.severity), ' '};
  for (const std::string& line : wrapped(text, width > 2 ? width - 2 : 1, charset)) {
    lines.push_back({.spans = {{mark + line, style}}});
    mark = "  ";
  }
  for (const watch::Remedy& remedy : verdict.remedies) {
    lines.push_back({.spans = {{"    " + remedy.command, {.bold = true}},
                               {remedy.effect.empty() ? std::string() : "   " + remedy.effect, {Ink::quiet}}}});
  }
}

}  // namespace beltway::tool
