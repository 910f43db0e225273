#include "bridge/rabbitmq/amqp_properties.hpp"

#include <algorithm>
#include <charconv>

#include "bridge/rabbitmq/amqp_connection.hpp"

namespace beltway::bridge {

namespace {

/// RabbitMQ's own count of deliveries: no word of the publisher's.
constexpr std::string_view k_delivery_count = "x-delivery-count";
constexpr std::uint8_t k_persistent = 2;

amqp_field_value_t text_value(std::string_view text) {
  amqp_field_value_t value{};
  value.kind = AMQP_FIELD_KIND_UTF8;  // "long string": any bytes
  value.value.bytes = bytes_of(text);
  return value;
}

/// A plain value as text; nothing: tables, lists and what has no text.
std::optional<std::string> text_of_field(const amqp_field_value_t& field) {
  const auto& value = field.value;
  switch (field.kind) {
    case AMQP_FIELD_KIND_BOOLEAN: return value.boolean != 0 ? "true" : "false";
    case AMQP_FIELD_KIND_I8: return std::to_string(value.i8);
    case AMQP_FIELD_KIND_U8: return std::to_string(value.u8);
    case AMQP_FIELD_KIND_I16: return std::to_string(value.i16);
    case AMQP_FIELD_KIND_U16: return std::to_string(value.u16);
    case AMQP_FIELD_KIND_I32: return std::to_string(value.i32);
    case AMQP_FIELD_KIND_U32: return std::to_string(value.u32);
    case AMQP_FIELD_KIND_I64: return std::to_string(value.i64);
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP: return std::to_string(value.u64);
    case AMQP_FIELD_KIND_F32: return std::to_string(value.f32);
    case AMQP_FIELD_KIND_F64: return std::to_string(value.f64);
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES: return std::string(view_of(value.bytes));
    default: return std::nullopt;
  }
}

void read_field(const amqp_table_entry_t& entry, std::vector<RemoteHeader>& headers) {
  const std::string name(view_of(entry.key));
  if (name == k_delivery_count) return;
  const auto add = [&](const amqp_field_value_t& field) {
    std::optional<std::string> text = text_of_field(field);
    if (text && headers.size() < k_max_table_entries) headers.push_back({name, std::move(*text)});
  };
  if (entry.value.kind != AMQP_FIELD_KIND_ARRAY) return add(entry.value);
  const amqp_array_t& list = entry.value.value.array;
  for (int i = 0; i < list.num_entries; ++i) add(list.entries[i]);
}

}  // namespace

const amqp_basic_properties_t& AmqpProperties::of(const RemoteMessage& message) {
  properties_ = {};
  const auto set = [this](amqp_flags_t flag, amqp_bytes_t& field, std::string_view text) {
    if (text.empty()) return;
    properties_._flags |= flag;
    field = bytes_of(text);
  };
  set(AMQP_BASIC_CONTENT_TYPE_FLAG, properties_.content_type, message.content_type);
  set(AMQP_BASIC_CORRELATION_ID_FLAG, properties_.correlation_id, message.correlation_id);
  set(AMQP_BASIC_REPLY_TO_FLAG, properties_.reply_to, message.reply_to);
  set(AMQP_BASIC_MESSAGE_ID_FLAG, properties_.message_id, message.message_id);
  if (message.timestamp_s) {
    properties_._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    properties_.timestamp = static_cast<std::uint64_t>(*message.timestamp_s);
  }
  if (message.expiration_ms) {
    expiration_ = std::to_string(*message.expiration_ms);
    set(AMQP_BASIC_EXPIRATION_FLAG, properties_.expiration, expiration_);
  }
  properties_._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties_.delivery_mode = k_persistent;
  add_headers(message);
  return properties_;
}

/// A table has each name once: a name that occurs several times becomes a list of its values.
void AmqpProperties::add_headers(const RemoteMessage& message) {
  entries_.clear();
  lists_.clear();
  lists_.reserve(message.headers.size());
  for (const RemoteHeader& header : message.headers) {
    const auto is_same = [&](const amqp_table_entry_t& entry) { return view_of(entry.key) == header.name; };
    const auto same = std::find_if(entries_.begin(), entries_.end(), is_same);
    if (same == entries_.end()) {
      entries_.push_back({bytes_of(header.name), text_value(header.value)});
      continue;
    }
    if (same->value.kind != AMQP_FIELD_KIND_ARRAY) {
      lists_.push_back({same->value});
      lists_.back().reserve(message.headers.size());  // so that the list stays where it is
      same->value.kind = AMQP_FIELD_KIND_ARRAY;
      same->value.value.array = {1, lists_.back().data()};
    }
    for (auto& list : lists_) {
      if (list.data() == same->value.value.array.entries) list.push_back(text_value(header.value));
    }
    ++same->value.value.array.num_entries;
  }
  if (entries_.empty()) return;
  properties_._flags |= AMQP_BASIC_HEADERS_FLAG;
  properties_.headers = {static_cast<int>(entries_.size()), entries_.data()};
}

void read_properties(const amqp_basic_properties_t& properties, RemoteMessage& message) {
  const auto has = [&properties](amqp_flags_t flag) { return (properties._flags & flag) != 0; };
  const auto get = [&has](amqp_flags_t flag, const amqp_bytes_t& field, std::string& text) {
    text = has(flag) ? view_of(field) : std::string_view();
  };
  get(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type, message.content_type);
  get(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id, message.correlation_id);
  get(AMQP_BASIC_REPLY_TO_FLAG, properties.reply_to, message.reply_to);
  get(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id, message.message_id);
  message.timestamp_s.reset();
  message.expiration_ms.reset();
  message.headers.clear();
  if (has(AMQP_BASIC_TIMESTAMP_FLAG)) message.timestamp_s = static_cast<std::int64_t>(properties.timestamp);
  if (has(AMQP_BASIC_EXPIRATION_FLAG)) {
    const std::string_view text = view_of(properties.expiration);
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) message.expiration_ms = value;
  }
  if (!has(AMQP_BASIC_HEADERS_FLAG)) return;
  for (int i = 0; i < properties.headers.num_entries; ++i) read_field(properties.headers.entries[i], message.headers);
}

}  // namespace beltway::bridge
