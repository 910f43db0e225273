// See causes_text.hpp.
#include "tool/text/causes_text.hpp"

#include <chrono>
#include <string>

#include "tool/text/table.hpp"
#include "watch/format.hpp"
#include "watch/verdicts.hpp"

namespace beltway::tool {

namespace {

/// "; a process has waited for 9 s because of it". Empty: it is not known, or `said` has it.
std::string unsaid_wait(const watch::Verdict& verdict, const std::string& said) {
  if (!verdict.waited) return {};
  const std::string text = watch::format_duration(*verdict.waited);
  const bool is_said = said.find("waited for " + text) != std::string::npos;
  return is_said ? std::string() : "; a process has waited for " + text + " because of it";
}

std::string line_of(const watch::Verdict& verdict) {
  const std::string line = watch::with_parts(watch::sentence_of(verdict), verdict);
  return line + unsaid_wait(verdict, line);
}

}  // namespace

std::string remedies_text(const std::vector<watch::Remedy>& remedies) {
  static constexpr std::size_t k_indent = 6;
  Facts lines;
  for (const watch::Remedy& remedy : remedies) lines.add(remedy.command, remedy.effect);
  return lines.text(k_indent);
}

std::string causes_text(const std::vector<watch::Verdict>& verdicts) {
  std::string out;
  for (const watch::Verdict& verdict : verdicts) {
    out += "\n  ! " + line_of(verdict) + "\n" + remedies_text(verdict.remedies);
  }
  return out;
}

}  // namespace beltway::tool
