// See dead_letter_links.hpp.
#include "queues/dead_letter_links.hpp"

#include <algorithm>

#include "base/tool_command.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

/// The smallest lane that takes a message of that size.
std::uint64_t lane_for(std::uint64_t message_bytes) {
  return (message_bytes + k_lane_granule_bytes - 1) / k_lane_granule_bytes * k_lane_granule_bytes;
}

/// A command that makes a target for messages of that size.
std::string declare_command(const std::string& target, std::uint64_t needed) {
  const std::uint64_t lane = lane_for(needed);
  const std::string size = lane > QueueOptions{}.lane_bytes ? " --lane-bytes " + std::to_string(lane) : "";
  return "\"" + tool_command("declare", {target}, "--group all" + size) + "\"";
}

/// What "failed" needs so that it takes messages of that size; nothing fits if there is no such lane.
std::string size_remedy(const std::string& source, const std::string& target, std::uint64_t needed) {
  const std::uint64_t lane = lane_for(needed);
  const std::string smaller = quoted(source) + " with smaller lane_bytes";
  if (lane > k_max_lane_bytes || needed > k_max_message_bytes) return "declare " + smaller;
  return "declare " + quoted(target) + " anew with lane_bytes of at least " + std::to_string(lane) +
         " (--lane-bytes), or " + smaller;
}

}  // namespace

void check_target_names(const std::string& context, std::span<const NamedGroup> groups) {
  std::size_t bytes = 0;
  for (const NamedGroup& group : groups) bytes += group.options.dead_letter.value_or("").size();
  if (bytes <= k_max_target_names_bytes) return;
  throw Error(Errc::limit_reached, context + ": the names of its groups' own dead letter queues have " +
                                       std::to_string(bytes) + " bytes; at most " +
                                       std::to_string(k_max_target_names_bytes) +
                                       ": use shorter names, or the option dead_letter of the queue");
}

DeadLetterLinks::Node DeadLetterLinks::node_of(const QueueOptions& options, std::span<const NamedGroup> groups) {
  const std::uint64_t in_slot = options.slot_bytes - k_slot_overhead_bytes;
  Node node{.largest_message = std::max(in_slot, std::min(options.lane_bytes, k_max_message_bytes)),
            .is_typed = options.type != TypeTag{},
            .is_exclusive = options.exclusive,
            .expires = options.expire_after.count() != 0,
            .groups = groups.size()};
  if (!options.dead_letter.empty()) node.targets.insert(options.dead_letter);
  for (const NamedGroup& group : groups) {
    if (group.options.dead_letter && !group.options.dead_letter->empty())
      node.targets.insert(*group.options.dead_letter);
  }
  return node;
}

void DeadLetterLinks::note(const QueueRecord& queue) {
  nodes_[queue.name] = node_of(queue.options, active_groups(queue));
}

void DeadLetterLinks::check(const std::string& context, const std::string& source, const std::string& group,
                            const std::string& target) const {
  if (target.empty()) return;
  const std::string whose = group.empty() ? context : wire::error_subject(context + ": group", group);
  check_target(whose, source, nodes_.at(source), target);
}

void DeadLetterLinks::check_new(const std::string& context, const std::string& queue, const QueueOptions& options,
                                std::span<const NamedGroup> groups) const {
  check_target_names(context, groups);
  const Node made = node_of(options, groups);
  for (const std::string& target : made.targets) check_target(context, queue, made, target);
  for (const std::string& source : sources_of(queue)) {
    const std::string why = why_not(source, nodes_.at(source), queue, made);
    if (why.empty()) continue;
    throw Error(Errc::invalid_option, context + ": queue " + quoted(source) + " sends its dead letters here: " + why);
  }
}

void DeadLetterLinks::check_target(const std::string& context, const std::string& source, const Node& from,
                                   const std::string& target) const {
  const std::string start = context + ": dead_letter is " + quoted(target) + ": ";
  if (target == source) {
    throw Error(Errc::invalid_option,
                start + "queue " + quoted(source) + " cannot be its own dead letter queue; name another one");
  }
  const auto found = nodes_.find(target);
  if (found == nodes_.end()) {
    // Other queues may wait for it, too.
    std::uint64_t largest = from.largest_message;
    for (const std::string& other : sources_of(target)) largest = std::max(largest, nodes_.at(other).largest_message);
    throw Error(Errc::not_found,
                start + "there is no such queue for the dead letters of " + quoted(source) +
                    "; declare it first, with a group: " + declare_command(target, largest + k_max_dead_letter_bytes));
  }
  if (const std::vector<std::string> way = find_way(target, source); !way.empty()) {
    std::string names;
    for (const std::string& each : way) names += (names.empty() ? "" : " to ") + quoted(each);
    throw Error(Errc::invalid_option, start + "dead letters already go from " + names +
                                          ", so they would go round in a circle; name another queue, or change "
                                          "dead_letter of " +
                                          quoted(way[way.size() - 2]) + " first");
  }
  const std::string why = why_not(source, from, target, found->second);
  if (!why.empty()) throw Error(Errc::invalid_option, start + why);
}

std::vector<std::string> DeadLetterLinks::find_way(const std::string& from, const std::string& to) const {
  std::map<std::string, std::string> reached{{from, ""}};  // each with the queue before it
  std::vector<std::string> ahead{from};
  while (!ahead.empty()) {
    const std::string here = ahead.back();
    ahead.pop_back();
    if (here == to) {
      std::vector<std::string> way;
      for (std::string each = to; !each.empty(); each = reached.at(each)) way.insert(way.begin(), each);
      return way;
    }
    const auto node = nodes_.find(here);
    if (node == nodes_.end()) continue;
    for (const std::string& next : node->second.targets) {
      if (reached.try_emplace(next, here).second) ahead.push_back(next);
    }
  }
  return {};
}

std::string DeadLetterLinks::why_not(const std::string& source, const Node& from, const std::string& target,
                                     const Node& to) {
  if (to.is_exclusive || to.expires) {
    return quoted(target) +
           (to.is_exclusive ? " ends with its process (exclusive)" : " is removed when it was unused (expire_after)") +
           ", and the dead letters of " + quoted(source) + " would be lost; declare " + quoted(target) +
           " without that";
  }
  if (to.is_typed) {
    return quoted(target) + " has a type, and dead letters are the bytes of " + quoted(source) + "; declare " +
           quoted(target) + " without a type";
  }
  if (const std::uint64_t needed = from.largest_message + k_max_dead_letter_bytes; needed > to.largest_message) {
    return "a message of " + quoted(source) + " may have " + std::to_string(from.largest_message) +
           " bytes and takes up to " + std::to_string(k_max_dead_letter_bytes) + " more as a dead letter, and " +
           quoted(target) + " takes at most " + std::to_string(to.largest_message) + "; " +
           size_remedy(source, target, needed);
  }
  if (to.groups == 0) {
    return quoted(target) + " has no named group, so the dead letters of " + quoted(source) +
           " would be overwritten; make a group there: \"" + tool_command("group add", {target, "all"}) + "\"";
  }
  return {};
}

std::vector<std::string> DeadLetterLinks::sources_of(const std::string& target) const {
  std::vector<std::string> sources;
  for (const auto& [name, node] : nodes_) {
    if (node.targets.contains(target)) sources.push_back(name);
  }
  return sources;
}

std::vector<std::string> DeadLetterLinks::missing_targets_of(const std::string& source) const {
  std::vector<std::string> missing;
  const auto node = nodes_.find(source);
  if (node == nodes_.end()) return missing;
  for (const std::string& target : node->second.targets) {
    if (!nodes_.contains(target)) missing.push_back(target);
  }
  return missing;
}

std::size_t DeadLetterLinks::groups_of(const std::string& queue) const {
  const auto node = nodes_.find(queue);
  return node == nodes_.end() ? 0 : node->second.groups;
}

}  // namespace beltway::daemon
