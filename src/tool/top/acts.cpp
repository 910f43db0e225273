#include "tool/top/acts.hpp"

#include <algorithm>

#include "base/tool_command.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

const GroupState* find_group(const watch::QueueDetail& detail, const std::string& name) {
  const std::vector<GroupState>& groups = detail.snapshot.groups;
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const GroupState& g) { return g.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

const ConsumerState* find_consumer(const watch::QueueDetail& detail, unsigned index) {
  const std::vector<ConsumerState>& consumers = detail.snapshot.consumers;
  const auto found = std::find_if(consumers.begin(), consumers.end(),
                                  [index](const ConsumerState& c) { return c.endpoint.index == index; });
  return found == consumers.end() ? nullptr : &*found;
}

/// The group that a line is about: its own, that of its consumer, or the only one.
const GroupState* group_of(const watch::QueueDetail& detail, const std::optional<Target>& target) {
  if (target && target->kind == Target::Kind::group) return find_group(detail, target->name);
  if (target && target->kind == Target::Kind::consumer) {
    const ConsumerState* const consumer = find_consumer(detail, target->index);
    return consumer == nullptr ? nullptr : find_group(detail, consumer->endpoint.group);
  }
  const std::vector<GroupState>& groups = detail.snapshot.groups;
  return groups.size() == 1 ? &groups.front() : nullptr;
}

ActChoice eviction_of(const QueueInfo& info, const EndpointInfo& consumer) {
  return {'e',
          "evict consumer " + std::to_string(consumer.index) + " (pid " + std::to_string(consumer.pid) + ")",
          {.kind = Act::Kind::evict,
           .queue = info.name,
           .queue_id = info.id,
           .group = consumer.group,
           .consumer = consumer.index,
           .pid = consumer.pid}};
}

std::string messages(std::uint64_t count) { return format_count(count) + (count == 1 ? " message" : " messages"); }

std::string unread_of(const watch::QueueDetail& detail) {
  std::uint64_t most = 0;
  for (const GroupState& group : detail.snapshot.groups)
    most = std::max(most, group.available + group.leased + group.delayed);
  return messages(most);
}

}  // namespace

std::vector<ActChoice> choices_of(const watch::QueueDetail& detail, const std::optional<Target>& target) {
  std::vector<ActChoice> choices;
  const QueueInfo& info = detail.snapshot.info;
  const auto add = [&](char key, Act::Kind kind, const std::string& label, const std::string& group) {
    choices.push_back({key, label, {.kind = kind, .queue = info.name, .queue_id = info.id, .group = group}});
  };
  if (const GroupState* const group = group_of(detail, target)) {
    const std::string name = " group " + group->name;
    if (group->paused_for) {
      add('z', Act::Kind::resume, "resume" + name, group->name);
    } else {
      add('z', Act::Kind::pause, "pause" + name, group->name);
    }
    add('p', Act::Kind::purge, "purge" + name, group->name);
    add('r', Act::Kind::reset, "reset" + name + " to another position", group->name);
    add('q', Act::Kind::requeue, "requeue dead letters of" + name, group->name);
  }
  if (target && target->kind == Target::Kind::consumer) {
    if (const ConsumerState* const consumer = find_consumer(detail, target->index))
      choices.push_back(eviction_of(info, consumer->endpoint));
  }
  add('x', Act::Kind::remove, "remove queue " + info.name, "");
  return choices;
}

std::vector<ActChoice> choices_of_message(const watch::QueueDetail& detail, const std::string& group,
                                          const PeekedMessage& message) {
  const QueueInfo& info = detail.snapshot.info;
  std::vector<ActChoice> choices;
  const auto add = [&](char key, Act::Kind kind, const std::string& label) {
    choices.push_back(
        {key,
         label,
         {.kind = kind, .queue = info.name, .queue_id = info.id, .group = group, .position = message.position}});
  };
  const std::string which = "message " + std::to_string(message.position) + " of group " + group;
  add('k', Act::Kind::ack, "acknowledge " + which + ": the group loses it");
  add('m', Act::Kind::move, "move " + which + " to another queue");
  const ConsumerState* const holder = message.holder ? find_consumer(detail, *message.holder) : nullptr;
  if (holder != nullptr) choices.push_back(eviction_of(info, holder->endpoint));
  return choices;
}

std::string group_of_list(const watch::QueueDetail& detail, const std::string& named) {
  if (!named.empty()) return named;
  const GroupState* const only = group_of(detail, std::nullopt);
  return only == nullptr ? std::string() : only->name;
}

std::string consequence_of(const Act& act, const watch::QueueDetail& detail) {
  const GroupState* const group = find_group(detail, act.group);
  const GroupState none;
  const GroupState& state = group == nullptr ? none : *group;
  switch (act.kind) {
    case Act::Kind::purge:
      return "Acknowledges " + messages(state.available + state.delayed) +
             " that no consumer of the group holds. The group never gets them. Held ones stay: " +
             messages(state.leased) + ".";
    case Act::Kind::requeue: return "Moves " + messages(state.available) + " back to the queues that they come from.";
    case Act::Kind::evict: {
      const ConsumerState* const consumer = find_consumer(detail, act.consumer);
      return "Takes the place of this consumer from it. The " + messages(consumer == nullptr ? 0 : consumer->held) +
             " that it holds go to other consumers, and are delivered once more.";
    }
    case Act::Kind::reset:
      return "The group begins at: " + act.to +
             ". Messages before are acknowledged, those from there on are delivered again.";
    case Act::Kind::pause:
      return "The consumers of the group get nothing until it is resumed. It keeps its messages: producers wait when "
             "the ring is full.";
    case Act::Kind::resume: return "The consumers of the group go on, with " + messages(state.available) + ".";
    case Act::Kind::ack:
      return "Group " + act.group + " loses the message at position " + std::to_string(act.position) +
             " for good. Other groups keep it.";
    case Act::Kind::move:
      return "Publishes the message at position " + std::to_string(act.position) + " in queue " + act.to +
             ", with its properties, and acknowledges it here for group " + act.group + ". Other groups keep it.";
    case Act::Kind::remove:
      return "The queue ends for all processes. " + unread_of(detail) + " that no consumer has acknowledged are lost.";
  }
  return {};
}

std::string command_of(const Act& act) {
  const std::string of_group = "--group " + shell_word(act.group);
  const std::string position = std::to_string(act.position);
  switch (act.kind) {
    case Act::Kind::purge: return tool_command("purge", {act.queue}, of_group);
    case Act::Kind::requeue: return tool_command("requeue", {act.queue}, of_group);
    case Act::Kind::evict: return tool_command("evict", {act.queue, std::to_string(act.consumer)});
    case Act::Kind::reset: return tool_command("group reset", {act.queue, act.group}, "--to " + shell_word(act.to));
    case Act::Kind::pause: return tool_command("group pause", {act.queue, act.group});
    case Act::Kind::resume: return tool_command("group resume", {act.queue, act.group});
    case Act::Kind::remove: return tool_command("remove", {act.queue});
    case Act::Kind::ack: return tool_command("ack", {act.queue, position}, of_group);
    case Act::Kind::move:
      return tool_command("move", {act.queue, position}, "--to " + shell_word(act.to) + " " + of_group);
  }
  return {};
}

std::string confirmation_of(const Act& act) { return act.kind == Act::Kind::remove ? act.queue : "y"; }

}  // namespace beltway::tool
