#include "tool/commands/completion.hpp"

#include <algorithm>
#include <span>

namespace beltway::tool {

namespace {

using AskQueues = std::function<std::vector<QueueInfo>(const std::string&)>;

/// What the words before the one in question say.
struct Context {
  const CommandDescription* command = nullptr;
  const OptionDescription* waits_for_value = nullptr;  ///< the option before, which takes the word
  std::vector<std::string> arguments = {};             ///< of the command
  std::string socket = {};
};

const OptionDescription* find_option(const CommandDescription& all, const CommandDescription& command,
                                     const std::string& word) {
  const OptionDescription* const own = command.find_option(word);
  return own != nullptr ? own : all.find_option(word);
}

Context context_of(const CommandDescription& all, std::span<const std::string> words) {
  Context context{.command = &all};
  for (const std::string& word : words) {
    if (context.waits_for_value != nullptr) {
      if (word == "=") continue;
      if (context.waits_for_value->names.back() == "--socket") context.socket = word;
      context.waits_for_value = nullptr;
    } else if (word.starts_with('-')) {
      const OptionDescription* const option = find_option(all, *context.command, word);
      if (option != nullptr && !option->value.empty()) context.waits_for_value = option;
    } else if (const CommandDescription* const next = context.command->find_command(word)) {
      context.command = next;
    } else {
      context.arguments.push_back(word);
    }
  }
  return context;
}

/// The argument at which the word stands; the last one may be repeated. Null: there is none.
const OptionDescription* argument_at(const CommandDescription& command, std::size_t index) {
  for (const OptionDescription& option : command.options) {
    if (!option.is_argument) continue;
    if (index == 0 || option.is_repeated) return &option;
    --index;
  }
  return nullptr;
}

/// Of the queue that the line names, or of all.
std::vector<std::string> groups_of(const std::vector<QueueInfo>& queues, const std::string& queue) {
  std::vector<std::string> names;
  for (const QueueInfo& info : queues) {
    if (!queue.empty() && info.name != queue) continue;
    for (const NamedGroup& group : info.options.groups) names.push_back(group.name);
  }
  return names;
}

std::vector<std::string> values_of(const OptionDescription& option, const Context& context, const AskQueues& queues) {
  const std::string& kind = option.is_argument ? option.names.front() : option.value;
  if (kind == "NAME" && !option.is_argument) return {};  // a name that is new
  if (kind == "NAME" || kind == "QUEUE" || kind == "DEAD_LETTER") return names_of_queues(queues(context.socket));
  if (kind == "GROUP" || kind == "GROUP ...") {
    return groups_of(queues(context.socket), context.arguments.empty() ? "" : context.arguments.front());
  }
  if (kind == "PATH" || kind == "FILE") return {k_files};
  return option.words();
}

std::vector<std::string> option_names(const CommandDescription& all, const CommandDescription& command) {
  std::vector<std::string> names;
  for (const CommandDescription* each : {&command, &all}) {
    for (const OptionDescription& option : each->options) {
      if (!option.is_argument) names.push_back(option.names.back());
    }
    if (&command == &all) break;
  }
  return names;
}

std::vector<std::string> candidates(const CommandDescription& all, const Context& context, const std::string& word,
                                    const AskQueues& queues) {
  if (context.waits_for_value != nullptr) return values_of(*context.waits_for_value, context, queues);
  if (word.starts_with('-')) return option_names(all, *context.command);
  if (!context.command->commands.empty()) {
    std::vector<std::string> names;
    for (const CommandDescription& each : context.command->commands) names.push_back(each.name);
    return names;
  }
  const OptionDescription* const argument = argument_at(*context.command, context.arguments.size());
  if (argument == nullptr) return {};
  if (argument->names.front() == "COMMAND") {
    // Words of `help`: the commands below those that stand there.
    const CommandDescription* command = &all;
    for (const std::string& each : context.arguments)
      command = command == nullptr ? nullptr : command->find_command(each);
    std::vector<std::string> names;
    if (command == nullptr) return names;
    for (const CommandDescription& each : command->commands) names.push_back(each.name);
    return names;
  }
  return values_of(*argument, context, queues);
}

}  // namespace

std::vector<std::string> completions(const CommandDescription& all, const CommandLine& line, const AskQueues& queues) {
  const std::size_t at = std::min(line.at, line.words.size());
  std::string word = at < line.words.size() ? line.words[at] : std::string();
  const std::span<const std::string> before = std::span(line.words).first(at);
  const Context context = context_of(all, before.empty() ? before : before.subspan(1));
  if (word == "=") word.clear();  // "--wait=": what follows it
  std::vector<std::string> found = candidates(all, context, word, queues);
  std::erase_if(found, [&word](const std::string& each) { return each != k_files && !each.starts_with(word); });
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<std::string> names_of_queues(const std::vector<QueueInfo>& queues) {
  std::vector<std::string> names;
  for (const QueueInfo& queue : queues) names.push_back(queue.name);
  return names;
}

}  // namespace beltway::tool
