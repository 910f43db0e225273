// How `sub` writes a message: as a line, as its bytes, as a JSON object, or not at all.
#pragma once

#include <cstdint>

#include "beltway/message.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

enum class MessageFormat : std::uint8_t {
  lines,  ///< the bytes and a newline; escaped if the output is a terminal
  raw,    ///< the bytes
  json,   ///< an object a line, see README.md
  none,
};

/// Appends messages to an Output. One thread.
class MessageWriter {
 public:
  /// `with_properties`: a line begins with the message's properties in brackets, if it has some.
  MessageWriter(Output& output, MessageFormat format, bool with_properties = false);

  /// Afterwards the message may still be in the output's buffer: Output::pending() tells.
  void write(const Message& message);

 private:
  Output& output_;
  MessageFormat format_;
  bool escape_;
  bool with_properties_;
};

}  // namespace beltway::tool
