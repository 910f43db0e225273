// A scenario's results as JSON, a line a candidate, and in short for people.
#pragma once

#include <string>

#include "harness/scenario.hpp"

namespace beltway::bench {

/// The lines; README.md documents the keys.
[[nodiscard]] std::string json_lines(const Spec& spec, const Settings& settings, const Results& results);

/// A small table.
[[nodiscard]] std::string text(const Spec& spec, const Results& results);

[[nodiscard]] const char* name_of(Mode mode) noexcept;

}  // namespace beltway::bench
