// Causes that words of the memory and counters show. See causes.hpp.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/tool_command.hpp"
#include "watch/causes.hpp"
#include "watch/format.hpp"

namespace beltway::watch {

void add_memory_causes(const QueueSnapshot& snapshot, std::vector<Cause>& causes) {
  if (snapshot.broken != 0) {
    causes.push_back(
        {.kind = "broken_words",
         .text = std::to_string(snapshot.broken) +
                 " words of the shared memory make no sense: a program wrote there, or used one endpoint from two "
                 "threads; readers may stand before them",
         .remedies = {{tool_command("sub", {snapshot.info.name}, "--lossy --count 0"),
                       "attaches for a moment and takes no message: at each attach the daemon heals the queue"}}});
  }
  std::uint64_t rescued = 0;
  std::uint64_t corrupt = 0;
  for (const ProducerState& producer : snapshot.producers) rescued += producer.counters.rescued;
  for (const ConsumerState& consumer : snapshot.consumers) {
    rescued += consumer.counters.rescued;
    corrupt += consumer.counters.corrupt;
  }
  if (rescued > 0) {
    causes.push_back({.kind = "rescued",
                      .blocks = false,
                      .text = format_count(rescued) +
                              " sleeps were ended by the last-resort timer only: each was up to 1 s too long; "
                              "nothing need be done"});
  }
  if (corrupt > 0) {
    causes.push_back({.kind = "corrupt_messages",
                      .blocks = false,
                      .text = format_count(corrupt) +
                              " messages made no sense and were skipped: some producer scribbles; "
                              "nothing need be done unless more come, which doctor tells with the "
                              "producers"});
  }
  if (snapshot.symmetric_fences && snapshot.info.options.fence == Fence::asymmetric) {
    causes.push_back(
        {.kind = "symmetric_fences",
         .blocks = false,
         .text = "publishers pay for full fences, since some process could not use membarrier when it attached; "
                 "nothing need be done: it costs time only, and a queue that is declared anew starts without"});
  }
}

std::string paused_text(const GroupState& group) { return "has been paused for " + format_duration(*group.paused_for); }

Remedy resume_remedy(const QueueSnapshot& snapshot, const GroupState& group) {
  return {tool_command("group resume", {snapshot.info.name, group.name}), "lets its consumers go on"};
}

void add_paused_groups(const QueueSnapshot& snapshot, std::vector<Cause>& causes) {
  for (const GroupState& group : snapshot.groups) {
    const bool told = std::any_of(causes.begin(), causes.end(),
                                  [&](const Cause& cause) { return cause.group == group.name && cause.blocks; });
    if (told || !group.paused_for) continue;
    causes.push_back({.kind = "group_paused",
                      .blocks = false,
                      .group = group.name,
                      .position = group.floor,
                      .text = "group \"" + group.name + "\" is paused: its consumers get nothing, and " +
                              std::to_string(group.available) + " messages wait",
                      .remedies = {resume_remedy(snapshot, group)}});
  }
}

std::vector<Remedy> remedies_for_group(const std::string& queue, const std::string& group) {
  const std::string of_group = "--group " + shell_word(group);
  return {{tool_command("sub", {queue}, of_group),
           "instead of the application: prints and acknowledges its messages, which are then gone for it"},
          {tool_command("purge", {queue}, of_group), "drops the messages that no consumer holds"},
          {tool_command("group remove", {queue, group}), "removes the group with its messages"}};
}

bool is_stopped(const EndpointInfo& endpoint) {
  const std::optional<ProcessInfo> process = process_info(endpoint.pid);
  return process && process->stopped();
}

namespace {

/// True if an eviction of the consumer frees what it holds: of a group, if another consumer gets the messages.
bool frees_by_eviction(const QueueSnapshot& snapshot, const EndpointInfo& endpoint) {
  if (!endpoint.evictable || endpoint.evicted || endpoint.leaving) return false;
  if (endpoint.group.empty()) return !endpoint.lossy;
  const auto group = std::ranges::find(snapshot.groups, endpoint.group, &GroupState::name);
  if (group == snapshot.groups.end() || group->paused_for) return false;
  return std::ranges::any_of(snapshot.consumers, [&](const ConsumerState& each) {
    const EndpointInfo& other = each.endpoint;
    return other.index != endpoint.index && other.group == endpoint.group && !other.evicted && !other.leaving &&
           !is_stopped(other);
  });
}

}  // namespace

std::vector<Remedy> remedies_for_consumer(const QueueSnapshot& snapshot, const EndpointInfo& endpoint) {
  std::vector<Remedy> remedies = remedies_for_process(endpoint.pid);
  if (!frees_by_eviction(snapshot, endpoint)) return remedies;
  // The end of a process comes last.
  const auto place = remedies.empty() ? remedies.end() : std::prev(remedies.end());
  remedies.insert(place, {tool_command("evict", {snapshot.info.name, std::to_string(endpoint.index)}),
                          endpoint.group.empty() ? "lets producers go on without it"
                                                 : "gives its messages to the other consumers of the group"});
  return remedies;
}

void add_idle_groups(const QueueSnapshot& snapshot, std::vector<Cause>& causes) {
  const std::uint32_t slots = snapshot.info.options.slots;
  for (const GroupState& group : snapshot.groups) {
    const bool told = std::any_of(causes.begin(), causes.end(),
                                  [&](const Cause& cause) { return cause.group == group.name && cause.blocks; });
    if (told || !group.consumers.empty() || group.depth < slots / 2) continue;
    causes.push_back({.kind = "group_without_consumer",
                      .blocks = false,
                      .group = group.name,
                      .position = group.floor,
                      .text = "group \"" + group.name + "\" has no consumer, and keeps " + std::to_string(group.depth) +
                              " of " + std::to_string(slots) + " slots: producers will wait when the ring is full; " +
                              std::string(k_start_consumer),
                      .remedies = remedies_for_group(snapshot.info.name, group.name)});
  }
}

namespace {

/// Why the oldest parked message of the group is not delivered, and what ends its wait. Requires that no consumer holds it.
void add_wait_for_delivery(const QueueSnapshot& snapshot, const GroupState& group, Cause& cause) {
  const std::string& queue = snapshot.info.name;
  const std::string position = std::to_string(*group.oldest_parked);
  const std::string of_group = "--group " + shell_word(group.name);
  cause.text += "failed and waits to be delivered again";
  if (group.paused_for) {
    cause.text += ", and the group " + paused_text(group);
    cause.remedies = {resume_remedy(snapshot, group)};
  } else if (group.consumers.empty()) {
    cause.text += ", and the group has no consumer; " + std::string(k_start_consumer);
    cause.remedies = remedies_for_group(queue, group.name);
  } else if (group.due_in && group.due_in->count() > 0) {
    cause.text += "; the next delivery is in " + format_duration(*group.due_in);
  }
  cause.remedies.push_back({tool_command("ack", {queue, position}, of_group),
                            "drops this message for the group, if it need not be tried again"});
  cause.remedies.push_back(
      {tool_command("peek", {queue}, of_group + " --from " + position + " --count 1"), "shows the message"});
}

}  // namespace

void add_parked_messages(const QueueSnapshot& snapshot, std::vector<Cause>& causes) {
  for (const GroupState& group : snapshot.groups) {
    if (!group.oldest_parked) continue;
    Cause cause{.kind = "parked", .blocks = false, .group = group.name, .position = *group.oldest_parked};
    cause.text = "group \"" + group.name + "\" has " + std::to_string(group.parked) +
                 " parked messages, which do not hold the ring; the oldest, position " +
                 std::to_string(*group.oldest_parked) + ", ";
    const auto holder = std::ranges::find_if(snapshot.consumers, [&group](const ConsumerState& consumer) {
      return group.parked_holder == consumer.endpoint.index;
    });
    if (holder == snapshot.consumers.end()) {
      add_wait_for_delivery(snapshot, group, cause);
    } else {
      cause.consumer = holder->endpoint.index;
      cause.pid = holder->endpoint.pid;
      cause.text += "is held by consumer " + std::to_string(holder->endpoint.index) + " (" +
                    process_text(holder->endpoint.pid) + ")";
      cause.remedies = remedies_for_consumer(snapshot, holder->endpoint);
    }
    causes.push_back(std::move(cause));
  }
}

}  // namespace beltway::watch
