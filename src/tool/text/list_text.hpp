// Queues as lines and as JSON: what `list` prints.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watch/json.hpp"
#include "watch/model.hpp"

namespace beltway::tool {

/// The order of the lines.
enum class ListOrder : std::uint8_t { trouble, name, used, lag, in, out, age, size };
[[nodiscard]] std::optional<ListOrder> parse_list_order(const std::string& text);
/// "trouble|name|...".
[[nodiscard]] std::string list_order_words();

/// By the name for equal ones. `trouble` leaves them as they are.
void sort_queues(std::vector<watch::QueueView>& queues, ListOrder order);

/// True if the filter is part of the queue's name, of a group's or of its owner's; a filter with * or ? must match one of
/// these as a whole, as the shell matches names of files.
[[nodiscard]] bool matches(const watch::QueueView& queue, const std::string& filter);

/// Lines under a header, one a queue, as wide as they are: for files and pipes.
[[nodiscard]] std::string list_text(const std::vector<watch::QueueView>& queues);

/// Lines of at most `width` columns, one a queue. `with_rates`: two samples were taken.
[[nodiscard]] std::string list_text_fitted(const std::vector<watch::QueueView>& queues, std::size_t width,
                                           bool with_rates);

/// The object of `list --format json`, with these queues of the fleet.
[[nodiscard]] watch::Json list_json(const watch::Fleet& fleet, const std::vector<watch::QueueView>& queues,
                                    bool with_rates);

}  // namespace beltway::tool
