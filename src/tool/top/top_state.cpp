// Marks, scrolling, and the ends of acts and searches. Keys: top_keys.cpp.
#include "tool/top/top_state.hpp"

#include <algorithm>

#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

/// Keeps the marked line within `count` lines, and in sight.
void bound(Cursor& cursor, std::size_t count, std::size_t height) {
  cursor.line = count == 0 ? 0 : std::min(cursor.line, count - 1);
  height = std::max<std::size_t>(height, 1);
  if (cursor.line < cursor.first) cursor.first = cursor.line;
  if (cursor.line >= cursor.first + height) cursor.first = cursor.line - height + 1;
  cursor.first = std::min(cursor.first, count > height ? count - height : 0);
}

void settle_queues(TopState& state, const TopData& data, std::size_t height) {
  const std::vector<const watch::QueueView*> queues = selected_queues(*data.fleet, state.selection);
  const auto found = std::find_if(queues.begin(), queues.end(),
                                  [&](const watch::QueueView* queue) { return queue->info.name == state.selected; });
  if (found != queues.end()) state.queues.line = static_cast<std::size_t>(found - queues.begin());
  bound(state.queues, queues.size(), height);
  state.selected = queues.empty() ? std::string() : queues[state.queues.line]->info.name;
}

void settle_queue(TopState& state, const TopData& data, std::size_t height) {
  if (!data.open) return;
  const std::vector<PageLine> lines = queue_lines(*data.open, state.size.columns, state.charset);
  if (state.target) {
    const auto found =
        std::find_if(lines.begin(), lines.end(), [&](const PageLine& line) { return line.target == state.target; });
    if (found != lines.end()) state.queue.line = static_cast<std::size_t>(found - lines.begin());
  }
  bound(state.queue, lines.size(), height);
  state.target = lines.empty() ? std::nullopt : lines[state.queue.line].target;
}

void settle_messages(TopState& state, const TopData& data, std::size_t height) {
  const MessageList* const list = list_of(state, data);
  if (list == nullptr) return;
  const std::vector<PeekedMessage>& messages = list->messages;
  // A message that is gone leaves the mark to the next one.
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [&](const PeekedMessage& message) { return message.position >= state.position; });
  state.messages.line = static_cast<std::size_t>(found - messages.begin());
  bound(state.messages, messages.size(), height);
  state.position = messages.empty() ? 0 : messages[state.messages.line].position;
}

}  // namespace

void settle(TopState& state, const TopData& data) {
  const std::size_t height = layout_of(state.page, state.size).body;
  settle_queues(state, data, layout_of(Page::queues, state.size).body);
  if (state.page == Page::queue) settle_queue(state, data, height);
  if (state.page == Page::messages || state.page == Page::message)
    settle_messages(state, data, layout_of(Page::messages, state.size).body);
  if (state.page == Page::message && data.message) {
    const std::size_t lines = message_lines(*data.message, state.form, state.size.columns, state.charset).size();
    state.message.line = state.message.first;  // it scrolls, without a marked line
    bound(state.message, lines > height ? lines - height + 1 : 1, 1);
    state.message.first = state.message.line;
  }
  if (state.dialog == Dialog::help) {
    const std::size_t lines = help_lines(state.page, state.size.columns, state.charset).size();
    const std::size_t seen = state.size.rows > 2 ? state.size.rows - 2 : 1;
    state.help.first = std::min(state.help.first, lines > seen ? lines - seen : 0);
  }
}

std::vector<Request> on_act_end(TopState& state, const ActResult& result) {
  state.acting = false;
  state.status = (result.done ? "done: " : "refused: ") + result.text;
  state.status_ink = result.done ? Ink::good : Ink::trouble;
  std::vector<Request> requests;
  const bool is_gone = result.done && (state.act.kind == Act::Kind::ack || state.act.kind == Act::Kind::move);
  if (state.page == Page::message && is_gone) state.page = Page::messages;
  if (state.page == Page::message)
    requests.emplace_back(screen_request::Message{state.open_queue, state.messages_group, state.position});
  if (state.page == Page::messages || state.page == Page::message)
    requests.emplace_back(screen_request::Messages{state.open_queue, state.messages_group, state.messages_from});
  return requests;
}

std::vector<Request> on_search_end(TopState& state, const TopData& data, std::optional<std::uint64_t> position) {
  std::vector<Request> requests;
  if (position) {
    state.position = *position;
    const MessageList* const list = list_of(state, data);
    if (list != nullptr &&
        std::ranges::find(list->messages, *position, &PeekedMessage::position) == list->messages.end()) {
      state.messages_from = position;
      requests.emplace_back(screen_request::Messages{state.open_queue, state.messages_group, position});
    }
    state.status = "found at position " + std::to_string(*position);
    state.status_ink = Ink::good;
  } else {
    state.status = "no message behind this one has \"" + state.search + "\"";
    state.status_ink = Ink::warning;
  }
  settle(state, data);
  return requests;
}

const MessageList* list_of(const TopState& state, const TopData& data) noexcept {
  const MessageList* const list = data.messages.get();
  const bool is_shown = list != nullptr && list->queue == state.open_queue && list->group == state.messages_group &&
                        list->from == state.messages_from;
  return is_shown ? list : nullptr;
}

}  // namespace beltway::tool
