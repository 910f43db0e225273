// See causes_text.hpp.
#include "tool/text/causes_text.hpp"

#include <chrono>
#include <optional>

#include "tool/text/table.hpp"
#include "watch/format.hpp"
#include "watch/verdicts.hpp"

namespace beltway::tool {

namespace {

/// "; a process has waited for 9 s because of it". Empty: it is not known, or the sentence says so.
std::string since_text(const watch::Cause& cause) {
  const std::optional<std::chrono::nanoseconds> waited = watch::lasted(cause);
  if (!waited) return {};
  const std::string text = watch::format_duration(*waited);
  const bool is_said = cause.text.find("waited for " + text) != std::string::npos;
  return is_said ? std::string() : "; a process has waited for " + text + " because of it";
}

}  // namespace

std::string remedies_text(const std::vector<watch::Remedy>& remedies) {
  static constexpr std::size_t k_indent = 6;
  Facts lines;
  for (const watch::Remedy& remedy : remedies) lines.add(remedy.command, remedy.effect);
  return lines.text(k_indent);
}

std::string causes_text(const std::vector<watch::Cause>& causes) {
  std::string out;
  for (const watch::Cause& cause : causes) {
    out += "\n  ! " + cause.text + since_text(cause) + "\n" + remedies_text(cause.remedies);
  }
  return out;
}

}  // namespace beltway::tool
