#include "tool/text/terminal_columns.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace beltway::tool {

namespace {

constexpr std::size_t k_usual_columns = 80;
/// Narrower lines than these hold no table.
constexpr std::size_t k_least_columns = 20;
constexpr std::size_t k_most_columns = 10'000;

}  // namespace

std::size_t columns_from(std::optional<std::string_view> said, std::size_t measured) {
  std::size_t columns = 0;
  if (said) {
    const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), columns);
    if (error != std::errc() || end != said->data() + said->size()) columns = 0;
  }
  if (columns == 0 || columns > k_most_columns) columns = measured;
  if (columns == 0) columns = k_usual_columns;
  return columns < k_least_columns ? k_least_columns : columns;
}

std::size_t terminal_columns(int fd) {
  if (isatty(fd) != 1) return 0;
  winsize size{};
  const bool is_known = ioctl(fd, TIOCGWINSZ, &size) == 0;
  const char* const said = std::getenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe): nothing here sets it
  return columns_from(said != nullptr ? std::optional<std::string_view>(said) : std::nullopt,
                      is_known ? size.ws_col : 0);
}

}  // namespace beltway::tool
