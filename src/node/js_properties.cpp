#include "node/js_properties.hpp"

#include <chrono>
#include <cmath>

#include "base/utf8.hpp"
#include "beltway/error.hpp"
#include "node/napi.hpp"

namespace beltway::node {

namespace {

using std::chrono::microseconds;

// Through whole microseconds: a double does not hold the nanoseconds since 1970.
double milliseconds_since_1970(PublishTime time) {
  return static_cast<double>(std::chrono::floor<microseconds>(time.time_since_epoch()).count()) / 1000;
}

/// A time or a duration from 0 on. What is beyond the limit no clock of nanoseconds holds.
microseconds microseconds_of(napi_env env, napi_value value, const std::string& what) {
  constexpr double k_limit_ms = 9e12;
  const double number = number_of(env, value, what);
  if (!(number >= 0 && number <= k_limit_ms))
    throw Error(Errc::invalid_option, what + " takes milliseconds, 0 to 9e12");
  return microseconds(std::llround(number * 1000));
}

napi_value value_of(napi_env env, std::string_view bytes) {
  if (is_utf8(bytes)) return to_js(env, bytes);
  napi_value buffer = nullptr;
  check(env, napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &buffer));
  return buffer;
}

napi_value dead_letter_to_js(napi_env env, const DeadLetter& letter) {
  return Object(env)
      .set("reason", to_string(letter.reason))
      .set("deliveries", letter.deliveries)
      .set("position", letter.position)
      .set("firstTime", milliseconds_since_1970(letter.first_time))
      .set("lastTime", milliseconds_since_1970(letter.last_time))
      .set("queue", letter.queue)
      .set("group", letter.group)
      .value();
}

}  // namespace

JsPublishOptions::JsPublishOptions(napi_env env, napi_value object) {
  std::uint32_t count = 0;
  const napi_value keys = keys_of(env, object, "publish: the second argument", count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = string_of(env, element_of(env, keys, i), "a name");
    const napi_value value = property_of(env, object, name.c_str());
    if (!is_given(env, value)) continue;
    if (!read_one(env, name, value)) {
      throw Error(Errc::invalid_option, "publish: there is no option \"" + name +
                                            "\"; there are key, correlationId, replyTo, contentType, traceId, headers, "
                                            "publishTime, ttl, sequence, timeout, signal");
    }
  }
  options_.properties.headers = headers_;
}

bool JsPublishOptions::read_one(napi_env env, const std::string& name, napi_value value) {
  const std::string what = "publish: " + name;
  Properties& properties = options_.properties;
  if (name == "key") {
    properties.key = keep(string_of(env, value, what));
  } else if (name == "correlationId") {
    properties.correlation_id = keep(string_of(env, value, what));
  } else if (name == "replyTo") {
    properties.reply_to = keep(string_of(env, value, what));
  } else if (name == "contentType") {
    properties.content_type = keep(string_of(env, value, what));
  } else if (name == "traceId") {
    properties.trace_id = keep(string_of(env, value, what));
  } else if (name == "headers") {
    read_headers(env, value);
  } else if (name == "publishTime") {
    if (type_of(env, value) == napi_string) {
      if (string_of(env, value, what) != "now")
        throw Error(Errc::invalid_option, what + " takes \"now\", or milliseconds since 1970");
      properties.publish_time = Properties::now;
    } else {
      properties.publish_time = PublishTime(microseconds_of(env, value, what));
    }
  } else if (name == "ttl") {
    properties.ttl = microseconds_of(env, value, what);
  } else if (name == "sequence") {
    options_.sequence = whole_number_of(env, value, what);
  } else {
    return name == "timeout" || name == "signal";  // the JavaScript side reads these
  }
  return true;
}

void JsPublishOptions::add_header(napi_env env, napi_value name, napi_value value) {
  const std::string_view kept_name = keep(string_of(env, name, "publish: the name of a header"));
  const BytesOf bytes(env, value);
  const auto* const text = reinterpret_cast<const char*>(bytes.bytes().data());
  headers_.push_back({kept_name, keep(std::string(text, bytes.bytes().size()))});
}

void JsPublishOptions::read_headers(napi_env env, napi_value value) {
  std::uint32_t count = 0;
  if (is_array(env, value)) {
    check(env, napi_get_array_length(env, value, &count));
    for (std::uint32_t i = 0; i < count; ++i) {
      const napi_value pair = element_of(env, value, i);
      if (!is_array(env, pair)) throw Error(Errc::invalid_option, "publish: headers takes an array of [name, value]");
      add_header(env, element_of(env, pair, 0), element_of(env, pair, 1));
    }
    return;
  }
  const napi_value keys = keys_of(env, value, "publish: headers", count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const napi_value key = element_of(env, keys, i);
    napi_value each = nullptr;
    check(env, napi_get_property(env, value, key, &each));
    add_header(env, key, each);
  }
}

napi_value properties_to_js(napi_env env, const PropertiesView& properties) {
  Object object(env);
  const auto set = [&](const char* name, std::string_view text) {
    if (!text.empty()) object.set(name, value_of(env, text));
  };
  set("key", properties.key());
  set("correlationId", properties.correlation_id());
  set("replyTo", properties.reply_to());
  set("contentType", properties.content_type());
  set("traceId", properties.trace_id());
  object.set("headers", array_of(env, properties.headers(), [env](const MessageHeader& header) {
               napi_value pair = nullptr;
               check(env, napi_create_array_with_length(env, 2, &pair));
               check(env, napi_set_element(env, pair, 0, value_of(env, header.name)));
               check(env, napi_set_element(env, pair, 1, value_of(env, header.value)));
               return pair;
             }));
  if (properties.publish_time() != PublishTime{})
    object.set("publishTime", milliseconds_since_1970(properties.publish_time()));
  if (const DeadLetter* const letter = properties.dead_letter(); letter != nullptr)
    object.set("deadLetter", dead_letter_to_js(env, *letter));
  return object.value();
}

}  // namespace beltway::node
