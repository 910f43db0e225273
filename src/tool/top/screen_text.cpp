// Widths come from the C library's table for UTF-8, whatever the locale is: the terminal library uses the same table.
#include "tool/top/screen_text.hpp"

#include <locale.h>
#include <clocale>
#include <cstdint>
#include <cwchar>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/utf8.hpp"
#include "tool/text/payload_text.hpp"

namespace beltway::tool {

namespace {

/// A terminal library stores so many with a character.
constexpr std::size_t k_most_marks = 4;

struct Range {
  char32_t first;
  char32_t last;
};

// Invisible characters, and those that change the direction of the text around them.
constexpr std::array k_invisible{
    Range{0x00AD, 0x00AD},   Range{0x0600, 0x0605},   Range{0x061C, 0x061C},   Range{0x06DD, 0x06DD},
    Range{0x070F, 0x070F},   Range{0x08E2, 0x08E2},   Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},
    Range{0x180B, 0x180E},   Range{0x200B, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x206F},
    Range{0x3164, 0x3164},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},
    Range{0x110BD, 0x110BD}, Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A},
    Range{0xE0000, 0xE0FFF}, Range{0xE000, 0xF8FF},   Range{0xF0000, 0x10FFFF}};

bool is_invisible(char32_t character) noexcept {
  return std::any_of(k_invisible.begin(), k_invisible.end(),
                     [character](const Range& range) { return character >= range.first && character <= range.last; });
}

/// They make some terminals draw the character before them twice as wide.
bool is_variation_selector(char32_t character) noexcept { return character >= 0xFE00 && character <= 0xFE0F; }

/// `character` is well-formed UTF-8.
char32_t code_point_of(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  char32_t value = first & (0x7FU >> character.size());
  for (const char c : character.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  return value;
}

/// -1: not printable, 0: a combining mark.
int columns_of_character(char32_t character) noexcept {
  if (character < 0x80) return 1;
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
  if (utf8 == locale_t{}) return 1;
  const locale_t before = uselocale(utf8);
  const int columns = wcwidth(static_cast<wchar_t>(character));
  uselocale(before);
  return columns;
}

void append_escape(std::vector<Glyph>& glyphs, std::string_view escape) {
  for (const char c : escape) glyphs.push_back({std::string(1, c), 1});
}

std::string escape_of(char32_t character) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(character));
  return text.data();
}

/// A mark without a character before it stands on a blank.
void append_mark(std::vector<Glyph>& glyphs, std::string_view mark, std::size_t& marks) {
  if (glyphs.empty()) glyphs.push_back({" ", 1});
  if (++marks <= k_most_marks) glyphs.back().bytes += mark;
}

}  // namespace

std::vector<Glyph> glyphs_of(std::string_view text, Charset charset) {
  std::vector<Glyph> glyphs;
  glyphs.reserve(text.size());
  std::size_t marks = 0;
  while (!text.empty()) {
    const std::size_t size = utf8_character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    text.remove_prefix(character.size());
    if (size == 0 || is_control_character(character)) {
      append_escape(glyphs, printable(character));
      continue;
    }
    const char32_t code_point = code_point_of(character);
    const int columns = columns_of_character(code_point);
    if (is_variation_selector(code_point)) continue;
    if (columns < 0 || is_invisible(code_point)) {
      append_escape(glyphs, escape_of(code_point));
    } else if (columns == 0) {
      if (charset == Charset::utf8) append_mark(glyphs, character, marks);
      continue;
    } else if (charset == Charset::ascii && code_point >= 0x80) {
      append_escape(glyphs, columns == 2 ? "??" : "?");
    } else {
      glyphs.push_back({std::string(character), static_cast<std::size_t>(columns)});
    }
    marks = 0;
  }
  return glyphs;
}

std::size_t width_of(std::string_view text, Charset charset) {
  std::size_t width = 0;
  for (const Glyph& glyph : glyphs_of(text, charset)) width += glyph.columns;
  return width;
}

std::string fitted(std::string_view text, std::size_t width, Charset charset, Align align) {
  const std::vector<Glyph> glyphs = glyphs_of(text, charset);
  std::size_t all = 0;
  for (const Glyph& glyph : glyphs) all += glyph.columns;
  std::string out;
  if (all <= width) {
    for (const Glyph& glyph : glyphs) out += glyph.bytes;
    return align == Align::left ? out + std::string(width - all, ' ') : std::string(width - all, ' ') + out;
  }
  if (width == 0) return out;
  std::size_t used = 0;
  for (const Glyph& glyph : glyphs) {
    if (used + glyph.columns > width - 1) break;
    out += glyph.bytes;
    used += glyph.columns;
  }
  out += charset == Charset::utf8 ? "…" : "~";
  return out + std::string(width - 1 - used, ' ');
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width, Charset charset) {
  width = std::max<std::size_t>(width, 2);
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  std::size_t blank = std::string::npos;  // where the line may be broken, and the columns up to there
  std::size_t used_at_blank = 0;
  for (const Glyph& glyph : glyphs_of(text, charset)) {
    if (used + glyph.columns > width) {
      std::string rest;
      if (glyph.bytes != " " && blank != std::string::npos) {
        rest = lines.back().substr(blank + 1);
        lines.back().resize(blank);
        used -= used_at_blank + 1;
      } else {
        used = 0;
      }
      lines.push_back(rest);
      blank = std::string::npos;
      if (glyph.bytes == " " && rest.empty()) continue;
    }
    if (glyph.bytes == " ") {
      blank = lines.back().size();
      used_at_blank = used;
    }
    lines.back() += glyph.bytes;
    used += glyph.columns;
  }
  return lines;
}

namespace {

std::string with_unit(double value, std::string_view unit) {
  std::array<char, 32> text{};
  const bool decimal = value < 9.95 && std::abs(value - std::round(value)) >= 0.05;
  std::snprintf(text.data(), text.size(), decimal ? "%.1f" : "%.0f", value);
  return std::string(text.data()) + std::string(unit);
}

struct Step {
  double below;  ///< values below this are told in this unit
  double divisor;
  std::string_view unit;
};

template <std::size_t Size>
std::string in_unit(double value, const std::array<Step, Size>& steps) {
  for (const Step& step : steps) {
    if (value < step.below) return with_unit(value / step.divisor, step.unit);
  }
  return "lots";
}

}  // namespace

std::string short_number(double number) {
  static constexpr std::array k_steps{Step{999.5, 1, ""},       Step{999.5e3, 1e3, "k"},   Step{999.5e6, 1e6, "M"},
                                      Step{999.5e9, 1e9, "G"},  Step{999.5e12, 1e12, "T"}, Step{999.5e15, 1e15, "P"},
                                      Step{999.5e18, 1e18, "E"}};
  if (!std::isfinite(number)) return "-";
  if (number < 0.05) return "0";
  return in_unit(number, k_steps);
}

std::string short_duration(double seconds) {
  static constexpr std::array k_steps{
      Step{999.5e-9, 1e-9, "ns"}, Step{999.5e-6, 1e-6, "us"},   Step{0.9995, 1e-3, "ms"},        Step{119.5, 1, "s"},
      Step{119.5 * 60, 60, "m"},  Step{47.5 * 3600, 3600, "h"}, Step{9999.5 * 86400, 86400, "d"}};
  if (!std::isfinite(seconds)) return "-";
  if (seconds <= 0) return "0s";
  return in_unit(seconds, k_steps);
}

}  // namespace beltway::tool
