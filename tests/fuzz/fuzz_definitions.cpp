// The reader of `beltway import`, over any text: it refuses with a Failure, or reads definitions that come out the same when they
// are written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tool/process/exit_code.hpp"
#include "tool/text/definitions.hpp"

namespace {

using namespace beltway;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string written(const std::vector<tool::Definition>& definitions) {
  std::vector<QueueInfo> queues;
  for (const tool::Definition& each : definitions) {
    QueueInfo& info = queues.emplace_back();
    info.name = each.name;
    info.options = each.options;
  }
  return tool::definitions_text(queues);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<tool::Definition> definitions;
  try {
    definitions = tool::parse_definitions(std::string_view(reinterpret_cast<const char*>(data), size), "input");
  } catch (const tool::Failure&) {
    return 0;
  }
  const std::string once = written(definitions);
  require(written(tool::parse_definitions(once, "output")) == once);  // a refusal ends the program
  try {
    require(tool::in_order_of_dead_letters(definitions).size() == definitions.size());
  } catch (const tool::Failure&) {
    return 0;  // they go round in a circle
  }
  return 0;
}
