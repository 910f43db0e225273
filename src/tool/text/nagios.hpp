// One line for Nagios and its kin: what was measured, against which limits, and the exit code that goes with it.
// The format is that of the Monitoring Plugins: text, a bar, performance data.
// Thread safety: values and functions of their arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace beltway::tool {

/// The exit codes of plugins: their numbers are what the process ends with.
enum class CheckState : int { ok = 0, warning = 1, critical = 2, unknown = 3 };

/// The gravest of two. Unknown is graver than ok and warning: what could not be measured may be anything.
[[nodiscard]] CheckState worse(CheckState a, CheckState b) noexcept;

/// A limit as "WARN:CRIT", or one value that is critical at once.
template <class Value>
struct Limit {
  std::optional<Value> warning = {};
  Value critical = {};
};

/// Parses "VALUE" and "WARN:CRIT" with `parse` for each value. Nothing if either does not parse.
template <class Value, class Parse>
[[nodiscard]] std::optional<Limit<Value>> parse_limit(const std::string& text, const Parse& parse) {
  const std::size_t colon = text.find(':');
  const auto critical = parse(colon == std::string::npos ? text : text.substr(colon + 1));
  if (!critical) return std::nullopt;
  if (colon == std::string::npos) return Limit<Value>{.critical = *critical};
  const auto warning = parse(text.substr(0, colon));
  if (!warning) return std::nullopt;
  return Limit<Value>{.warning = *warning, .critical = *critical};
}

/// One figure of a check.
struct Reading {
  enum class Bound : std::uint8_t { at_most, at_least };

  std::string label;  ///< of the performance data: "lag"
  double value = 0;
  std::string unit = {};  ///< "s", or empty
  std::string text = {};  ///< for people: "lag 12"
  Bound bound = Bound::at_most;
  std::optional<double> warning = {};
  std::optional<double> critical = {};

  [[nodiscard]] CheckState state() const noexcept;
};

/// "BELTWAY OK - orders: lag 12, 2 consumers | lag=12;1000;5000;0 consumers=2;2:;1:;0", with a newline.
/// A reading that is no longer ok is told with its limit.
[[nodiscard]] std::string nagios_line(const std::string& queue, const std::vector<Reading>& readings);
/// A line without figures.
[[nodiscard]] std::string nagios_line(CheckState state, const std::string& text);
[[nodiscard]] CheckState state_of(const std::vector<Reading>& readings) noexcept;
[[nodiscard]] const char* name_of(CheckState state) noexcept;

}  // namespace beltway::tool
