// Messages that were not taken, as `peek` prints them, for people and as JSON.
// Thread safety: pure functions, but for names of processes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

struct PeekLook {
  bool of_group = false;  ///< without a group there are no deliveries to tell of
  bool with_properties = false;
  std::size_t width = 0;  ///< columns of a line, 0: no limit
};

/// A table. `endpoints`: of the queue, for the processes of those that hold messages.
[[nodiscard]] std::string peek_text(const std::vector<PeekedMessage>& messages,
                                    const std::vector<EndpointInfo>& endpoints, const PeekLook& look);

/// The object of `peek --format json`.
[[nodiscard]] watch::Json peek_json(const std::string& queue, const std::vector<PeekedMessage>& messages);

}  // namespace beltway::tool
