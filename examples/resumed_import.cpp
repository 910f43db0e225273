// A named producer: an import that is ended in the middle, and starts again from the beginning, stores nothing twice.
#include <iostream>
#include <string>

#include "beltway/beltway.hpp"

namespace {

/// Publishes the lines 1 to `last` of a file that is always read from its beginning. Returns how many were stored before.
int import_lines(const beltway::Queue& lines, std::uint64_t last) {
  auto out = lines.producer({.name = "importer"});  // one process at a time has the name
  int skipped = 0;
  for (std::uint64_t line = 1; line <= last; ++line) {
    const auto stored = out.publish("line " + std::to_string(line), {.sequence = line});
    if (stored.status() == beltway::Status::duplicate) ++skipped;
  }
  return skipped;
}

}  // namespace

int main() try {
  const auto link = beltway::Connection::open();
  const auto lines = link.declare("lines");
  auto in = lines.consumer();
  import_lines(lines, 60);  // the first run gets no further: its machine is short of power, say
  const int skipped = import_lines(lines, 100);
  int received = 0;
  while (in.try_receive()) ++received;
  std::cout << received << " lines received, " << skipped << " not stored again\n";
  return received == 100 && skipped == 60 ? 0 : 1;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
