// See queries.hpp.
#include "client/queries.hpp"

#include <string>

#include "client/find_daemon.hpp"
#include "wire/json_reader.hpp"

namespace beltway::client {

using nlohmann::json;

namespace {

/// Numbers of an array; what is none is left out.
std::vector<std::uint64_t> numbers_in(const json& array) {
  std::vector<std::uint64_t> numbers;
  for (const json& each : array) {
    if (each.is_number_unsigned()) numbers.push_back(each.get<std::uint64_t>());
  }
  return numbers;
}

}  // namespace

QueueChanges list_changes(Session& session, std::uint64_t since, const Until& caller) {
  const std::string context = "list queues";
  QueueChanges changes;
  bool more = true;
  for (bool first = true; more; first = false) {
    json body{{"after", changes.queues.empty() ? std::string() : changes.queues.back().info.name}};
    if (since != 0) body["changed_since"] = since;
    const Packet reply = session.request_until(context, "list", std::move(body), caller);
    const wire::JsonReader fields(reply.body, context);
    const std::size_t before = changes.queues.size();
    for (const json& queue : fields.array("queues")) {
      changes.queues.push_back(wire::decode_description(queue, context));
    }
    if (first) {
      // What changes between the pages is told again next time.
      changes.revision = fields.number_or<std::uint64_t>("revision", 0);
      changes.complete = !fields.has("removed");
      if (!changes.complete) changes.removed = numbers_in(fields.array("removed"));
    }
    more = fields.flag("more") && changes.queues.size() > before;
  }
  return changes;
}

std::vector<wire::Description> list_queues(Session& session, const Until& caller) {
  return list_changes(session, 0, caller).queues;
}

Connection::DaemonInfo ask_daemon(Session& session, const Until& caller, std::optional<Quota>* quota) {
  const Packet reply = session.request_until("ping", "ping", json::object(), caller);
  const wire::JsonReader fields(reply.body, "ping");
  const std::string socket = fields.text("socket");
  Connection::DaemonInfo info{.version = fields.text("version"),
                              .layout = fields.text_or("layout", ""),
                              .pid = static_cast<int>(fields.number<std::uint32_t>("pid")),
                              .uid = fields.number_or<std::uint32_t>("uid", Connection::k_unknown_uid),
                              .socket = socket,
                              .log = fields.text_or("log", ""),
                              .log_lost = fields.has("log_lost") ? fields.number<std::uint64_t>("log_lost") : 0,
                              .asked = session.socket().string(),
                              .others = session.was_searched() ? other_daemons(socket) : std::vector<OtherDaemon>{},
                              .passed_over = fields.text_or("passed_over", ""),
                              .held = {}};
  if (quota != nullptr && fields.has("quota")) {
    const wire::JsonReader use(fields.object("quota"), "ping: quota");
    *quota = Quota{.queues = use.number<std::uint64_t>("queues"),
                   .max_queues = use.number<std::uint64_t>("max_queues"),
                   .bytes = use.number<std::uint64_t>("bytes"),
                   .max_bytes = use.number<std::uint64_t>("max_bytes"),
                   .connections = use.number_or<std::uint64_t>("connections", 0),
                   .max_connections = use.number_or<std::uint64_t>("max_connections", 0)};
    if (use.has("most_connections")) {
      const wire::JsonReader most(use.object("most_connections"), "ping: most_connections");
      (*quota)->most_pid = static_cast<int>(most.number<std::uint32_t>("pid"));
      (*quota)->most_connections = most.number<std::uint64_t>("connections");
    }
  }
  if (!fields.has("held")) return info;
  for (const json& queue : fields.array("held")) {
    const wire::JsonReader held(queue, "ping: held");
    info.held.push_back({held.text("name"), held.text("layout"), held.text("why")});
  }
  return info;
}

}  // namespace beltway::client
