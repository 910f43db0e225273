// See message_json.hpp.
#include "tool/text/message_json.hpp"

#include "base/utf8.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/properties_text.hpp"

namespace beltway::tool {

namespace {

void add_payload(Json& json, std::string_view bytes) {
  if (is_utf8(bytes)) {
    json["text"] = bytes;
  } else {
    json["base64"] = base64(bytes);
  }
}

}  // namespace

Json to_json(const Message& message) {
  Json json{{"position", message.position()},
            {"producer", message.producer()},
            {"tries", message.deliveries() - 1},
            {"lost", message.lost()},
            {"size", message.size()}};
  if (const auto age = message.age()) json["age_us"] = age->count();
  if (message.has_properties()) json["properties"] = properties_json(message.properties());
  add_payload(json, message.text());
  return json;
}

Json to_json(const PeekedMessage& message) {
  Json json{{"position", message.position},
            {"producer", message.producer},
            {"size", message.size},
            {"cut", message.bytes.size() < message.size}};
  if (message.age) json["age_us"] = message.age->count();
  if (message.deliveries) {
    json["deliveries"] = *message.deliveries;
    json["holder"] = message.holder ? Json(*message.holder) : Json(nullptr);
  }
  if (!message.properties_block.empty()) json["properties"] = properties_json(message.properties());
  add_payload(json, as_text(message.bytes));
  return json;
}

Json to_json(const Digest& digest) {
  return {{"messages", digest.messages()}, {"bytes", digest.bytes()}, {"digest", digest.hex()}};
}

}  // namespace beltway::tool
