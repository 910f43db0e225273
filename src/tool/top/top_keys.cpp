// What each key does. See top_state.hpp.
#include <algorithm>

#include "tool/text/units.hpp"
#include "tool/top/pages.hpp"
#include "tool/top/top_state.hpp"

namespace beltway::tool {

namespace {

using Requests = std::vector<Request>;

void say(TopState& state, std::string text, Ink ink = Ink::warning) {
  state.status = std::move(text);
  state.status_ink = ink;
}

/// Moves by lines and pages. False: the key is none that moves.
bool move(Cursor& cursor, const Key& key, std::size_t height, std::size_t count) {
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

void begin_input(TopState& state, Input input, std::string typed = {}) {
  state.dialog = Dialog::input;
  state.input = input;
  state.typed = std::move(typed);
}

Requests open(TopState& state) {
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
  if (move(state.queues, key, height_of(state), queues.size())) {
    state.selected = queues.empty() ? std::string() : queues[std::min(state.queues.line, queues.size() - 1)]->info.name;
  } else if (key.code == Key::Code::enter || key.code == Key::Code::right) {
    return open(state);
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

Requests open_messages(TopState& state, const TopData& data) {
  state.messages_group.clear();
  if (state.target && state.target->kind == Target::Kind::group) state.messages_group = state.target->name;
  if (state.target && state.target->kind == Target::Kind::consumer && data.open) {
    for (const ConsumerState& consumer : data.open->detail.snapshot.consumers) {
      if (consumer.endpoint.index == state.target->index) state.messages_group = consumer.endpoint.group;
    }
  }
  state.page = Page::messages;
  state.messages = {};
  state.position = 0;
  return {screen_request::Messages{state.open_queue, state.messages_group}};
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
  if (move(state.queue, key, height_of(state), lines.size())) {
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

Requests search(TopState& state) {
  if (state.search.empty()) return {};
  say(state, "searching for \"" + state.search + "\"...", Ink::plain);
  return {screen_request::Search{state.open_queue, state.messages_group, state.search, state.position}};
}

Requests on_messages_key(TopState& state, const TopData& data, const Key& key) {
  const std::size_t count = data.messages ? data.messages->messages.size() : 0;
  if (!key.is('g') && move(state.messages, key, height_of(state), count)) {
    if (count > 0) state.position = data.messages->messages[std::min(state.messages.line, count - 1)].position;
  } else if (key.is('q') || key.code == Key::Code::escape || key.code == Key::Code::left) {
    state.page = Page::queue;
  } else if ((key.code == Key::Code::enter || key.code == Key::Code::right) && count > 0) {
    state.page = Page::message;
    state.message = {};
    return {screen_request::Message{state.open_queue, state.messages_group, state.position}};
  } else if (key.is('/')) {
    begin_input(state, Input::search);
  } else if (key.is('n')) {
    return search(state);
  } else if (key.is('g')) {
    begin_input(state, Input::go_to);
  } else if (key.is('u')) {
    return {screen_request::Messages{state.open_queue, state.messages_group}};
  }
  return {};
}

Requests on_message_key(TopState& state, const TopData& data, const Key& key) {
  const auto neighbour = [&](std::size_t line) -> Requests {
    if (!data.messages || line >= data.messages->messages.size()) return {};
    state.messages.line = line;
    state.position = data.messages->messages[line].position;
    state.message = {};
    return {screen_request::Message{state.open_queue, state.messages_group, state.position}};
  };
  state.message.line = state.message.first;
  if (key.is('q') || key.code == Key::Code::escape || key.code == Key::Code::left) {
    state.page = Page::messages;
  } else if (key.is('t')) {
    state.form = MessageForm::text;
  } else if (key.is('h')) {
    state.form = MessageForm::hex;
  } else if (key.is('j')) {
    state.form = MessageForm::json;
  } else if (key.is('n')) {
    return neighbour(state.messages.line + 1);
  } else if (key.is('p') && state.messages.line > 0) {
    return neighbour(state.messages.line - 1);
  } else if (data.message) {
    const std::size_t lines = message_lines(*data.message, state.form, state.size.columns, state.charset).size();
    const std::size_t height = height_of(state);
    move(state.message, key, height, lines > height ? lines - height + 1 : 1);
    state.message.first = state.message.line;
  }
  return {};
}

Requests on_help_key(TopState& state, const Key& key) {
  Cursor cursor{.line = state.help.first};
  const std::size_t lines = help_lines(state.page, state.size.columns, state.charset).size();
  if (move(cursor, key, std::max<std::size_t>(state.size.rows, 3) - 2, lines)) {
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
    if (state.act.kind == Act::Kind::reset) {
      begin_input(state, Input::reset_to);
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

/// To a position, or with a unit of time to the first message that is not older.
void go_to(TopState& state, const TopData& data) {
  const std::optional<std::uint64_t> position = parse_count(state.typed);
  std::optional<std::chrono::nanoseconds> age;
  if (!position) age = parse_duration(state.typed);
  if (!position && !age) {
    say(state, "\"" + state.typed + "\" is neither a position (1200) nor an age (30s, 10m)");
    return;
  }
  if (!data.messages) return;
  const std::vector<PeekedMessage>& messages = data.messages->messages;
  const auto found = std::find_if(messages.begin(), messages.end(), [&](const PeekedMessage& message) {
    return position ? message.position >= *position : message.age && *message.age <= *age;
  });
  if (found == messages.end()) {
    const bool no_stamps = age && std::none_of(messages.begin(), messages.end(),
                                               [](const PeekedMessage& message) { return message.age.has_value(); });
    say(state, no_stamps ? "the messages have no stamps: ages are not known" : "no message is as new as that");
  } else {
    state.position = found->position;
  }
}

Requests end_input(TopState& state, const TopData& data) {
  state.dialog = Dialog::none;
  switch (state.input) {
    case Input::filter: state.selection.filter = state.typed; break;
    case Input::search: state.search = state.typed; return search(state);
    case Input::go_to: go_to(state, data); break;
    case Input::reset_to:
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
