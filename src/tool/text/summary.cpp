// Printing of the figures at the end.
#include "tool/text/summary.hpp"

#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

void Summary::print(const How& how) const {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double messages_per_s = seconds > 0 ? static_cast<double>(messages) / seconds : 0;
  const double bytes_per_s = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  Output output(how.on_standard_error ? 2 : 1, how.on_standard_error ? "standard error" : "standard output");
  if (how.json) {
    Json json{{"queue", queue},
              {"messages", messages},
              {"bytes", bytes},
              {"seconds", seconds},
              {"messages_per_s", messages_per_s},
              {"bytes_per_s", bytes_per_s}};
    if (skipped) json["skipped"] = *skipped;
    if (lost) json["lost"] = *lost;
    if (redelivered) json["redelivered"] = *redelivered;
    if (first_to_last_seconds) json["first_to_last_seconds"] = *first_to_last_seconds;
    if (!end.empty()) json["end"] = end;
    if (digest) json["digest"] = digest->hex();
    output.append(json_line(json));
  } else if (digest) {
    output.append(digest->line() + "\n");
  }
  output.flush();
  if (how.json || !how.people) return;
  std::string text =
      queue + ": " + format_count(messages) + " messages, " + format_size(static_cast<double>(bytes)) + " in " +
      format_nanoseconds(seconds * 1e9) +
      (first_to_last_seconds ? " (" + format_nanoseconds(*first_to_last_seconds * 1e9) + " from the first to the last)"
                             : "") +
      ": " + format_rate(messages_per_s) + ", " + format_size(bytes_per_s) + "/s";
  if (skipped && *skipped > 0) text += ", " + format_count(*skipped) + " skipped: published before";
  if (lost && *lost > 0) text += ", " + format_count(*lost) + " lost";
  if (redelivered && *redelivered > 0) text += ", " + format_count(*redelivered) + " delivered before";
  Output people(2, "standard error");
  people.append(text + "\n");
  people.flush();
}

}  // namespace beltway::tool
