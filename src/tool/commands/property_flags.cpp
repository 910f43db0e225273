// See property_flags.hpp.
#include "tool/commands/property_flags.hpp"

#include "beltway/limits.hpp"

namespace beltway::tool {

namespace {

void check_size(const char* flag, std::size_t size, std::size_t limit, const char* unit) {
  if (size <= limit) return;
  throw_usage(flag, std::to_string(size) + " " + unit + ", but a message may have at most " + std::to_string(limit));
}

MessageHeader parse_header(std::string_view text) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos) throw_usage("--header", "\"" + std::string(text) + "\" is no NAME=VALUE");
  return {text.substr(0, at), text.substr(at + 1)};
}

}  // namespace

void PropertyFlags::add_to(Command& command) {
  command.add_text("--key", key_, "Property: what the messages are about").type_name("TEXT");
  command.add_text("--correlation-id", correlation_id_, "Property: which request they answer").type_name("TEXT");
  command.add_text("--reply-to", reply_to_, "Property: the queue for answers").type_name("NAME");
  command.add_text("--content-type", content_type_, "Property: e.g. application/json").type_name("TYPE");
  command.add_text("--trace-id", trace_id_, "Property: a W3C traceparent, or the identifier of a trace")
      .type_name("TEXT");
  command.add_texts("--header", header_texts_, "Property: an application header; may be repeated")
      .type_name("NAME=VALUE");
  command.add_duration("--ttl", ttl_, "Property: how long each message may wait for its delivery (for ever)");
  command.add_flag("--publish-time", publish_time_, "Property: the time of each publish");
}

Properties PropertyFlags::parse() {
  check_size("--key", key_.size(), k_max_property_bytes, "bytes");
  check_size("--correlation-id", correlation_id_.size(), k_max_property_bytes, "bytes");
  check_size("--reply-to", reply_to_.size(), k_max_property_bytes, "bytes");
  check_size("--content-type", content_type_.size(), k_max_property_bytes, "bytes");
  check_size("--trace-id", trace_id_.size(), k_max_property_bytes, "bytes");
  check_size("--header", header_texts_.size(), k_max_headers, "headers");
  std::size_t all = 0;
  for (const std::string& text : header_texts_) {
    headers_.push_back(parse_header(text));
    check_size("--header", headers_.back().name.size(), k_max_header_name_bytes, "bytes of a name");
    all += text.size() - 1;
  }
  check_size("--header", all, k_max_headers_bytes, "bytes of headers");
  return {.key = key_,
          .correlation_id = correlation_id_,
          .reply_to = reply_to_,
          .content_type = content_type_,
          .trace_id = trace_id_,
          .headers = headers_,
          .publish_time = publish_time_ ? Properties::now : PublishTime{},
          .ttl = std::chrono::duration_cast<std::chrono::microseconds>(ttl_.value_or(std::chrono::nanoseconds(0)))};
}

}  // namespace beltway::tool
