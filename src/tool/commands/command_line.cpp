// See command_line.hpp.
#include "tool/commands/command_line.hpp"

#include <CLI/CLI.hpp>

#include "tool/commands/plain_words.hpp"
#include "tool/commands/short_options.hpp"

namespace beltway::tool {

namespace {

/// The option, which takes the mark of plain words away before anything else looks at its values.
CLI::Option& without_mark(CLI::Option* option) { return *option->transform(without_marks); }

}  // namespace

void throw_usage(const std::string& name, const std::string& complaint) {
  if (name.empty()) throw CLI::ValidationError(complaint);
  throw CLI::ValidationError(name, complaint);
}

std::optional<std::chrono::milliseconds> parse_milliseconds(const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(*duration);
}

std::optional<bool> parse_truth(const std::string& text) {
  if (text != "true" && text != "false") return std::nullopt;
  return text == "true";
}

Option& Option::required() {
  option_->required();
  return *this;
}
Option& Option::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}
Option& Option::needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

bool Option::given() const noexcept { return option_->count() != 0; }

Command Command::add_command(const std::string& name, const std::string& help) {
  CLI::App* const command = app_->add_subcommand(name, help);
  command->footer("");  // not its parent's
  return Command(*command);
}
void Command::require_command() { app_->require_subcommand(1); }
void Command::footer(const std::string& text) { app_->footer(text); }
void Command::on_parsed(std::function<void()> callback) { app_->callback(std::move(callback)); }
CommandDescription Command::describe() const { return tool::describe(*app_); }

Option Command::add_flag(const std::string& name, bool& target, const std::string& help) {
  return Option(*app_->add_flag(with_short_option(name), target, help));
}
Option Command::add_text(const std::string& name, std::string& target, const std::string& help) {
  return Option(without_mark(app_->add_option(with_short_option(name), target, help)));
}
Option Command::add_texts(const std::string& name, std::vector<std::string>& target, const std::string& help) {
  return Option(
      without_mark(app_->add_option(with_short_option(name), target, help)->allow_extra_args(name[0] != '-')));
}
Option Command::add_number(const std::string& name, std::uint32_t& target, const std::string& help) {
  return Option(without_mark(
      app_->add_option(with_short_option(name), target, help)->type_name("NUMBER")->capture_default_str()));
}
Option Command::add_numbers(const std::string& name, std::vector<int>& target, const std::string& help) {
  return Option(without_mark(app_->add_option(with_short_option(name), target, help)->delimiter(',')));
}
Option Command::add_stored(const std::string& name, std::function<bool(const std::string&)> store,
                           const std::string& what, const std::string& help) {
  const auto take = [store = std::move(store), name, what](const std::string& text) {
    if (!store(text)) throw CLI::ValidationError(name, "\"" + text + "\" is not " + what);
  };
  return Option(without_mark(app_->add_option_function<std::string>(with_short_option(name), take, help)
                                 ->type_name(what.substr(what.find(' ') + 1))));
}

Option Command::add_queue_name(std::string& name) {
  return add_text("NAME", name, "The queue").required().type_name("");
}

Option Command::add_group_name(std::string& name) {
  return add_text("GROUP", name, "The named group").required().type_name("");
}

}  // namespace beltway::tool
