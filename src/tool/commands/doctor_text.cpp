// See doctor_text.hpp.
#include "tool/commands/doctor_text.hpp"

#include <algorithm>

#include "tool/text/table.hpp"
#include "tool/text/units.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_indent = 9;  // behind the longest severity

std::string number_of(std::size_t number, const char* one, const char* many) {
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

std::size_t count(const std::vector<watch::Verdict>& verdicts, watch::Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(verdicts, severity, &watch::Verdict::severity));
}

std::string indented(const std::string& text) { return text.empty() ? "" : std::string(k_indent, ' ') + text + "\n"; }

std::string paragraph(const watch::Verdict& verdict) {
  std::string name = watch::name_of(verdict.severity);
  name.resize(k_indent, ' ');
  std::string text = name + verdict.subject + "\n" + indented(verdict.cause) + indented(verdict.evidence);
  if (!watch::says_since(text, verdict)) text += indented(watch::since_text(verdict));
  text += indented(verdict.forecast);
  Facts remedies;
  for (const watch::Remedy& remedy : verdict.remedies) remedies.add("$ " + remedy.command, remedy.effect);
  return text + remedies.text(k_indent);
}

/// How many queues were seen, and how many of them not from inside.
std::string scope_text(const Examination& examination) {
  const auto& queues = examination.fleet.queues;
  const auto closed = static_cast<std::size_t>(std::ranges::count(queues, false, &watch::QueueView::readable));
  return "looked at " + number_of(queues.size(), "queue", "queues") + " for " +
         format_duration(examination.looked_for) +
         (closed == 0
              ? ""
              : "; " + std::to_string(closed) + " of them may not be read by this user, and were not examined") +
         "\n";
}

std::string summary(const std::vector<watch::Verdict>& verdicts) {
  if (verdicts.empty()) return "nothing is wrong\n";
  return number_of(count(verdicts, watch::Severity::trouble), "trouble", "troubles") + ", " +
         number_of(count(verdicts, watch::Severity::warning), "warning", "warnings") + ", " +
         number_of(count(verdicts, watch::Severity::note), "note", "notes") + "\n";
}

}  // namespace

std::string verdicts_text(const std::vector<watch::Verdict>& verdicts) {
  std::string text;
  for (const watch::Verdict& verdict : verdicts) text += paragraph(verdict) + "\n";
  return text;
}

std::string doctor_text(const Examination& examination) {
  return watch::daemon_text(examination.fleet.daemon) + "\n" + scope_text(examination) + "\n" +
         verdicts_text(examination.verdicts) + summary(examination.verdicts);
}

watch::Json doctor_json(const Examination& examination) {
  watch::Json verdicts = watch::Json::array();
  for (const watch::Verdict& verdict : examination.verdicts) verdicts.push_back(watch::to_json(verdict));
  const auto readable = std::ranges::count(examination.fleet.queues, true, &watch::QueueView::readable);
  return {{"daemon_answers", examination.fleet.daemon_answers},
          {"daemon", watch::to_json(examination.fleet.daemon)},
          {"looked_for_ns", examination.looked_for.count()},
          {"queues", examination.fleet.queues.size()},
          {"readable_queues", readable},
          {"verdicts", std::move(verdicts)}};
}

}  // namespace beltway::tool
