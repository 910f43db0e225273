// See peek_text.hpp.
#include "tool/text/peek_text.hpp"

#include <algorithm>
#include <string_view>

#include "tool/text/message_json.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/properties_text.hpp"
#include "tool/text/table.hpp"
#include "tool/text/units.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_text_columns = 80;

/// The consumer that holds the message, with its process: "2 (process 4711 worker, stopped)".
std::string holder_text(const PeekedMessage& message, const std::vector<EndpointInfo>& endpoints) {
  if (!message.holder) return "-";
  const auto holder = std::ranges::find_if(
      endpoints, [&message](const EndpointInfo& each) { return !each.producer && each.index == *message.holder; });
  const std::string index = std::to_string(*message.holder);
  return holder == endpoints.end() ? index : index + " (" + watch::process_text(holder->pid) + ")";
}

}  // namespace

std::string peek_text(const std::vector<PeekedMessage>& messages, const std::vector<EndpointInfo>& endpoints,
                      const PeekLook& look) {
  std::vector<std::string_view> headings{">POSITION", ">PRODUCER", ">SIZE", ">AGE"};
  if (look.of_group) headings.insert(headings.end(), {">DELIVERIES", "HELD BY"});
  headings.emplace_back("MESSAGE");
  if (look.with_properties) headings.emplace_back("PROPERTIES");
  Table table(headings);
  for (const PeekedMessage& message : messages) {
    // A character is at most four bytes; more than the columns show need not be escaped first.
    const std::string_view start = as_text(message.bytes).substr(0, 4 * k_text_columns);
    const std::string text = printable(start) + (start.size() < message.size ? "..." : "");
    std::vector<std::string> row{std::to_string(message.position), std::to_string(message.producer),
                                 format_size(static_cast<double>(message.size)),
                                 message.age ? format_duration(*message.age) : "-"};
    if (look.of_group) {
      row.push_back(std::to_string(message.deliveries.value_or(0)));
      row.push_back(holder_text(message, endpoints));
    }
    row.push_back(shortened(text, k_text_columns));
    row.push_back(properties_text(message.properties()));  // left out without its heading
    table.add(std::move(row));
  }
  return table.text(0, look.width);
}

watch::Json peek_json(const std::string& queue, const std::vector<PeekedMessage>& messages) {
  Json list = Json::array();
  for (const PeekedMessage& message : messages) list.push_back(to_json(message));
  return {{"queue", queue}, {"messages", std::move(list)}};
}

}  // namespace beltway::tool
