// Which queues a list shows, and in which order.
// Thread safety: pure functions; owner names come from the user database and are kept.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watch/model.hpp"

namespace beltway::tool {

enum class QueueSort : unsigned char { trouble, name, in, out, depth, lag, age, consumers, memory };

struct QueueSortName {
  QueueSort sort;
  char key;  ///< in the menu of the screen
  std::string_view name;
};
/// In the order of the menu.
inline constexpr std::array<QueueSortName, 9> k_queue_sorts{{{QueueSort::trouble, 't', "trouble"},
                                                             {QueueSort::name, 'n', "name"},
                                                             {QueueSort::in, 'i', "in"},
                                                             {QueueSort::out, 'o', "out"},
                                                             {QueueSort::depth, 'd', "depth"},
                                                             {QueueSort::lag, 'l', "lag"},
                                                             {QueueSort::age, 'a', "age"},
                                                             {QueueSort::consumers, 'c', "consumers"},
                                                             {QueueSort::memory, 'm', "memory"}}};

[[nodiscard]] std::string_view name_of(QueueSort sort) noexcept;
[[nodiscard]] std::optional<QueueSort> parse_queue_sort(const std::string& text);

struct QueueSelection {
  QueueSort sort = QueueSort::trouble;
  bool reversed = false;
  std::string filter = {};
};

/// Whether the name of the queue, of one of its groups or of its owner has the text in it, or fits it if it has `*` or `?`. Upper
/// and lower case are one.
[[nodiscard]] bool fits(const watch::QueueView& queue, std::string_view filter);

/// The queues that fit, the gravest, largest or first name first. Equal ones stand by name. They point into `fleet`.
[[nodiscard]] std::vector<const watch::QueueView*> selected_queues(const watch::Fleet& fleet,
                                                                   const QueueSelection& selection);

/// Used slots of all, 0 to 1.
[[nodiscard]] double depth_of(const watch::QueueView& queue) noexcept;
/// Seconds: of the oldest message, or else the delay that depth and rate say. 0: not known.
[[nodiscard]] double age_of(const watch::QueueView& queue) noexcept;

}  // namespace beltway::tool
