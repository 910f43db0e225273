// The JSON shapes of messages, beside those of watch/json.hpp. README.md documents them: keys may be added, none changes its
// meaning or goes.
#pragma once

#include "beltway/info.hpp"
#include "beltway/message.hpp"
#include "tool/text/digest.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

using watch::causes_json;
using watch::Json;
using watch::json_line;
using watch::name_of;
using watch::to_json;

[[nodiscard]] Json to_json(const Message& message);
[[nodiscard]] Json to_json(const PeekedMessage& message);
[[nodiscard]] Json to_json(const Digest& digest);

}  // namespace beltway::tool
