// What each key does on the pages of queues, and in dialogs. Messages: message_keys.cpp. See top_state.hpp.
#include <algorithm>

#include "tool/top/key_parts.hpp"
#include "tool/top/pages.hpp"
#include "tool/top/top_state.hpp"

namespace beltway::tool {

namespace {

Requests open_marked_queue(TopState& state) {
  if (state.selected.empty()) return {};
  state.page = Page::queue;
  state.open_queue = state.selected;
  state.queue = {};
  state.target.reset();
  return {screen_request::Watch{state.open_queue}};
}

void next_sort(TopState& state, std::size_t steps) {
  const auto now = std::find_if(k_queue_sorts.begin(), k_queue_sorts.end(),
                                [&](const QueueSortName& each) { return each.sort == state.selection.sort; });
  const auto index = static_cast<std::size_t>(now - k_queue_sorts.begin());
  state.selection.sort = k_queue_sorts[(index + steps) % k_queue_sorts.size()].sort;
}

Requests on_queues_key(TopState& state, const TopData& data, const Key& key) {
  const std::vector<const watch::QueueView*> queues = selected_queues(*data.fleet, state.selection);
  if (move_cursor(state.queues, key, height_of(state), queues.size())) {
    state.selected = queues.empty() ? std::string() : queues[std::min(state.queues.line, queues.size() - 1)]->info.name;
  } else if (key.code == Key::Code::enter || key.code == Key::Code::right) {
    return open_marked_queue(state);
  } else if (key.is('q')) {
    return {screen_request::Quit{}};
  } else if (key.is('s')) {
    state.dialog = Dialog::sort;
  } else if (key.is('<')) {
    next_sort(state, k_queue_sorts.size() - 1);
  } else if (key.is('>')) {
    next_sort(state, 1);
  } else if (key.is('r')) {
    state.selection.reversed = !state.selection.reversed;
  } else if (key.is('/')) {
    state.filter_before = state.selection.filter;
    begin_input(state, Input::filter, state.selection.filter);
  } else if (key.code == Key::Code::escape) {
    state.selection.filter.clear();
  } else if (key.is('a')) {
    say(state, "open the queue with Enter first: acts are there");
  } else if (key.is('u')) {
    return {screen_request::Refresh{}};
  }
  return {};
}

/// The next line that is about a group or process; behind the last one the first.
void mark_next(TopState& state, const std::vector<PageLine>& lines) {
  for (std::size_t step = 1; step <= lines.size(); ++step) {
    const std::size_t line = (state.queue.line + step) % lines.size();
    if (!lines[line].target) continue;
    state.queue.line = line;
    state.target = lines[line].target;
    return;
  }
}

Requests on_queue_key(TopState& state, const TopData& data, const Key& key) {
  std::vector<PageLine> lines;
  if (data.open) lines = queue_lines(*data.open, state.size.columns, state.charset);
  if (move_cursor(state.queue, key, height_of(state), lines.size())) {
    state.target = lines.empty() ? std::nullopt : lines[std::min(state.queue.line, lines.size() - 1)].target;
  } else if (key.code == Key::Code::tab) {
    mark_next(state, lines);
  } else if (key.is('q') || key.code == Key::Code::escape || key.code == Key::Code::left) {
    state.page = Page::queues;
    return {screen_request::Watch{}};
  } else if (key.is('m') || key.code == Key::Code::enter) {
    return open_messages(state, data);
  } else if (key.is('a') && data.open) {
    state.choices = choices_of(data.open->detail, state.target);
    state.dialog = Dialog::acts;
  } else if (key.is('a')) {
    say(state, "there is nothing to act on");
  } else if (key.is('u')) {
    return {screen_request::Refresh{}};
  }
  return {};
}

Requests on_help_key(TopState& state, const Key& key) {
  Cursor cursor{.line = state.help.first};
  const std::size_t lines = help_lines(state.page, state.size.columns, state.charset).size();
  if (move_cursor(cursor, key, std::max<std::size_t>(state.size.rows, 3) - 2, lines)) {
    state.help.first = cursor.line;
  } else {
    state.dialog = Dialog::none;
  }
  return {};
}

Requests on_sort_key(TopState& state, const Key& key) {
  state.dialog = Dialog::none;
  for (const QueueSortName& each : k_queue_sorts) {
    if (key.is(each.key)) state.selection.sort = each.sort;
  }
  return {};
}

void begin_confirmation(TopState& state) {
  state.dialog = Dialog::confirm;
  state.typed.clear();
}

Requests on_acts_key(TopState& state, const Key& key) {
  state.dialog = Dialog::none;
  for (const ActChoice& choice : state.choices) {
    if (!key.is(choice.key)) continue;
    state.act = choice.act;
    if (state.act.kind == Act::Kind::reset || state.act.kind == Act::Kind::move) {
      begin_input(state, state.act.kind == Act::Kind::reset ? Input::reset_to : Input::move_to);
    } else {
      begin_confirmation(state);
    }
  }
  return {};
}

/// Text that is typed. False: the key is none that edits.
bool edit(std::string& text, const Key& key) {
  if (key.code == Key::Code::clear_line) {
    text.clear();
  } else if (key.code == Key::Code::backspace) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
    if (!text.empty()) text.pop_back();
  } else if (key.code == Key::Code::character) {
    static constexpr std::size_t k_longest = 512;
    if (text.size() < k_longest) text += key.character;
  } else {
    return false;
  }
  return true;
}

Requests on_confirm_key(TopState& state, const Key& key) {
  const std::string wanted = confirmation_of(state.act);
  const bool one_key = wanted.size() == 1;
  if (key.code == Key::Code::escape || (one_key && !key.is(wanted[0]))) {
    state.dialog = Dialog::none;
    say(state, "nothing was done", Ink::plain);
    return {};
  }
  if (!one_key && key.code != Key::Code::enter) {
    edit(state.typed, key);
    return {};
  }
  state.dialog = Dialog::none;
  if (!one_key && state.typed != wanted) {
    say(state, "nothing was done: \"" + state.typed + "\" is not the name of the queue");
    return {};
  }
  if (state.acting) {
    say(state, "nothing was done: another act still runs");
    return {};
  }
  state.acting = true;
  say(state, command_of(state.act) + " ...", Ink::plain);
  return {screen_request::Perform{state.act}};
}

Requests end_input(TopState& state, const TopData& data) {
  state.dialog = Dialog::none;
  switch (state.input) {
    case Input::filter: state.selection.filter = state.typed; break;
    case Input::search: state.search = state.typed; return search(state);
    case Input::go_to: return go_to(state, data);
    case Input::reset_to:
    case Input::move_to:
      if (state.typed.empty()) {
        say(state, "nothing was done", Ink::plain);
      } else {
        state.act.to = state.typed;
        begin_confirmation(state);
      }
      break;
  }
  return {};
}

Requests on_input_key(TopState& state, const TopData& data, const Key& key) {
  if (key.code == Key::Code::enter) return end_input(state, data);
  if (key.code == Key::Code::escape) {
    state.dialog = Dialog::none;
    if (state.input == Input::filter) state.selection.filter = state.filter_before;
  } else if (edit(state.typed, key) && state.input == Input::filter) {
    state.selection.filter = state.typed;  // the list follows while one types
  }
  return {};
}

Requests on_page_key(TopState& state, const TopData& data, const Key& key) {
  if (key.is('?')) {
    state.dialog = Dialog::help;
    state.help = {};
    return {};
  }
  switch (state.page) {
    case Page::queues: return on_queues_key(state, data, key);
    case Page::queue: return on_queue_key(state, data, key);
    case Page::messages: return on_messages_key(state, data, key);
    case Page::message: return on_message_key(state, data, key);
  }
  return {};
}

Requests on_any_key(TopState& state, const TopData& data, const Key& key) {
  switch (state.dialog) {
    case Dialog::none: return on_page_key(state, data, key);
    case Dialog::help: return on_help_key(state, key);
    case Dialog::sort: return on_sort_key(state, key);
    case Dialog::acts: return on_acts_key(state, key);
    case Dialog::confirm: return on_confirm_key(state, key);
    case Dialog::input: return on_input_key(state, data, key);
  }
  return {};
}

}  // namespace

std::vector<Request> on_key(TopState& state, const TopData& data, const Key& key) {
  if (!state.acting) state.status.clear();
  std::vector<Request> requests = on_any_key(state, data, key);
  settle(state, data);
  return requests;
}

}  // namespace beltway::tool
