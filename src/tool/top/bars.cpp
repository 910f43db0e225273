#include "tool/top/bars.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "beltway/detail/words.hpp"

namespace beltway::tool {

namespace {

constexpr std::array<std::string_view, 9> k_parts{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
constexpr std::array<std::string_view, 9> k_heights{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 9> k_ascii_heights{" ", ".", ".", "-", "-", "=", "=", "#", "#"};

/// How many of `steps` steps the share takes: 0 only for nothing, all only for 1.
std::size_t steps_of(double share, std::size_t steps) {
  if (!(share > 0) || steps == 0) return 0;
  if (share >= 1) return steps;
  const auto taken = static_cast<std::size_t>(share * static_cast<double>(steps));
  return std::clamp<std::size_t>(taken, 1, std::max<std::size_t>(steps - 1, 1));
}

}  // namespace

std::string bar(double share, std::size_t width, Charset charset) {
  std::string out;
  if (charset == Charset::ascii) {
    const std::size_t taken = steps_of(share, width);
    return std::string(taken, '#') + std::string(width - taken, '.');
  }
  const std::size_t eighths = steps_of(share, width * 8);
  for (std::size_t column = 0; column < width; ++column) {
    out += k_parts[std::clamp<std::size_t>(eighths, column * 8, column * 8 + 8) - column * 8];
  }
  return out;
}

std::string sparkline(std::span<const float> values, std::size_t width, Charset charset) {
  if (values.size() > width) values = values.last(width);
  const float highest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  std::string out(width - values.size(), ' ');
  for (const float value : values) {
    const double share = highest > 0 ? static_cast<double>(value) / static_cast<double>(highest) : 0;
    // Rounded up, so that a small value is seen beside a high one.
    const auto height = static_cast<std::size_t>(std::clamp(std::ceil(share * 8), 0.0, 8.0));
    out += (charset == Charset::utf8 ? k_heights : k_ascii_heights)[height];
  }
  return out;
}

namespace {

struct SlotText {
  watch::SlotLook look;
  char letter;
  std::string_view name;
  Style style;
};

constexpr std::array k_slots{
    SlotText{watch::SlotLook::free, '.', "free", {Ink::quiet}},
    SlotText{watch::SlotLook::claimed, 'c', "claimed, not finished", {Ink::warning}},
    SlotText{watch::SlotLook::waiting, '#', "waiting", {}},
    SlotText{watch::SlotLook::leased, 'L', "held", {Ink::note}},
    SlotText{watch::SlotLook::acknowledged, '-', "acknowledged", {Ink::good}},
    SlotText{watch::SlotLook::delayed, 'd', "delayed", {Ink::warning}},
    SlotText{watch::SlotLook::parked, 'p', "parked", {Ink::warning}},
    SlotText{watch::SlotLook::voided, 'x', "gap", {Ink::trouble}},
    SlotText{watch::SlotLook::lane, '=', "payload in a lane", {}},
};

const SlotText& text_of_slot(watch::SlotLook look) noexcept {
  const auto found = std::find_if(k_slots.begin(), k_slots.end(), [look](const SlotText& t) { return t.look == look; });
  return found == k_slots.end() ? k_slots.front() : *found;
}

char letter_of_floor(std::size_t index) noexcept {
  return static_cast<char>(index < 26 ? 'A' + static_cast<int>(index) : '+');
}

}  // namespace

char letter_of(watch::SlotLook look) noexcept { return text_of_slot(look).letter; }

std::vector<Span> strip_spans(const watch::RingStrip& strip) {
  std::vector<Span> spans;
  for (const watch::SlotLook look : strip.cells) {
    const SlotText& text = text_of_slot(look);
    if (spans.empty() || spans.back().style != text.style) spans.push_back({"", text.style});
    spans.back().text += text.letter;
  }
  return spans;
}

std::string floors_row(const watch::RingStrip& strip) {
  std::string row(strip.cells.size(), ' ');
  for (std::size_t i = 0; i < strip.floors.size() && !row.empty(); ++i) {
    const auto ahead = static_cast<double>(detail::distance(strip.floors[i].position, strip.first));
    const double cell = ahead / std::max(strip.slots_per_cell, 1e-9);
    char& place = row[static_cast<std::size_t>(std::clamp(cell, 0.0, static_cast<double>(row.size() - 1)))];
    place = place == ' ' ? letter_of_floor(i) : '*';
  }
  return row;
}

std::string floors_legend(const watch::RingStrip& strip) {
  std::string out;
  for (std::size_t i = 0; i < strip.floors.size(); ++i) {
    const watch::RingStrip::Floor& floor = strip.floors[i];
    out += (out.empty() ? "" : ", ") + std::string(1, letter_of_floor(i)) + ' ' +
           (floor.group.empty() ? "consumer " + std::to_string(floor.consumer) : floor.group) + ' ' +
           std::to_string(floor.position);
  }
  return out;
}

std::string strip_legend(const watch::RingStrip& strip) {
  std::string out;
  for (const SlotText& slot : k_slots) {
    if (std::find(strip.cells.begin(), strip.cells.end(), slot.look) == strip.cells.end()) continue;
    out += (out.empty() ? "" : ", ") + std::string(1, slot.letter) + ' ' + std::string(slot.name);
  }
  return out;
}

}  // namespace beltway::tool
