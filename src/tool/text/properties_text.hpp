// Properties of a message, for people and for programs.
#pragma once

#include <string>

#include "beltway/properties.hpp"
#include "tool/text/message_json.hpp"

namespace beltway::tool {

/// "key=order-7 header:tenant=7": names as the flags of `pub`, values escaped. Empty if there are none.
[[nodiscard]] std::string properties_text(const PropertiesView& properties);

/// The object `properties` of a message.
[[nodiscard]] Json properties_json(const PropertiesView& properties);

}  // namespace beltway::tool
