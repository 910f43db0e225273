// See connection.hpp: each member is a request to the daemon.
#include "beltway/connection.hpp"

#include <optional>

#include "client/ask_until.hpp"
#include "client/ownership.hpp"
#include "client/queries.hpp"
#include "client/session.hpp"
#include "os/cancel_guard.hpp"
#include "wire/events_json.hpp"
#include "wire/json_reader.hpp"
#include "wire/least_reader.hpp"
#include "wire/options_schema.hpp"
#include "wire/protocol.hpp"
#include "wire/validate.hpp"

namespace beltway {

using nlohmann::json;

Connection Connection::open(const ConnectionOptions& options) {
  return Connection(std::make_shared<client::Session>(options));
}

namespace {

/// The queue in a reply. Throws Error(incompatible) if this library must not work on the queue.
QueueInfo queue_in(const client::Packet& reply, const std::string& context) {
  const json& queue = wire::JsonReader(reply.body, context).object("queue");
  wire::check_reader(wire::JsonReader(queue, context), context);
  return wire::decode_description(queue, context).info;
}

void check_said(const std::string& context, const std::string& option) {
  const auto* const row = wire::find_option<QueueOptions>(option);
  if (row != nullptr && row->redeclare != wire::Redeclare::apart) return;
  throw Error(Errc::invalid_option, context + ": \"" + option +
                                        "\" is not the name of an option to compare; write it as OptionChange and "
                                        "JSON do, for example \"slots\" or \"evict_after_ms\"");
}

/// The lock of an exclusive queue comes with the answer, if the queue was made now.
client::Packet request_declare(const std::shared_ptr<client::Session>& session, const std::string& context, json body,
                               const QueueOptions& options) {
  body["options"] = wire::encode(options);
  if (!options.exclusive) return session->request(context, "declare", std::move(body));
  client::release_removed_ownerships();
  const os::CancelGuard no_cancellation;
  client::ArrivingLock lock(wire::geometry_of(options));
  client::Packet reply = session->request(context, "declare", std::move(body), client::Repeat::allowed, &lock);
  const wire::JsonReader fields(reply.body, context);
  if (lock.has_come()) {
    client::keep_ownership(session, wire::JsonReader(fields.object("queue"), context).number<std::uint64_t>("id"), lock,
                           context);
  } else if (fields.flag("created")) {
    throw Error(Errc::protocol, context + ": the daemon sent no lock for an exclusive queue; use its version");
  }
  return reply;
}

}  // namespace

Queue Connection::declare(std::string_view name, const QueueOptions& options) const {
  wire::check_name("declare", "queue", name);
  const std::string context = wire::error_subject("declare", name);
  wire::check_options(context, options);
  const client::Packet reply = request_declare(session_, context, {{"name", name}}, options);
  return {session_, queue_in(reply, context)};
}

Queue Connection::declare(std::string_view name) const { return declare_some(name, {}, {}).queue; }

Connection::Declared Connection::declare_some(std::string_view name, const QueueOptions& options,
                                              const std::vector<std::string>& said) const {
  wire::check_name("declare", "queue", name);
  const std::string context = wire::error_subject("declare", name);
  wire::check_options(context, options);
  for (const std::string& option : said) check_said(context, option);
  const client::Packet reply = request_declare(session_, context, {{"name", name}, {"said", said}}, options);
  const wire::JsonReader fields(reply.body, context);
  Declared declared{.queue = Queue(session_, queue_in(reply, context)), .created = fields.flag("created")};
  if (fields.has("changed")) {
    for (const json& change : fields.array("changed")) {
      declared.changed.push_back(wire::decode_change(change, context));
    }
  }
  return declared;
}

Queue Connection::open_queue(std::string_view name) const {
  wire::check_name("open", "queue", name);
  const std::string context = wire::error_subject("open", name);
  const client::Packet reply = session_->request(context, "open", {{"name", name}});
  return {session_, queue_in(reply, context)};
}

Queue Connection::open_queue(std::string_view name, const Until& until) const {
  wire::check_name("open", "queue", name);
  const std::string context = wire::error_subject("open", name);
  std::optional<client::Packet> reply;
  std::optional<Error> silence;
  const Status status = client::ask_until(until, [&] {
    try {
      silence.reset();
      reply = session_->request_until(context, "open", {{"name", name}}, until);
    } catch (const Error& error) {
      if (error.reason() == Errc::no_daemon) silence = error;
      if (error.reason() != Errc::not_found) throw;
    }
    return reply.has_value();
  });
  if (reply) return {session_, queue_in(*reply, context)};
  if (status == Status::stopped) {
    throw Error(Errc::interrupted, context + ": a stop was requested before the queue was there");
  }
  if (silence) throw Error(*silence);
  throw Error(Errc::not_found, context +
                                   ": there is no such queue, and none came in time; start the program that "
                                   "declares it, or declare it here");
}

void Connection::remove(std::string_view name, const RemoveOptions& options) const {
  wire::check_name("remove", "queue", name);
  json body{{"name", name}};
  if (options.force) body["force"] = true;
  session_->request(wire::error_subject("remove", name), "remove", std::move(body), client::Repeat::never);
  client::release_removed_ownerships();
}

std::vector<QueueInfo> Connection::list() const {
  std::vector<QueueInfo> all;
  for (wire::Description& each : client::list_queues(*session_, Until())) all.push_back(std::move(each.info));
  return all;
}

QueueInfo Connection::describe(std::string_view name) const {
  wire::check_name("describe", "queue", name);
  const std::string context = wire::error_subject("describe", name);
  const client::Packet reply = session_->request(context, "describe", {{"name", name}});
  return wire::decode_description(wire::JsonReader(reply.body, context).object("queue"), context).info;
}

EventPage Connection::events(std::uint64_t since, std::uint32_t count) const {
  const client::Packet reply = session_->request("read events", "events", {{"since", since}, {"count", count}});
  return wire::decode_event_page(reply.body, "read events");
}

Connection::DaemonInfo Connection::ping() const { return client::ask_daemon(*session_, Until()); }

}  // namespace beltway
