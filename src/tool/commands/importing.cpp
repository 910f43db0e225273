#include "tool/commands/importing.hpp"

#include <algorithm>

#include "beltway/error.hpp"
#include "tool/process/exit_code.hpp"
#include "wire/options_schema.hpp"

namespace beltway::tool {

namespace {

bool is_said(const Definition& definition, const std::string& option) {
  return std::ranges::find(definition.said, option) != definition.said.end();
}

void compare_options(ImportStep& step, const QueueInfo& info) {
  for (const wire::Difference& each : wire::differences(info.options, step.definition.options)) {
    if (!is_said(step.definition, each.option)) continue;
    const wire::QueueOption* const row = wire::find_option<QueueOptions>(each.option);
    if (row != nullptr && row->is_changeable()) {
      step.changes.push_back({each.option, "", each.there, each.wanted});
    } else {
      step.conflicts.push_back(each.option + " " + each.there + ", not " + each.wanted);
    }
  }
}

void compare_groups(ImportStep& step, const QueueInfo& info) {
  for (const NamedGroup& wanted : step.definition.options.groups) {
    const auto there = std::ranges::find(info.options.groups, wanted.name, &NamedGroup::name);
    if (there == info.options.groups.end()) {
      step.new_groups.push_back(wanted.name);
      continue;
    }
    for (const wire::GroupOption& row : wire::options_of<GroupOptions>()) {
      // Its own option that the text does not have stays.
      if (row.is_default(wanted.options) || row.is_equal(there->options, wanted.options)) continue;
      step.changes.push_back({std::string(row.name), wanted.name, row.text(there->options), row.text(wanted.options)});
    }
  }
}

/// True if the queue was removed: this import has made it, and nobody has used it since.
bool take_back(const Connection& connection, const std::string& name) {
  try {
    const QueueSnapshot snapshot = connection.open_queue(name).snapshot();
    if (snapshot.position != 0 || !snapshot.info.endpoints.empty()) return false;
    connection.remove(name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

}  // namespace

std::vector<ImportStep> plan_import(const std::vector<Definition>& definitions, const std::vector<QueueInfo>& existing,
                                    bool skip_existing) {
  std::vector<ImportStep> steps;
  for (const Definition& definition : definitions) {
    ImportStep step{.definition = definition, .kind = ImportStep::Kind::make};
    const auto there = std::ranges::find(existing, definition.name, &QueueInfo::name);
    if (there != existing.end() && skip_existing) {
      step.kind = ImportStep::Kind::skip;
    } else if (there != existing.end()) {
      compare_options(step, *there);
      compare_groups(step, *there);
      const bool is_same = step.changes.empty() && step.new_groups.empty();
      step.kind = is_same ? ImportStep::Kind::keep : ImportStep::Kind::change;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

void run_import(const Connection& connection, const std::vector<ImportStep>& steps, Progress& progress) {
  std::vector<std::string> made;
  std::vector<std::string> changed;
  std::size_t number = 0;
  try {
    for (const ImportStep& step : steps) {
      progress.say("import is at queue " + std::to_string(++number) + " of " + std::to_string(steps.size()));
      if (step.kind == ImportStep::Kind::skip) continue;
      const Definition& definition = step.definition;
      const Connection::Declared declared =
          connection.declare_some(definition.name, definition.options, definition.said);
      if (declared.created) made.push_back(definition.name);
      if (!declared.created && step.kind == ImportStep::Kind::change) changed.push_back(definition.name);
    }
  } catch (const Error& error) {
    // The last one first: the queues before it may get its dead letters.
    std::vector<std::string> stay;
    for (auto name = made.rbegin(); name != made.rend(); ++name) {
      if (!take_back(connection, *name)) stay.push_back(*name);
    }
    std::string text = error.what();
    if (stay.size() != made.size()) text += "; the queues that were made before were removed again";
    if (!stay.empty()) text += "; these were made and stay, since they are in use: " + listed(stay);
    if (!changed.empty()) text += "; these were changed before: " + listed(changed);
    throw Failure(exit_code_of(error.reason()), text);
  }
}

}  // namespace beltway::tool
