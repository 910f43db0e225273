// A terminal by ncursesw. In a build without it there is no screen: then open_terminal() says so.
//
// Signals are not its business: the loop of the screen has blocked those that ncurses would take.
#include "tool/top/terminal.hpp"

#include <cstdlib>
#include <string>

#include "tool/process/exit_code.hpp"

#ifdef BELTWAY_HAS_CURSES

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <string_view>

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>

namespace beltway::tool {

namespace {

/// A lone Esc is told from the Esc that begins a key's sequence by the time until the next byte. Long enough for slow lines.
constexpr int k_escape_delay_ms = 100;

bool wants_colour() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return has_colors() && (no_colour == nullptr || *no_colour == '\0');
}

class CursesTerminal final : public Terminal {
 public:
  CursesTerminal();
  ~CursesTerminal() override;
  [[nodiscard]] Size size() override;
  [[nodiscard]] Charset charset() const override { return charset_; }
  void show(const Grid& grid) override;
  void forget() override { clearok(curscr, TRUE); }
  [[nodiscard]] std::vector<Key> read_keys() override;
  void release() override;

 private:
  [[nodiscard]] attr_t attributes_of(const Style& style) const;
  void show_row(const Grid& grid, std::size_t row);

  SCREEN* screen_ = nullptr;
  Charset charset_ = Charset::ascii;
  bool colour_ = false;
};

CursesTerminal::CursesTerminal() {
  std::setlocale(LC_CTYPE, "");
  charset_ = std::string_view(nl_langinfo(CODESET)) == "UTF-8" ? Charset::utf8 : Charset::ascii;
  screen_ = newterm(nullptr, stdout, stdin);
  if (screen_ == nullptr) {
    const char* const type = std::getenv("TERM");
    throw Failure(ExitCode::failed, std::string("top: the terminal type TERM=\"") + (type == nullptr ? "" : type) +
                                        "\" is not known here; try TERM=vt100, or --batch");
  }
  set_escdelay(k_escape_delay_ms);
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  curs_set(0);
  colour_ = wants_colour() && start_color() == OK && use_default_colors() == OK;
  if (!colour_) return;
  constexpr std::array<short, 6> colours{-1, -1, COLOR_GREEN, COLOR_CYAN, COLOR_YELLOW, COLOR_RED};
  for (std::size_t ink = 0; ink < colours.size(); ++ink) init_pair(static_cast<short>(ink + 1), colours[ink], -1);
}

CursesTerminal::~CursesTerminal() {
  CursesTerminal::release();
  delscreen(screen_);
}

void CursesTerminal::release() {
  // A terminal without a second screen keeps the picture: the shell goes on in its last line.
  wmove(stdscr, LINES - 1, 0);
  wclrtoeol(stdscr);
  wrefresh(stdscr);
  endwin();
}

Size CursesTerminal::size() {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0)
    return {static_cast<std::size_t>(LINES), static_cast<std::size_t>(COLS)};
  if (window.ws_row != LINES || window.ws_col != COLS) resizeterm(window.ws_row, window.ws_col);
  return {window.ws_row, window.ws_col};
}

attr_t CursesTerminal::attributes_of(const Style& style) const {
  attr_t attributes = A_NORMAL;
  if (style.bold) attributes |= A_BOLD;
  if (style.reverse) attributes |= A_REVERSE;
  if (style.underline) attributes |= A_UNDERLINE;
  if (style.ink == Ink::quiet) attributes |= A_DIM;
  return attributes;
}

void CursesTerminal::show_row(const Grid& grid, std::size_t row) {
  const std::size_t columns = grid.size().columns;
  for (std::size_t column = 0; column < columns;) {
    const Style style = grid.at(row, column).style;
    const std::size_t first = column;
    std::string run;
    for (; column < columns && grid.at(row, column).style == style; ++column) run += grid.at(row, column).bytes;
    const auto pair = static_cast<short>(colour_ ? static_cast<int>(style.ink) + 1 : 0);
    attr_set(attributes_of(style), pair, nullptr);
    mvaddstr(static_cast<int>(row), static_cast<int>(first), run.c_str());
  }
}

void CursesTerminal::show(const Grid& grid) {
  werase(stdscr);
  for (std::size_t row = 0; row < grid.size().rows; ++row) show_row(grid, row);
  attr_set(A_NORMAL, 0, nullptr);
  // Terminals that cannot hide their cursor show it in the corner.
  wmove(stdscr, LINES - 1, COLS - 1);
  wrefresh(stdscr);
}

Key::Code code_of(int key) noexcept {
  switch (key) {
    case KEY_UP: return Key::Code::up;
    case KEY_DOWN: return Key::Code::down;
    case KEY_LEFT: return Key::Code::left;
    case KEY_RIGHT: return Key::Code::right;
    case KEY_PPAGE: return Key::Code::page_up;
    case KEY_NPAGE: return Key::Code::page_down;
    case KEY_HOME: return Key::Code::home;
    case KEY_END: return Key::Code::end;
    case KEY_ENTER: return Key::Code::enter;
    case KEY_BACKSPACE:
    case KEY_DC: return Key::Code::backspace;
    default: return Key::Code::other;
  }
}

std::string utf8_of(wint_t character) {
  const auto value = static_cast<unsigned>(character);
  const auto byte = [](unsigned bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  const auto tail = [&](unsigned shift) { return byte(0x80U | (value >> shift & 0x3FU)); };
  if (value < 0x80) return {byte(value)};
  if (value < 0x800) return {byte(0xC0U | value >> 6), tail(0)};
  if (value < 0x10000) return {byte(0xE0U | value >> 12), tail(6), tail(0)};
  return {byte(0xF0U | value >> 18), tail(12), tail(6), tail(0)};
}

Key key_of_character(wint_t character) {
  switch (character) {
    case '\r':
    case '\n': return {Key::Code::enter};
    case 0x1b: return {Key::Code::escape};
    case '\t': return {Key::Code::tab};
    case 0x7f:
    case '\b': return {Key::Code::backspace};
    case 'U' & 0x1f: return {Key::Code::clear_line};
    case 'F' & 0x1f: return {Key::Code::page_down};
    case 'B' & 0x1f: return {Key::Code::page_up};
    default: break;
  }
  if (character < 0x20) return {Key::Code::other};
  return {Key::Code::character, utf8_of(character)};
}

std::vector<Key> CursesTerminal::read_keys() {
  std::vector<Key> keys;
  static constexpr std::size_t k_most = 1024;  // a paste must not keep the screen from being drawn
  wint_t character = 0;
  while (keys.size() < k_most) {
    const int kind = wget_wch(stdscr, &character);
    if (kind == ERR) break;
    if (kind == KEY_CODE_YES && character == KEY_RESIZE) continue;  // resizeterm() has put it there
    keys.push_back(kind == KEY_CODE_YES ? Key{code_of(static_cast<int>(character))} : key_of_character(character));
  }
  return keys;
}

}  // namespace

bool has_screen() noexcept { return true; }

std::unique_ptr<Terminal> open_terminal() {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    throw Failure(ExitCode::failed, "top: standard input and output are no terminal; --batch prints text without one");
  return std::make_unique<CursesTerminal>();
}

}  // namespace beltway::tool

#else

namespace beltway::tool {

bool has_screen() noexcept { return false; }

std::unique_ptr<Terminal> open_terminal() {
  throw Failure(ExitCode::failed,
                "top: this beltway was built without ncurses and has no screen; --batch prints text, --format "
                "json prints JSON. Install libncurses-dev and build again for the screen");
}

}  // namespace beltway::tool

#endif
