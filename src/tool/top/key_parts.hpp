// What the keys of several pages share: how a mark moves, and what the pages of messages do.
// Thread safety: pure functions of the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tool/top/top_state.hpp"

namespace beltway::tool {

using Requests = std::vector<Request>;

/// The status line, until the next key.
void say(TopState& state, std::string text, Ink ink = Ink::warning);
/// Moves by lines and pages. False: the key is none that moves.
bool move_cursor(Cursor& cursor, const Key& key, std::size_t height, std::size_t count);
/// Lines of the page that are seen.
[[nodiscard]] std::size_t height_of(const TopState& state);
void begin_input(TopState& state, Input input, std::string typed = {});

/// The messages of the marked group, or of the whole ring.
[[nodiscard]] Requests open_messages(TopState& state, const TopData& data);
[[nodiscard]] Requests on_messages_key(TopState& state, const TopData& data, const Key& key);
[[nodiscard]] Requests on_message_key(TopState& state, const TopData& data, const Key& key);
/// The next message behind the marked one with the text that is searched for.
[[nodiscard]] Requests search(TopState& state);
/// To the position that was typed, or with a unit of time to the first message that is not older.
[[nodiscard]] Requests go_to(TopState& state, const TopData& data);

}  // namespace beltway::tool
