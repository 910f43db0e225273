// What each key does on the list of messages and on one message. The list has a part of the messages; at its ends it asks for the
// part before or behind. See top_state.hpp.
#include <algorithm>

#include "tool/text/units.hpp"
#include "tool/top/key_parts.hpp"
#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

/// A part of the list begins so many positions before the message that stays marked: the message is in both parts.
constexpr std::uint64_t k_step_back = k_most_listed / 2;

/// Asks for the part of the list that begins at `from` (nothing: the oldest message). Marks the message at `position`, or the
/// next one behind.
Requests read_list(TopState& state, std::optional<std::uint64_t> from, std::uint64_t position) {
  state.messages_from = from;
  state.messages = {};
  state.position = position;
  return {screen_request::Messages{state.open_queue, state.messages_group, from}};
}

Requests read_before(TopState& state, const MessageList& list) {
  const std::uint64_t first = list.messages.empty() ? 0 : list.messages.front().position;
  const std::uint64_t begin = std::min(first, list.from.value_or(0));
  return read_list(state, begin > k_step_back ? std::optional(begin - k_step_back) : std::nullopt, first);
}

Requests read_behind(TopState& state, const MessageList& list) {
  const std::uint64_t last = list.messages.back().position;
  return read_list(state, last, last);
}

Requests read_newest(TopState& state, const OpenQueue& open) {
  const std::uint64_t tail = open.detail.snapshot.position;
  return read_list(state, tail > k_step_back ? tail - k_step_back : 0, ~std::uint64_t{0});
}

/// What a key that moves asks for at an end of the list. Nothing: the mark moves within the list.
std::optional<Requests> move_on(TopState& state, const TopData& data, const MessageList& list, const Key& key) {
  using Code = Key::Code;
  const std::size_t count = list.messages.size();
  if (list.more_before && key.code == Code::home) return read_list(state, {}, 0);
  const bool is_up = key.code == Code::up || key.code == Code::page_up || key.is('k');
  if (list.more_before && is_up && state.messages.line == 0) return read_before(state, list);
  if (!list.cut || count == 0) return {};
  if ((key.code == Code::end || key.is('G')) && data.open) return read_newest(state, *data.open);
  const bool is_down = key.code == Code::down || key.code == Code::page_down || key.is('j') || key.is(' ');
  if (is_down && state.messages.line + 1 >= count) return read_behind(state, list);
  return {};
}

/// Opens the next message of the list, or the previous one. At an end of the list it asks for the part behind or before.
Requests open_neighbour(TopState& state, const MessageList& list, bool is_next) {
  const std::size_t line = state.messages.line;
  if (is_next ? line + 1 >= list.messages.size() : line == 0) {
    if (list.messages.empty() || !(is_next ? list.cut : list.more_before)) return {};
    say(state, std::string("the list is read on: press ") + (is_next ? "n" : "p") + " again", Ink::plain);
    return is_next ? read_behind(state, list) : read_before(state, list);
  }
  state.messages.line = is_next ? line + 1 : line - 1;
  state.position = list.messages[state.messages.line].position;
  state.message = {};
  return {screen_request::Message{state.open_queue, state.messages_group, state.position}};
}

/// The menu of acts on the marked message.
void choose_act(TopState& state, const TopData& data, const PeekedMessage* message) {
  if (message == nullptr || !data.open) {
    say(state, "there is no message to act on");
    return;
  }
  const std::string group = group_of_list(data.open->detail, state.messages_group);
  if (group.empty()) {
    say(state, "this is the whole ring: go back, mark a group, and open its messages");
    return;
  }
  state.choices = choices_of_message(data.open->detail, group, *message);
  state.dialog = Dialog::acts;
}

Requests go_to_position(TopState& state, const MessageList& list, std::uint64_t position) {
  const std::vector<PeekedMessage>& messages = list.messages;
  const auto found = std::ranges::find_if(messages, [&](const auto& message) { return message.position >= position; });
  if (found == messages.end() ? list.cut : list.more_before && found == messages.begin())
    return read_list(state, position, position);
  if (found == messages.end()) {
    say(state, "no message is as new as that");
  } else {
    state.position = found->position;
  }
  return {};
}

void go_to_age(TopState& state, const MessageList& list, std::chrono::nanoseconds age) {
  const std::vector<PeekedMessage>& messages = list.messages;
  const auto found =
      std::ranges::find_if(messages, [&](const PeekedMessage& message) { return message.age && *message.age <= age; });
  if (found != messages.end()) {
    state.position = found->position;
    if (found == messages.begin() && list.more_before)
      say(state, "messages before this part of the list may be as new, too; Home goes to the oldest", Ink::plain);
  } else if (std::ranges::none_of(messages, [](const auto& message) { return message.age.has_value(); })) {
    say(state, "the messages have no stamps: ages are not known");
  } else if (list.cut) {
    say(state, "no message of this part of the list is as new as that; End goes to the newest");
  } else {
    say(state, "no message is as new as that");
  }
}

}  // namespace

Requests open_messages(TopState& state, const TopData& data) {
  state.messages_group.clear();
  if (state.target && state.target->kind == Target::Kind::group) state.messages_group = state.target->name;
  if (state.target && state.target->kind == Target::Kind::consumer && data.open) {
    for (const ConsumerState& consumer : data.open->detail.snapshot.consumers) {
      if (consumer.endpoint.index == state.target->index) state.messages_group = consumer.endpoint.group;
    }
  }
  state.page = Page::messages;
  return read_list(state, {}, 0);
}

Requests search(TopState& state) {
  if (state.search.empty()) return {};
  say(state, "searching for \"" + state.search + "\"...", Ink::plain);
  return {screen_request::Search{state.open_queue, state.messages_group, state.search, state.position}};
}

Requests on_messages_key(TopState& state, const TopData& data, const Key& key) {
  const MessageList* const list = list_of(state, data);
  const std::size_t count = list == nullptr ? 0 : list->messages.size();
  if (list != nullptr) {
    if (std::optional<Requests> requests = move_on(state, data, *list, key)) return *std::move(requests);
  }
  if (!key.is('g') && move_cursor(state.messages, key, height_of(state), count)) {
    if (count > 0) state.position = list->messages[std::min(state.messages.line, count - 1)].position;
  } else if (key.is('q') || key.code == Key::Code::escape || key.code == Key::Code::left) {
    state.page = Page::queue;
  } else if ((key.code == Key::Code::enter || key.code == Key::Code::right) && count > 0) {
    state.page = Page::message;
    state.message = {};
    return {screen_request::Message{state.open_queue, state.messages_group, state.position}};
  } else if (key.is('a')) {
    choose_act(state, data, count == 0 ? nullptr : &list->messages[std::min(state.messages.line, count - 1)]);
  } else if (key.is('/')) {
    begin_input(state, Input::search);
  } else if (key.is('n')) {
    return search(state);
  } else if (key.is('g')) {
    begin_input(state, Input::go_to);
  } else if (key.is('u')) {
    return {screen_request::Messages{state.open_queue, state.messages_group, state.messages_from}};
  }
  return {};
}

Requests on_message_key(TopState& state, const TopData& data, const Key& key) {
  state.message.line = state.message.first;
  if (key.is('q') || key.code == Key::Code::escape || key.code == Key::Code::left) {
    state.page = Page::messages;
  } else if (key.is('t')) {
    state.form = MessageForm::text;
  } else if (key.is('h')) {
    state.form = MessageForm::hex;
  } else if (key.is('j')) {
    state.form = MessageForm::json;
  } else if (key.is('a')) {
    choose_act(state, data, data.message && data.message->message ? &*data.message->message : nullptr);
  } else if (key.is('n') || key.is('p')) {
    if (const MessageList* const list = list_of(state, data)) return open_neighbour(state, *list, key.is('n'));
  } else if (data.message) {
    const std::size_t lines = message_lines(*data.message, state.form, state.size.columns, state.charset).size();
    const std::size_t height = height_of(state);
    move_cursor(state.message, key, height, lines > height ? lines - height + 1 : 1);
    state.message.first = state.message.line;
  }
  return {};
}

Requests go_to(TopState& state, const TopData& data) {
  const std::optional<std::uint64_t> position = parse_count(state.typed);
  std::optional<std::chrono::nanoseconds> age;
  if (!position) age = parse_duration(state.typed);
  const MessageList* const list = list_of(state, data);
  if (!position && !age) {
    say(state, "\"" + state.typed + "\" is neither a position (1200) nor an age (30s, 10m)");
  } else if (list != nullptr && position) {
    return go_to_position(state, *list, *position);
  } else if (list != nullptr) {
    go_to_age(state, *list, *age);
  }
  return {};
}

}  // namespace beltway::tool
