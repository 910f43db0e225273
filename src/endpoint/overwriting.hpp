// Which received messages may be overwritten while the program has them. For languages with garbage collection, whose programs do
// not know how long they keep a view: they copy such messages.
#pragma once

#include "beltway/message.hpp"

namespace beltway::endpoint {

/// True if the bytes of the message may be overwritten while its object holds it: its lease may end by lease_timeout, its
/// consumer may be evicted, or it is lossy. Whoever copies such a message asks Message::still_held() afterwards. The answer stays
/// as it was when the message was received, or becomes true later. False for an empty object.
[[nodiscard]] bool may_be_overwritten(const Message& message) noexcept;

}  // namespace beltway::endpoint
