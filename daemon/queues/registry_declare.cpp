// A declare of a queue that exists: what is compared, what is changed, which groups are made. See registry.hpp.
#include <algorithm>
#include <utility>

#include "base/tool_command.hpp"
#include "queues/registry.hpp"
#include "wire/options_checks.hpp"
#include "wire/options_schema.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

/// A change that a declare asks for.
struct Change {
  std::optional<unsigned> group;  // whose own it is; nothing: the queue's
  GroupOptions own;
  OptionChange told;
};

/// Whether a declare asks for that option. Without `said` it asks for all; the default of an option that can be changed asks
/// for nothing then: a program that attaches need not know what an operator has set since.
bool is_said(const wire::QueueOption& option, const QueueOptions& options, const Registry::Said& said) {
  if (said) return std::find(said->begin(), said->end(), option.name) != said->end();
  if (option.redeclare == wire::Redeclare::changed_or_kept) return false;
  return !option.is_changeable() || !option.is_default(options);
}

/// Also of a group's difference: its own option has the name of the queue's.
const wire::QueueOption& option_of(const wire::Difference& difference) {
  const std::size_t space = difference.option.rfind(' ');
  return *wire::find_option<QueueOptions>(
      std::string_view(difference.option).substr(space == std::string::npos ? 0 : space + 1));
}

/// Throws Error(invalid_option) if the options make no sense together once the queue has all changes and `groups`.
void check_outcome(const QueueRecord& queue, const std::vector<Change>& changes, const QueueOptions& wanted,
                   const std::vector<NamedGroup>& groups) {
  QueueOptions options = queue.options;
  std::vector<NamedGroup> all = groups;  // those that exist have no options here
  for (const GroupRecord& group : queue.groups) all.emplace_back(group.name, group.options);
  for (const Change& change : changes) {
    if (change.group) {
      wire::find_option<GroupOptions>(change.told.option)->copy(change.own, all[groups.size() + *change.group].options);
    } else {
      wire::find_option<QueueOptions>(change.told.option)->copy(wanted, options);
    }
  }
  wire::check_end_of_failures(wire::error_subject("declare", queue.name), options, all);
  check_target_names(wire::error_subject("declare", queue.name), all);
}

Error declared_otherwise(const QueueRecord& queue, const std::vector<wire::Difference>& refused) {
  const bool changeable = std::all_of(refused.begin(), refused.end(),
                                      [](const wire::Difference& each) { return option_of(each).is_changeable(); });
  const wire::QueueOption& first = option_of(refused.front());
  return {Errc::already_exists,
          wire::error_subject("declare", queue.name) + ": it exists with " + wire::text_of(refused) +
              (changeable ? "; leave it out, or change it while the queue lives with \"" +
                                tool_command("declare", {queue.name},
                                             std::string(first.flag) + " " + std::string(first.value_name)) +
                                "\""
                          : "; these are fixed while the queue lives: leave them out to use it as it is, with its "
                            "messages, declare another name, or remove it first, which drops its messages")};
}

}  // namespace

Registry::Declared Registry::open_existing(const Peer& peer, Queue& queue, const QueueOptions& options,
                                           const Said& said, std::uint64_t session) {
  require(peer, queue.record(), Right::see, "declare");
  std::vector<wire::Difference> refused;  // all of them are told at once
  std::vector<Change> changes;
  for (wire::Difference& each : wire::differences(queue.record().options, options)) {
    const wire::QueueOption& option = option_of(each);
    if (!is_said(option, options, said)) continue;
    if (said && option.is_changeable()) {
      changes.push_back({std::nullopt, {}, {each.option, "", each.there, each.wanted}});
    } else {
      refused.push_back(std::move(each));
    }
  }
  std::vector<NamedGroup> groups = options.groups;
  for (NamedGroup& group : groups) {
    for (wire::Difference& each : queue.group_differences(group)) {
      if (said) {
        changes.push_back({queue.find_group(group.name),
                           group.options,
                           {std::string(option_of(each).name), group.name, each.there, each.wanted}});
      } else {
        refused.push_back(std::move(each));
      }
    }
    if (said && queue.find_group(group.name)) group.options = {};  // it exists, and that is all that is left to ask
  }
  if (!refused.empty()) throw declared_otherwise(queue.record(), refused);
  if (options.exclusive && is_said(*wire::find_option<QueueOptions>("exclusive"), options, said)) {
    require_owner_process(peer, queue, session);
  }
  if (!changes.empty()) require(peer, queue.record(), Right::own, "change " + changes.front().told.option + " of");
  check_outcome(queue.record(), changes, options, groups);
  for (const Change& change : changes) {
    if (change.told.option != "dead_letter") continue;
    links_.check(wire::error_subject("declare", queue.record().name), queue.record().name, change.told.group,
                 change.group ? change.own.dead_letter.value_or("") : options.dead_letter);
  }
  add_groups(peer, queue, groups, Start::latest, "declare");
  Declared declared{queue, false};
  for (Change& change : changes) {
    if (change.group) {
      queue.change_group_option(*change.group, *wire::find_option<GroupOptions>(change.told.option), change.own);
    } else {
      queue.change_option(*wire::find_option<QueueOptions>(change.told.option), options);
    }
    declared.changed.push_back(std::move(change.told));
  }
  note_watched(queue);
  queue.renew();
  return declared;
}

void Registry::add_groups(const Peer& peer, Queue& queue, const std::vector<NamedGroup>& groups, Start start,
                          const std::string& operation) {
  bool complete = true;
  for (const NamedGroup& group : groups) {
    if (queue.has_group(group)) continue;
    complete = false;
    const bool plain = group.options == GroupOptions{};
    require(peer, queue.record(), plain ? Right::consume : Right::own,
            plain ? "make a group of" : "make a group with options of");
    wire::check_end_of_failures(wire::error_subject(operation, queue.record().name), queue.record().options,
                                {&group, 1});
    links_.check(wire::error_subject(operation, queue.record().name), queue.record().name, group.name,
                 group.options.dead_letter.value_or(""));
  }
  if (!complete) {
    std::vector<NamedGroup> all = active_groups(queue.record());
    for (const NamedGroup& group : groups) {
      if (!queue.find_group(group.name)) all.push_back(group);
    }
    check_target_names(wire::error_subject(operation, queue.record().name), all);
    queue.add_groups(groups, start, operation);
  }
  note_watched(queue);
}

}  // namespace beltway::daemon
