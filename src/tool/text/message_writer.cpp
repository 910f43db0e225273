// Messages into bytes.
#include "tool/text/message_writer.hpp"

#include "tool/text/message_json.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/properties_text.hpp"

namespace beltway::tool {

namespace {

/// From here on a system call a message costs less than copying it into the buffer.
constexpr std::size_t k_write_through_from_bytes = 16 * 1024;

}  // namespace

MessageWriter::MessageWriter(Output& output, MessageFormat format, bool with_properties)
    : output_(output),
      format_(format),
      escape_(format == MessageFormat::lines && output.is_terminal()),
      with_properties_(format == MessageFormat::lines && with_properties) {}

void MessageWriter::write(const Message& message) {
  const std::string_view tail = format_ == MessageFormat::lines ? "\n" : "";
  if (with_properties_ && message.has_properties()) output_.append("[" + properties_text(message.properties()) + "] ");
  switch (format_) {
    case MessageFormat::none: return;
    case MessageFormat::json: return output_.append(to_json(message).dump() + "\n");
    case MessageFormat::lines:
      if (escape_) return output_.append(printable(message.text()) + "\n");
      [[fallthrough]];
    case MessageFormat::raw:
      if (message.size() >= k_write_through_from_bytes) return output_.write_through(message.bytes(), tail);
      output_.append(message.bytes());
      output_.append(tail);
  }
}

}  // namespace beltway::tool
