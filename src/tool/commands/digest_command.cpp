// `beltway digest`: adds up the digests that pub and sub printed.
#include <fstream>
#include <iostream>

#include "tool/commands/commands.hpp"
#include "tool/text/digest.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

void add_lines(std::istream& input, const std::string& name, Digest& sum) {
  std::uint64_t number = 0;
  for (std::string line; std::getline(input, line);) {
    ++number;
    const std::optional<Digest> digest = Digest::parse(line);
    if (!digest) {
      throw Failure(ExitCode::failed,
                    name + ", line " + std::to_string(number) +
                        ": not \"messages=... bytes=... digest=...\" as pub and sub --digest print it");
    }
    sum.add(*digest);
  }
  if (input.bad()) throw Failure(ExitCode::failed, "read " + name + " failed");
}

ExitCode run(const Globals& globals, const std::vector<std::string>& files) {
  Digest sum;
  if (files.empty()) add_lines(std::cin, "standard input", sum);
  for (const std::string& name : files) {
    std::ifstream file(name);
    if (!file) throw Failure(ExitCode::failed, "open " + name + " failed");
    add_lines(file, name, sum);
  }
  Output output(1);
  output.append(globals.json() ? json_line(to_json(sum)) : sum.line() + "\n");
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_digest(Command& app, Globals& globals) {
  Command command = app.add_command("digest", "Add up digests: competing consumers' sum to their publisher's");
  const auto files = std::make_shared<std::vector<std::string>>();
  command.add_texts("FILE", *files, "Files with what pub --digest or sub --digest printed; none: standard input")
      .type_name("");
  command.footer(R"(Example:
  beltway sub q --group g --end-of-stream drained --digest > one &
  beltway sub q --group g --end-of-stream drained --digest > two &
  seq 1000000 | beltway pub q --digest > published
  wait; beltway digest one two | cmp - published)");
  command.on_parsed([&globals, files] { globals.action = [&globals, files] { return run(globals, *files); }; });
}

}  // namespace beltway::tool
