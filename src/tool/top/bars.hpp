// Small pictures in one row of text: a bar, a line of a past, a ring.
// Thread safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tool/top/styled_grid.hpp"
#include "watch/model.hpp"

namespace beltway::tool {

/// A share of 0 to 1 as a bar of exactly `width` columns. A share above 0 shows at least a little; only 1 shows a full bar.
[[nodiscard]] std::string bar(double share, std::size_t width, Charset charset);

/// The last `width` values as heights, the newest on the right; blanks where there are none yet. The highest value has full
/// height. A value above 0 shows at least a little.
[[nodiscard]] std::string sparkline(std::span<const float> values, std::size_t width, Charset charset);

/// One letter for what a slot holds; strip_legend() explains the letters.
[[nodiscard]] char letter_of(watch::SlotLook look) noexcept;
/// The ring's cells with their styles, as pieces of a line.
[[nodiscard]] std::vector<Span> strip_spans(const watch::RingStrip& strip);
/// A row below the ring with a letter for each floor, A for the first one. '*': several floors.
[[nodiscard]] std::string floors_row(const watch::RingStrip& strip);
/// "A billing 88, B audit 90"
[[nodiscard]] std::string floors_legend(const watch::RingStrip& strip);
/// The letters of the ring that occur, and what they mean.
[[nodiscard]] std::string strip_legend(const watch::RingStrip& strip);

}  // namespace beltway::tool
