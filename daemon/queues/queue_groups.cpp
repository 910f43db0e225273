// The named groups of a queue: making, removing, emptying them. See queue.hpp.
#include <algorithm>

#include "base/tool_command.hpp"
#include "queues/queue.hpp"
#include "ring/counters.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

std::optional<unsigned> Queue::find_group(const std::string& name) const noexcept {
  for (unsigned i = 0; i < record_.groups.size(); ++i) {
    const GroupRecord& group = record_.groups[i];
    if (group.state == GroupRecord::State::active && group.name == name) return i;
  }
  return std::nullopt;
}

unsigned Queue::group_or_throw(const std::string& name, const std::string& operation) const {
  if (const auto index = find_group(name)) return *index;
  std::vector<std::string> names;
  for (const GroupRecord& group : record_.groups) {
    if (group.state == GroupRecord::State::active) names.push_back(group.name);
  }
  throw Error(Errc::not_found, wire::error_subject(operation, record_.name) + ": it has no group \"" + name + "\"" +
                                   wire::groups_text(record_.name, names));
}

std::vector<wire::Difference> Queue::group_differences(const NamedGroup& group) const {
  std::vector<wire::Difference> found;
  const auto index = find_group(group.name);
  if (!index) return found;
  const GroupOptions& own = record_.groups[*index].options;
  for (const wire::GroupOption& row : wire::options_of<GroupOptions>()) {
    if (row.is_default(group.options)) continue;
    const wire::QueueOption& general = *wire::find_option<QueueOptions>(row.name);
    std::string there = row.is_default(own) ? general.text(record_.options) : row.text(own);
    std::string wanted = row.text(group.options);
    if (there == wanted) continue;
    found.push_back({"group \"" + group.name + "\" " + std::string(row.name), std::move(there), std::move(wanted)});
  }
  return found;
}

bool Queue::has_group(const NamedGroup& group) const {
  const std::vector<wire::Difference> found = group_differences(group);
  if (!found.empty()) {
    throw Error(Errc::already_exists,
                wire::error_subject("make a group of", record_.name) + ": it exists with " + wire::text_of(found) +
                    "; name it without options, or change it with " + "\"" +
                    tool_command("declare", {record_.name}, "--group " + group.name + ",evict-after=TIME") + "\"");
  }
  return find_group(group.name).has_value();
}

void Queue::add_groups(const std::vector<NamedGroup>& groups, Start start, const std::string& operation) {
  settle_groups();
  std::vector<NamedGroup> missing;
  for (const NamedGroup& group : groups) {
    if (!has_group(group)) missing.push_back(group);
  }
  const auto is_free = [](const GroupRecord& group) { return group.state == GroupRecord::State::free; };
  const auto places = std::count_if(record_.groups.begin(), record_.groups.end(), is_free);
  if (static_cast<std::size_t>(places) < missing.size()) {
    throw Error(Errc::limit_reached, wire::error_subject(operation, record_.name) + ": no place for group \"" +
                                         missing.back().name + "\": max_groups is " +
                                         std::to_string(geometry_.max_groups) +
                                         "; remove a group, or declare the queue with more");
  }
  if (missing.empty()) return;
  make_groups(record_, memory_, missing, start);
  count_unread();
  save();            // a daemon that dies before has made groups without a record: the next daemon frees them
  store_settings();  // their ttl may need stamps
  for (const NamedGroup& group : missing) {
    StoredEvent added = event("group_added");
    added.event.group = group.name;
    tell(std::move(added));
  }
}

void make_groups(QueueRecord& record, const ring::QueueMemory& memory, const std::vector<NamedGroup>& groups,
                 Start start) {
  for (const NamedGroup& group : groups) {
    const auto place = std::find_if(record.groups.begin(), record.groups.end(),
                                    [](const GroupRecord& g) { return g.state == GroupRecord::State::free; });
    const auto index = static_cast<unsigned>(place - record.groups.begin());
    place->options = group.options;
    store_group_settings(record, memory, index);
    ring::join(memory, index, ring::GroupKind::named, start);
    // Read at once and kept: what a client writes there later must not decide anything.
    place->incarnation = ring::GroupStateWord::of(memory.group(index).state.load_relaxed()).incarnation;
    place->name = group.name;
    place->state = GroupRecord::State::active;
  }
}

void Queue::remove_group(const std::string& name) {
  const unsigned index = group_or_throw(name, "remove a group of");
  record_.groups[index].state = GroupRecord::State::leaving;
  save();
  ring::leave(memory_, index);
  count_unread();
  ring::wake_all_sleepers(memory_);
  settle_groups();
}

PurgeResult Queue::purge_group(const std::string& name) {
  const unsigned index = group_or_throw(name, "purge a group of");
  heal("at a purge");
  // A producer that takes notice ends claims of its own that it has lost track of.
  ring::post_notice(memory_, 0);
  const ring::Purged purged = ring::purge(memory_, index);
  const ring::Position tail = ring::load_tail(memory_);
  PurgeResult result{.purged = purged.messages, .left = 0, .used = 0, .holders = {}};
  const std::int64_t used = ring::distance(tail, ring::lowest_floor(memory_, tail));
  result.used = std::min(static_cast<std::uint64_t>(used), std::uint64_t{geometry_.slots});
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    const unsigned owner = owner_of(place);
    const ring::Purged::Held& held = purged.held[owner];
    if (held.messages == 0) continue;
    result.left += held.messages;
    result.holders.push_back({.producer = owner < ring::k_first_consumer,
                              .index = owner % ring::k_first_consumer,
                              .pid = record_.endpoints[place].pid,
                              .messages = held.messages,
                              .oldest = held.oldest});
  }
  std::sort(result.holders.begin(), result.holders.end(),
            [](const PurgeHolder& a, const PurgeHolder& b) { return ring::distance(a.oldest, b.oldest) < 0; });
  return result;
}

bool Queue::has_readers() const noexcept {
  const auto is_active = [](const GroupRecord& group) { return group.state == GroupRecord::State::active; };
  const auto is_attached = [](const EndpointRecord& endpoint) { return endpoint.attached; };
  return std::any_of(record_.groups.begin(), record_.groups.end(), is_active) ||
         std::any_of(record_.endpoints.begin() + geometry_.max_producers, record_.endpoints.end(), is_attached);
}

void Queue::count_unread() noexcept {
  detail::Word& since = memory_.shared_status().unread_since;
  const bool read = has_readers();
  if (read != ring::UnreadSince::of(since.load_relaxed()).has_no_reader) return;
  const ring::Position tail = ring::load_tail(memory_);
  if (!read) return since.store_release(ring::UnreadSince{true, tail}.word());
  // The new group may begin before the tail.
  ring::Position first = tail;
  for (unsigned index = 0; index < geometry_.groups(); ++index) {
    const ring::GroupBlock& group = memory_.group(index);
    const ring::GroupPhase phase = ring::GroupStateWord::of(group.state.load_acquire()).phase;
    if (phase != ring::GroupPhase::active && phase != ring::GroupPhase::paused) continue;
    const ring::Position floor = ring::wrap(group.floor.load_acquire());
    if (ring::distance(floor, first) < 0) first = floor;
  }
  ring::end_unread(memory_, tail, first);
}

void Queue::settle_groups() {
  for (unsigned index = 0; index < record_.groups.size(); ++index) {
    GroupRecord& group = record_.groups[index];
    if (group.state != GroupRecord::State::leaving) continue;
    const bool deserted = std::none_of(record_.endpoints.begin() + geometry_.max_producers, record_.endpoints.end(),
                                       [index](const EndpointRecord& e) { return e.attached && e.group == index; });
    if (!deserted || !ring::try_drain(memory_, index)) continue;
    group = GroupRecord{};
    save();
    ring::free_group(memory_, index);
    store_settings();
  }
}

}  // namespace beltway::daemon
