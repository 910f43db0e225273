// `beltway list`: the queues that the caller may read or write.
#include <algorithm>
#include <iostream>
#include <optional>

#include "beltway/error.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/daemon_state.hpp"
#include "tool/text/lifetime.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/table.hpp"
#include "watch/process_info.hpp"
#include "wire/option_values.hpp"

namespace beltway::tool {

namespace {

/// Nothing if the queue may only be written, or has just been removed: the list goes on without its numbers.
std::optional<QueueSnapshot> try_snapshot(const Connection& connection, const std::string& name) {
  try {
    return connection.open_queue(name).snapshot();
  } catch (const Error& error) {
    // Without the daemon each queue would wait for it in turn.
    if (error.reason() == Errc::no_daemon) throw;
    return std::nullopt;
  }
}

std::string of(std::size_t count, std::uint32_t limit) { return std::to_string(count) + "/" + std::to_string(limit); }

Json list_json(const Connection& connection, const Connection::DaemonInfo& daemon,
               const std::vector<QueueInfo>& queues) {
  Json list = Json::array();
  for (const QueueInfo& info : queues) {
    const std::optional<QueueSnapshot> snapshot = try_snapshot(connection, info.name);
    Json json = to_json(info);
    json["position"] = snapshot ? Json(snapshot->position) : Json(nullptr);
    json["used"] = snapshot ? Json(snapshot->used) : Json(nullptr);
    list.push_back(std::move(json));
  }
  Json json;
  json["daemon"] = to_json(daemon);
  json["queues"] = std::move(list);
  return json;
}

std::string list_text(const Connection& connection, const Connection::DaemonInfo& daemon,
                      const std::vector<QueueInfo>& queues) {
  Table table{"QUEUE",      ">USED",      ">SLOTS", ">SLOT", ">LANE", ">SIZE",
              ">PRODUCERS", ">CONSUMERS", "OWNER",  "MODE",  "LASTS", "GROUPS"};
  for (const QueueInfo& info : queues) {
    const std::optional<QueueSnapshot> snapshot = try_snapshot(connection, info.name);
    const auto producers = static_cast<std::size_t>(std::count_if(
        info.endpoints.begin(), info.endpoints.end(), [](const EndpointInfo& endpoint) { return endpoint.producer; }));
    std::string groups;
    for (const NamedGroup& group : info.options.groups) groups += (groups.empty() ? "" : " ") + group.name;
    table.add({info.name, snapshot ? std::to_string(snapshot->used) : "-", std::to_string(info.options.slots),
               format_size(info.options.slot_bytes), format_size(static_cast<double>(info.options.lane_bytes)),
               format_size(static_cast<double>(info.shared_bytes)), of(producers, info.options.max_producers),
               of(info.endpoints.size() - producers, info.options.max_consumers), watch::user_name(info.owner_uid),
               wire::octal(info.options.mode), lifetime_cell(info), groups.empty() ? "-" : groups});
  }
  return table.text() + state_text(daemon);
}

ExitCode run(const Globals& globals) {
  const Connection connection = globals.connect_to_inspect();
  const Connection::DaemonInfo daemon = connection.ping();
  const std::vector<QueueInfo> queues = connection.list();
  Output output(1);
  if (globals.json()) {
    output.append(json_line(list_json(connection, daemon, queues)));
  } else {
    // Not on standard output: what scripts read there is the table alone.
    std::cerr << watch::daemon_text(daemon) << std::endl;
    output.append(list_text(connection, daemon, queues));
  }
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_list(Command& app, Globals& globals) {
  Command command = app.add_command("list", "List the queues that you may read or write");
  command.footer(R"(Examples:
  beltway list
  beltway list --format json | jq -r '.queues[] | select(.used > 0) | .name')");
  command.on_parsed([&globals] { globals.action = [&globals] { return run(globals); }; });
}

}  // namespace beltway::tool
