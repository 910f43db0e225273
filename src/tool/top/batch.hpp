// `beltway top --batch`: samples as plain text or JSON, for scripts and logs. Needs no terminal.
// Thread safety: one thread, the one that made the Interrupt behind the output's stop token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tool/top/queue_order.hpp"
#include "watch/model.hpp"

namespace beltway::tool {

/// One sample as text: the daemon, a line for each queue, all verdicts in full. The same fleet always gives the same text.
[[nodiscard]] std::string batch_text(const watch::Fleet& fleet, const QueueSelection& selection, std::int64_t at_s);

/// One sample as a line of JSON: the fleet with the selected queues, in order.
[[nodiscard]] std::string batch_json(const watch::Fleet& fleet, const QueueSelection& selection, std::int64_t at_s);

}  // namespace beltway::tool
