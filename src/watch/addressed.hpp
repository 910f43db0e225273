// Remedies that reach the daemon whose verdicts they belong to.
// Thread safety: functions of their arguments.
#pragma once

#include <string>
#include <vector>

#include "watch/model.hpp"

namespace beltway::watch {

/// Each `beltway` in the commands gets `--socket SOCKET`, unless it has one: without it, it would reach the daemon that the
/// environment names. `socket`: as the caller has named it; empty: the environment named it, and the commands stay as they are.
void address_remedies(std::vector<Verdict>& verdicts, const std::string& socket);

/// The command with its socket; see above.
[[nodiscard]] std::string addressed(std::string command, const std::string& socket);

}  // namespace beltway::watch
