// Definitions of queues as a JSON text for people and programs: what `export` writes and `import` reads.
//
// {"beltway_definitions": 1, "queues": [{"name": ..., options by their names in `list`, "groups": [{"name": ..., own options}]}]}
//
// The table of options (wire/options_schema.hpp) says which options there are. The text has all of them but those of which no
// value stands for the default. Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/info.hpp"
#include "beltway/options.hpp"

namespace beltway::tool {

struct Definition {
  std::string name;
  QueueOptions options;
  std::vector<std::string> said;  ///< the options that the text has, by their names; the others are not compared
};

/// In lines, queues by name. Exclusive queues are left out: they end with their process.
[[nodiscard]] std::string definitions_text(std::vector<QueueInfo> queues);

/// In the order of the text. `name` stands for the text in errors. Throws Failure(failed), which names the queue and the
/// option: no JSON, another form, an unknown or repeated key, a queue or group that is defined twice, a value out of its
/// range.
[[nodiscard]] std::vector<Definition> parse_definitions(std::string_view text, const std::string& name);

/// Each behind the queues that get its dead letters. Throws Failure(failed) if dead letters would go round in a circle.
[[nodiscard]] std::vector<Definition> in_order_of_dead_letters(std::vector<Definition> definitions);

}  // namespace beltway::tool
