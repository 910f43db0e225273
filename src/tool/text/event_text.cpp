// See event_text.hpp.
#include "tool/text/event_text.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace beltway::tool {

namespace {

std::string time_text(std::uint64_t time_ns) {
  const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  const std::string ms = std::to_string(time_ns / 1'000'000 % 1000);
  return std::string(text.data(), size) + std::string(3 - ms.size(), '0') + ms;
}

std::string process_of(const Event& event) {
  if (event.pid == 0) return {};
  return "process " + std::to_string(event.pid) + (event.command.empty() ? "" : " (" + event.command + ")");
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string event_text(const Event& event) {
  std::string kind = event.kind;
  std::ranges::replace(kind, '_', ' ');
  std::string line = time_text(event.time_ns) + " #" + std::to_string(event.sequence) + " ";
  if (!event.queue.empty()) line += event.queue + ": ";
  line += kind;
  std::string separator = ": ";
  const auto add = [&line, &separator](const std::string& part) {
    if (!part.empty()) line += std::exchange(separator, ", ") + part;
  };
  if (!event.role.empty()) add(event.role + " " + std::to_string(event.index));
  if (!event.group.empty()) add("group " + event.group);
  add(process_of(event));
  if (event.pid != 0) add("user " + std::to_string(event.uid));
  if (!event.text.empty()) line += ": " + event.text;
  return line;
}

Json to_json(const Event& event) {
  const bool has_endpoint = !event.role.empty();
  const bool has_process = event.pid != 0;
  return {{"sequence", event.sequence},
          {"time_ns", event.time_ns},
          {"monotonic_ns", event.monotonic_ns},
          {"kind", event.kind},
          {"queue", text_or_null(event.queue)},
          {"queue_id", event.queue_id == 0 ? Json(nullptr) : Json(event.queue_id)},
          {"group", text_or_null(event.group)},
          {"role", text_or_null(event.role)},
          {"index", has_endpoint ? Json(event.index) : Json(nullptr)},
          {"pid", has_process ? Json(event.pid) : Json(nullptr)},
          {"uid", has_process ? Json(event.uid) : Json(nullptr)},
          {"command", text_or_null(event.command)},
          {"voided", event.voided},
          {"released", event.released},
          {"messages", event.messages},
          {"text", event.text}};
}

}  // namespace beltway::tool
