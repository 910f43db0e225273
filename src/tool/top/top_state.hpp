// Where the screen is: its page, selection, filter and dialog; and what a key does to that.
//
// A state machine without terminal, clock and daemon: a key changes the state and asks for things. Whoever runs it fetches these.
// Thread safety: values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tool/top/acts.hpp"
#include "tool/top/queue_order.hpp"
#include "tool/top/styled_grid.hpp"
#include "tool/top/top_data.hpp"

namespace beltway::tool {

enum class Page : std::uint8_t { queues, queue, messages, message };
enum class Dialog : std::uint8_t { none, help, sort, acts, confirm, input };
/// What an input line is for.
enum class Input : std::uint8_t { filter, search, go_to, reset_to, move_to };
/// How a message is shown.
enum class MessageForm : std::uint8_t { text, hex, json };

struct Key {
  enum class Code : std::uint8_t {
    character,
    enter,
    escape,
    backspace,
    clear_line,  ///< Ctrl-U
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    tab,
    other,
  };
  Code code = Code::character;
  std::string character = {};  ///< one character in UTF-8

  [[nodiscard]] bool is(char c) const { return code == Code::character && character == std::string(1, c); }
};

/// A line of a page that is marked, and the first line that is seen.
struct Cursor {
  std::size_t line = 0;
  std::size_t first = 0;
};

struct TopState {
  Size size = {};
  Charset charset = Charset::utf8;
  Page page = Page::queues;
  Dialog dialog = Dialog::none;

  QueueSelection selection;
  std::string selected;  ///< the marked queue: it stays marked when the order changes
  Cursor queues;

  std::string open_queue;
  std::optional<Target> target;  ///< of the marked line: it stays marked when lines come and go
  Cursor queue;

  std::string messages_group;
  std::optional<std::uint64_t> messages_from;  ///< where the list begins; nothing: at the oldest message
  std::uint64_t position = 0;                  ///< of the marked message
  std::string search;
  Cursor messages;
  MessageForm form = MessageForm::text;
  Cursor message;

  std::vector<ActChoice> choices;  ///< of the menu of acts
  Act act;                         ///< that is to be confirmed
  Input input = Input::filter;
  std::string typed;
  std::string filter_before;  ///< of the filter while it is being typed
  Cursor help;

  std::string status;  ///< a line about the last act or search; the next key clears it
  Ink status_ink = Ink::plain;
  bool acting = false;  ///< an act runs
};

namespace screen_request {
struct Quit {};
/// Sample now.
struct Refresh {};
/// Look at this queue in full with each sample; empty: at none.
struct Watch {
  std::string queue;
};
struct Messages {
  std::string queue;
  std::string group;
  std::optional<std::uint64_t> from = {};  ///< nothing: the oldest
};
struct Message {
  std::string queue;
  std::string group;
  std::uint64_t position;
};
/// The next message behind `after` whose payload has the text.
struct Search {
  std::string queue;
  std::string group;
  std::string text;
  std::uint64_t after;
};
struct Perform {
  Act act;
};
}  // namespace screen_request

using Request =
    std::variant<screen_request::Quit, screen_request::Refresh, screen_request::Watch, screen_request::Messages,
                 screen_request::Message, screen_request::Search, screen_request::Perform>;

/// Changes the state. Returns what is asked for, in order.
[[nodiscard]] std::vector<Request> on_key(TopState& state, const TopData& data, const Key& key);
/// The act that was asked for has ended. Returns what is asked for, in order: messages that it may have changed.
std::vector<Request> on_act_end(TopState& state, const ActResult& result);
/// A search has ended; nothing: no message behind has the text. Returns what is asked for, in order.
[[nodiscard]] std::vector<Request> on_search_end(TopState& state, const TopData& data,
                                                 std::optional<std::uint64_t> position);
/// The list that the page shows; null: it has not come yet.
[[nodiscard]] const MessageList* list_of(const TopState& state, const TopData& data) noexcept;
/// Brings marks and scrolling in line with the data and the size. Call it after each change of either.
void settle(TopState& state, const TopData& data);

}  // namespace beltway::tool
