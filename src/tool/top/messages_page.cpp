// The list of messages, and one message as text, hex or JSON.
#include <algorithm>
#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "tool/text/payload_text.hpp"
#include "tool/text/properties_text.hpp"
#include "tool/text/units.hpp"
#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_position = 12;
constexpr std::size_t k_number = 4;
constexpr std::size_t k_size = 9;
constexpr std::size_t k_age_columns = 5;

std::string age_text(const PeekedMessage& message) {
  return message.age ? short_duration(std::chrono::duration<double>(*message.age).count()) : "-";
}

std::string text_of(const std::optional<unsigned>& number) { return number ? std::to_string(*number) : "-"; }

struct MessageRow {
  std::string position;
  std::string producer;
  std::string size;
  std::string age;
  std::string deliveries;
  std::string holder;

  [[nodiscard]] std::string text() const {
    const auto cell = [](const std::string& text, std::size_t width) {
      return fitted(text, width, Charset::utf8, Align::right) + ' ';
    };
    return cell(position, k_position) + cell(producer, k_number) + cell(size, k_size) + cell(age, k_age_columns) +
           cell(deliveries, k_number) + cell(holder, k_number) + ' ';
  }
};

std::string hex_row(std::string_view bytes, std::size_t offset, std::size_t wide) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%08zx ", offset);
  std::string row = text.data();
  std::string readable;
  for (std::size_t i = 0; i < wide; ++i) {
    if (i % 8 == 0) row += ' ';
    if (i >= bytes.size()) {
      row += "   ";
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[i]);
    std::snprintf(text.data(), text.size(), "%02x ", static_cast<unsigned>(byte));
    row += text.data();
    readable += byte >= 0x20 && byte < 0x7f ? bytes[i] : '.';
  }
  return row + " |" + readable + '|';
}

void add_hex(std::vector<PageLine>& lines, std::string_view bytes, std::size_t width) {
  const std::size_t wide = width >= 80 ? 16 : 8;
  for (std::size_t offset = 0; offset < bytes.size(); offset += wide) {
    lines.push_back({.spans = {{hex_row(bytes.substr(offset, wide), offset, wide)}}});
  }
}

/// A newline ends a line; other control characters are escaped.
void add_text(std::vector<PageLine>& lines, std::string_view text, std::size_t width, Charset charset) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    for (std::string& line : wrapped(text.substr(0, end), width, charset))
      lines.push_back({.spans = {{std::move(line)}}});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void add_json(std::vector<PageLine>& lines, std::string_view text, std::size_t width, Charset charset) {
  // A value that lies deep would need as deep a stack to be written.
  static constexpr int k_deepest = 64;
  bool too_deep = false;
  const auto watch_depth = [&too_deep](int depth, nlohmann::ordered_json::parse_event_t, nlohmann::ordered_json&) {
    too_deep = too_deep || depth > k_deepest;
    return depth <= k_deepest;
  };
  const auto json = nlohmann::ordered_json::parse(text.begin(), text.end(), watch_depth, false);
  if (json.is_discarded() || too_deep) {
    const char* const why = too_deep ? "this JSON is too deep to be shown; t shows it as text"
                                     : "the payload is no JSON; t shows it as text, h as hex";
    lines.push_back({.spans = {{why, {Ink::warning}}}});
    return;
  }
  add_text(lines, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace), width, charset);
}

void add_facts(std::vector<PageLine>& lines, const PeekedMessage& message, std::size_t width, Charset charset) {
  std::string facts = "position " + std::to_string(message.position) + ", producer " +
                      std::to_string(message.producer) + ", " + format_count(message.size) + " bytes";
  if (message.age) facts += ", published " + age_text(message) + " ago";
  if (message.deliveries) facts += ", delivered " + format_count(*message.deliveries) + " times";
  if (message.holder) facts += ", held by consumer " + std::to_string(*message.holder);
  if (message.bytes.size() < message.size)
    facts += ", of which the first " + format_count(message.bytes.size()) + " are shown";
  lines.push_back({.spans = {{facts, {.bold = true}}}});
  const std::string properties = properties_text(message.properties());
  if (properties.empty()) return;
  for (std::string& line : wrapped(properties, width, charset))
    lines.push_back({.spans = {{std::move(line), {Ink::note}}}});
}

}  // namespace

std::string message_list_heading() {
  return MessageRow{"POSITION", "PROD", "SIZE", "AGE", "GOT", "BY"}.text() + "MESSAGE";
}

std::vector<PageLine> message_list_lines(const MessageList& list, std::size_t first, std::size_t count) {
  std::vector<PageLine> lines;
  for (std::size_t i = first; i < list.messages.size() && lines.size() < count; ++i) {
    const PeekedMessage& message = list.messages[i];
    const std::string row = MessageRow{std::to_string(message.position),
                                       std::to_string(message.producer),
                                       format_size(static_cast<double>(message.size)),
                                       age_text(message),
                                       text_of(message.deliveries),
                                       text_of(message.holder)}
                                .text();
    lines.push_back({.spans = {{row, {}}, {std::string(as_text(message.bytes)), {}}}});
  }
  return lines;
}

std::vector<PageLine> message_lines(const OpenMessage& open, MessageForm form, std::size_t width, Charset charset) {
  std::vector<PageLine> lines;
  if (!open.message) {
    lines.push_back({.spans = {{open.trouble, {Ink::warning}}}});
    return lines;
  }
  add_facts(lines, *open.message, width, charset);
  lines.emplace_back();
  const std::string_view payload = as_text(open.message->bytes);
  if (payload.empty()) lines.push_back({.spans = {{"the payload is empty", {Ink::quiet}}}});
  switch (form) {
    case MessageForm::text: add_text(lines, payload, width, charset); break;
    case MessageForm::hex: add_hex(lines, payload, width); break;
    case MessageForm::json:
      if (!payload.empty()) add_json(lines, payload, width, charset);
      break;
  }
  return lines;
}

}  // namespace beltway::tool
