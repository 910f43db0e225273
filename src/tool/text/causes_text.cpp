// See causes_text.hpp.
#include "tool/text/causes_text.hpp"

#include "tool/text/table.hpp"

namespace beltway::tool {

std::string remedies_text(const std::vector<watch::Remedy>& remedies) {
  static constexpr std::size_t k_indent = 6;
  Facts lines;
  for (const watch::Remedy& remedy : remedies) lines.add(remedy.command, remedy.effect);
  return lines.text(k_indent);
}

std::string causes_text(const std::vector<watch::Cause>& causes) {
  std::string out;
  for (const watch::Cause& cause : causes) out += "\n  ! " + cause.text + "\n" + remedies_text(cause.remedies);
  return out;
}

}  // namespace beltway::tool
