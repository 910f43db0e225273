#include "tool/commands/suggestions.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

namespace {

/// Words that are longer are not compared: the work grows with the product of the lengths.
constexpr std::size_t k_longest_word = 256;

/// So many letters may differ: in a short word each counts for more.
std::size_t allowed_distance(std::size_t length) {
  if (length <= 2) return 1;
  return length < 8 ? 2 : 3;
}

constexpr auto k_other_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"publish", "pub"},    {"send", "pub"},      {"put", "pub"},        {"produce", "pub"},   {"subscribe", "sub"},
    {"receive", "sub"},    {"get", "sub"},       {"consume", "sub"},    {"tail", "sub"},      {"ls", "list"},
    {"queues", "list"},    {"status", "list"},   {"describe", "show"},  {"info", "show"},     {"inspect", "show"},
    {"stat", "show"},      {"stats", "show"},    {"create", "declare"}, {"make", "declare"},  {"add", "declare"},
    {"rm", "remove"},      {"delete", "remove"}, {"del", "remove"},     {"clear", "purge"},   {"empty", "purge"},
    {"drain", "purge"},    {"browse", "peek"},   {"look", "peek"},      {"retry", "requeue"}, {"dump", "export"},
    {"restore", "import"},
});

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right) {
  // Three rows of the table of distances between the beginnings of both words.
  std::vector<std::size_t> before_last(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[right.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > k_longest_word) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > k_longest_word) continue;
    const bool begins = word.size() >= 2 && candidate.starts_with(word);
    const std::size_t distance = begins ? 1 : edit_distance(word, candidate);
    if (distance > allowed_distance(word.size()) || distance >= std::max(word.size(), candidate.size())) continue;
    if (best && distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::optional<std::string> command_meant_by(std::string_view word) {
  const auto found = std::ranges::find(k_other_names, word, &std::pair<std::string_view, std::string_view>::first);
  return found == k_other_names.end() ? std::nullopt : std::optional(std::string(found->second));
}

std::optional<std::string> suggest_command(const CommandDescription& command, const std::string& word) {
  if (const auto meant = command_meant_by(word); meant && command.find_command(*meant) != nullptr) return meant;
  std::vector<std::string> names;
  for (const CommandDescription& each : command.commands) names.push_back(each.name);
  return nearest(word, names);
}

const CommandDescription& find_command(const CommandDescription& all, const std::vector<std::string>& words) {
  const CommandDescription* command = &all;
  for (const std::string& word : words) {
    const CommandDescription* const next = command->find_command(word);
    if (next == nullptr) {
      throw Failure(ExitCode::usage, "\"" + word + "\" is no command" + did_you_mean(suggest_command(*command, word)));
    }
    command = next;
  }
  return *command;
}

std::optional<std::string> suggest_option(const CommandDescription& command, const CommandDescription& global,
                                          const std::string& word) {
  const auto without_dashes = [](const std::string& name) {
    return name.substr(std::min(name.find_first_not_of('-'), name.size()));
  };
  std::vector<std::string> names;
  for (const CommandDescription* each : {&command, &global}) {
    for (const OptionDescription& option : each->options) {
      const bool is_long = !option.is_argument && option.names.back().starts_with("--");
      if (is_long) names.push_back(without_dashes(option.names.back()));
    }
  }
  const auto found = nearest(without_dashes(word.substr(0, word.find('='))), names);
  return found ? std::optional("--" + *found) : std::nullopt;
}

std::string did_you_mean(const std::optional<std::string>& suggestion) {
  return suggestion ? "; did you mean \"" + *suggestion + "\"?" : std::string();
}

}  // namespace beltway::tool
