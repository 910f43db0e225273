// What the pages of the screen consist of: their lines, and where these lie on the screen.
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tool/top/styled_grid.hpp"
#include "tool/top/top_data.hpp"
#include "tool/top/top_state.hpp"

namespace beltway::tool {

struct PageLine {
  std::vector<Span> spans;
  std::optional<Target> target = {};
};

/// Rows of the screen: those above the lines, the lines, and below.
struct PageLayout {
  std::size_t header = 1;
  std::size_t body = 1;
  std::size_t panel = 0;  ///< the verdict of the marked queue
  std::size_t footer = 1;
};
[[nodiscard]] PageLayout layout_of(Page page, Size size) noexcept;

/// A queue in full.
[[nodiscard]] std::vector<PageLine> queue_lines(const OpenQueue& open, std::size_t width, Charset charset);
/// Its groups, consumers and producers.
void add_group_lines(std::vector<PageLine>& lines, const watch::QueueDetail& detail, std::size_t width,
                     Charset charset);
/// How old messages with a stamp were when they were received; nothing in a queue without stamps.
void add_age_lines(std::vector<PageLine>& lines, const watch::QueueDetail& detail, std::size_t width, Charset charset);
void add_endpoint_lines(std::vector<PageLine>& lines, const OpenQueue& open, std::size_t width, Charset charset);
/// A verdict with evidence, forecast and remedies, in full.
void add_verdict_lines(std::vector<PageLine>& lines, const watch::Verdict& verdict, std::size_t width, Charset charset);

/// One line for each of `count` messages from index `first` on.
[[nodiscard]] std::vector<PageLine> message_list_lines(const MessageList& list, std::size_t first, std::size_t count);
[[nodiscard]] std::string message_list_heading();
/// One message in full.
[[nodiscard]] std::vector<PageLine> message_lines(const OpenMessage& open, MessageForm form, std::size_t width,
                                                  Charset charset);
/// What each field of the page means, and its keys.
[[nodiscard]] std::vector<PageLine> help_lines(Page page, std::size_t width, Charset charset);

/// A heading with blanks around it.
[[nodiscard]] PageLine heading_line(const std::string& text);
[[nodiscard]] Ink ink_of(watch::Severity severity) noexcept;
/// '!' trouble, '*' warning, '-' note.
[[nodiscard]] char mark_of(watch::Severity severity) noexcept;
/// Subject and cause of a verdict, without the queue's name.
[[nodiscard]] std::string words_of(const watch::Verdict& verdict);

/// The whole screen.
[[nodiscard]] Grid picture_of(const TopState& state, const TopData& data);
/// The list of queues alone, without header and footer.
void draw_queues(Grid& grid, const TopState& state, const TopData& data, const PageLayout& layout);
/// The dialog over the page, if there is one.
void draw_dialog(Grid& grid, const TopState& state, const TopData& data);
void put_spans(Grid& grid, std::size_t row, const std::vector<Span>& spans);

}  // namespace beltway::tool
