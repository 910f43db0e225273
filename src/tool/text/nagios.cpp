// See nagios.hpp.
#include "tool/text/nagios.hpp"

#include <algorithm>
#include <charconv>

namespace beltway::tool {

namespace {

std::string number(double value) {
  char digits[32];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// "5" is a range from 0 to 5, "5:" one from 5 up.
std::string range(const std::optional<double>& limit, Reading::Bound bound) {
  if (!limit) return "";
  return number(*limit) + (bound == Reading::Bound::at_least ? ":" : "");
}

std::string performance_data(const std::vector<Reading>& readings) {
  std::string out;
  for (const Reading& each : readings) {
    // A label that has a blank or a quotation mark would need quotes; queue and group names have neither.
    out += " " + each.label + "=" + number(each.value) + each.unit + ";" + range(each.warning, each.bound) + ";" +
           range(each.critical, each.bound) + ";0";
  }
  return out;
}

/// "lag 6000 (critical above 5000)".
std::string told(const Reading& reading) {
  const CheckState state = reading.state();
  if (state == CheckState::ok) return reading.text;
  const bool is_critical = state == CheckState::critical;
  const double limit = is_critical ? *reading.critical : *reading.warning;
  return reading.text + (is_critical ? " (critical " : " (warning ") +
         (reading.bound == Reading::Bound::at_most ? "above " : "below ") + number(limit) + reading.unit + ")";
}

}  // namespace

CheckState worse(CheckState a, CheckState b) noexcept {
  const auto rank = [](CheckState state) {
    switch (state) {
      case CheckState::ok: return 0;
      case CheckState::warning: return 1;
      case CheckState::unknown: return 2;
      case CheckState::critical: return 3;
    }
    return 3;
  };
  return rank(a) < rank(b) ? b : a;
}

CheckState Reading::state() const noexcept {
  const auto is_beyond = [this](const std::optional<double>& limit) {
    return limit && (bound == Bound::at_most ? value > *limit : value < *limit);
  };
  if (is_beyond(critical)) return CheckState::critical;
  return is_beyond(warning) ? CheckState::warning : CheckState::ok;
}

CheckState state_of(const std::vector<Reading>& readings) noexcept {
  CheckState state = CheckState::ok;
  for (const Reading& each : readings) state = worse(state, each.state());
  return state;
}

const char* name_of(CheckState state) noexcept {
  switch (state) {
    case CheckState::ok: return "OK";
    case CheckState::warning: return "WARNING";
    case CheckState::critical: return "CRITICAL";
    case CheckState::unknown: return "UNKNOWN";
  }
  return "UNKNOWN";
}

std::string nagios_line(CheckState state, const std::string& text) {
  // The bar begins the performance data, and a newline ends the text that monitors show.
  std::string safe = text;
  std::ranges::replace(safe, '|', '/');
  std::ranges::replace(safe, '\n', ' ');
  return std::string("BELTWAY ") + name_of(state) + " - " + safe + "\n";
}

std::string nagios_line(const std::string& queue, const std::vector<Reading>& readings) {
  std::string text;
  for (const Reading& each : readings) text += (text.empty() ? "" : ", ") + told(each);
  std::string line = nagios_line(state_of(readings), queue + ": " + text);
  line.insert(line.size() - 1, " |" + performance_data(readings));
  return line;
}

}  // namespace beltway::tool
