#include "tool/top/key_parts.hpp"

#include <algorithm>
#include <utility>

#include "tool/top/pages.hpp"

namespace beltway::tool {

void say(TopState& state, std::string text, Ink ink) {
  state.status = std::move(text);
  state.status_ink = ink;
}

bool move_cursor(Cursor& cursor, const Key& key, std::size_t height, std::size_t count) {
  const auto up = [&](std::size_t lines) { cursor.line -= std::min(cursor.line, lines); };
  const std::size_t last = count == 0 ? 0 : count - 1;
  const auto down = [&](std::size_t lines) { cursor.line = std::min(cursor.line + lines, last); };
  const std::size_t page = std::max<std::size_t>(height, 2) - 1;
  switch (key.code) {
    case Key::Code::up: up(1); return true;
    case Key::Code::down: down(1); return true;
    case Key::Code::page_up: up(page); return true;
    case Key::Code::page_down: down(page); return true;
    case Key::Code::home: cursor.line = 0; return true;
    case Key::Code::end: cursor.line = last; return true;
    default: break;
  }
  if (key.is('k')) up(1);
  if (key.is('j')) down(1);
  if (key.is(' ')) down(page);
  if (key.is('g')) cursor.line = 0;
  if (key.is('G')) cursor.line = last;
  return key.is('k') || key.is('j') || key.is(' ') || key.is('g') || key.is('G');
}

std::size_t height_of(const TopState& state) { return layout_of(state.page, state.size).body; }

void begin_input(TopState& state, Input input, std::string typed) {
  state.dialog = Dialog::input;
  state.input = input;
  state.typed = std::move(typed);
}

}  // namespace beltway::tool
