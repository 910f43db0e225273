// The flags by which `pub` gives properties to its messages.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "beltway/properties.hpp"
#include "tool/commands/command_line.hpp"

namespace beltway::tool {

/// Must outlive the command line. Thread safety: as a value.
class PropertyFlags {
 public:
  void add_to(Command& command);
  /// Call it once the command line is parsed. The properties are views of this object. Throws a usage error: a header without
  /// "=", or what is beyond a limit.
  [[nodiscard]] Properties parse();

 private:
  std::string key_;
  std::string correlation_id_;
  std::string reply_to_;
  std::string content_type_;
  std::string trace_id_;
  bool publish_time_ = false;
  std::optional<std::chrono::nanoseconds> ttl_;
  std::vector<std::string> header_texts_;
  std::vector<MessageHeader> headers_;
};

}  // namespace beltway::tool
