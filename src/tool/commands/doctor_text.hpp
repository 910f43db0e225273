// What `doctor` prints: verdicts as paragraphs for people, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "tool/commands/examination.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

/// A paragraph for each verdict: severity and subject, cause, then what is known besides, then its remedies, each on a line of
/// its own that can be copied to a shell.
[[nodiscard]] std::string verdicts_text(const std::vector<watch::Verdict>& verdicts);

/// What was looked at, the verdicts, and a last line that says how many there are.
[[nodiscard]] std::string doctor_text(const Examination& examination);
[[nodiscard]] watch::Json doctor_json(const Examination& examination);

}  // namespace beltway::tool
