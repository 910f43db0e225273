// The minimum reader of a queue: which layout a program must know to work on the queue, and for which option.
//
// A program that does not know an option would misread it or leave it out. So an option that is set closes the queue to programs
// of layouts before OptionRow::since. Options that such a program may ignore close nothing.
// Thread safety: pure functions.
#pragma once

#include <span>
#include <string>

#include "wire/json_reader.hpp"
#include "wire/layout_version.hpp"
#include "wire/options_schema.hpp"

namespace beltway::wire {

struct LeastReader {
  LayoutVersion layout{ring::k_layout_major, 0};
  std::string option = {};  ///< needs `layout`; empty: the memory of each queue does

  /// Whether a program of layout `own` may work on the queue.
  [[nodiscard]] bool admits(LayoutVersion own) const noexcept {
    return own.major == layout.major && own.minor >= layout.minor;
  }
  /// "layout 4.1 for its option stamps".
  [[nodiscard]] std::string text() const;

  /// Raises the layout to what the options need that are set.
  template <class Options>
  void raise(const Options& options, std::span<const OptionRow<Options>> rows = options_of<Options>()) {
    for (const OptionRow<Options>& row : rows) {
      if (!row.is_sent || row.is_ignorable || row.is_default(options) || row.since <= layout) continue;
      layout = row.since;
      option = row.name;
    }
  }
};

/// Of a queue with these options. `options.groups` count, too.
[[nodiscard]] LeastReader least_reader(const QueueOptions& options);

/// Throws Error(incompatible) if `queue`, a description, says that a program of layout `own` must not work on the queue.
void check_reader(const JsonReader& queue, const std::string& context, LayoutVersion own = k_own_layout);

}  // namespace beltway::wire
