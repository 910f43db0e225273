// Properties of a message between JavaScript objects and the library.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "beltway/producer.hpp"
#include "beltway/properties.hpp"

namespace beltway::node {

/// The options of a publish, read from {sequence, key, correlationId, ...}. It owns the texts.
class JsPublishOptions {
 public:
  /// Throws Error(invalid_option) for a name that does not exist and for a value of the wrong type.
  JsPublishOptions(napi_env env, napi_value object);
  JsPublishOptions(const JsPublishOptions&) = delete;
  JsPublishOptions& operator=(const JsPublishOptions&) = delete;
  ~JsPublishOptions() = default;
  [[nodiscard]] const PublishOptions& options() const noexcept { return options_; }

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  bool read_one(napi_env env, const std::string& name, napi_value value);
  void read_headers(napi_env env, napi_value value);
  void add_header(napi_env env, napi_value name, napi_value value);

  PublishOptions options_;
  std::deque<std::string> texts_;
  std::vector<MessageHeader> headers_;
};

/// An object with the properties that the message has. Header values are strings if they are UTF-8, else Buffers.
[[nodiscard]] napi_value properties_to_js(napi_env env, const PropertiesView& properties);

}  // namespace beltway::node
