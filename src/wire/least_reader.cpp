// See least_reader.hpp.
#include "wire/least_reader.hpp"

#include "beltway/error.hpp"
#include "beltway/version.hpp"

namespace beltway::wire {

std::string LeastReader::text() const {
  return "layout " + layout.text() + (option.empty() ? "" : " for its option " + option);
}

LeastReader least_reader(const QueueOptions& options) {
  LeastReader least;
  least.raise(options);
  for (const NamedGroup& group : options.groups) least.raise(group.options);
  return least;
}

void check_reader(const JsonReader& queue, const std::string& context, LayoutVersion own) {
  if (!queue.has("reader")) return;
  const std::optional<LayoutVersion> layout = parse_layout(queue.text("reader"));
  if (!layout) queue.refuse("reader", "a layout such as \"4.0\"");
  const LeastReader least{*layout, queue.text_or("reader_option", "")};
  if (least.admits(own)) return;
  throw Error(Errc::incompatible, context + ": the queue needs " + least.text() + ", and this library, version " +
                                      std::string(k_version) + ", knows layout " + own.text() +
                                      "; start the program again with the daemon's version of Beltway");
}

}  // namespace beltway::wire
