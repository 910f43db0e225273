#include "service/requests.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "beltway/version.hpp"
#include "service/request_support.hpp"
#include "survival/log.hpp"
#include "survival/succession.hpp"
#include "wire/protocol.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

using nlohmann::json;

/// A page of `list` ends before this; one queue's description is at most about 40 KiB (protocol_test).
constexpr std::size_t k_list_page_bytes = k_max_protocol_bytes / 2;

Reply hello(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "hello");
  const auto version = fields.number<std::uint32_t>("protocol");
  if (version != k_protocol_version) {
    throw Error(Errc::protocol, "connect: the process, version " + fields.text_or("version", "unknown") +
                                    ", speaks protocol " + std::to_string(version) + ", the daemon, version " +
                                    std::string(k_version) + ", protocol " + std::to_string(k_protocol_version) +
                                    "; start the program again with the daemon's version of Beltway");
  }
  if (fields.has("layout")) {
    const auto layout = wire::parse_layout(fields.text("layout"));
    if (!layout) fields.refuse("layout", "a layout such as \"4.0\"");
    caller.layout = *layout;
  }
  caller.version = fields.text_or("version", "unknown");
  caller.greeted = true;
  return reply_with({{"protocol", k_protocol_version}, {"version", k_version}, {"pid", ::getpid()}});
}

/// Those that the caller may see. At most so many that they fit an answer.
json encode_held(const Caller& caller) {
  constexpr std::size_t k_most = 32;
  json held = json::array();
  for (const HeldQueue& queue : caller.registry.held()) {
    QueueRecord record;
    record.name = queue.stamp.name;
    record.owner_uid = queue.stamp.owner_uid;
    record.owner_gid = queue.stamp.owner_gid;
    record.options.mode = queue.stamp.mode;
    if (held.size() == k_most || !allowed(caller.peer, record, Right::see)) continue;
    held.push_back({{"name", queue.stamp.name}, {"layout", queue.stamp.layout.text()}, {"why", queue.why}});
  }
  return held;
}

Reply ping(Caller& caller, const json&) {
  const LogState log = log_state();
  json reply{{"version", k_version},    {"layout", wire::k_own_layout.text()},
             {"pid", ::getpid()},       {"uid", ::geteuid()},
             {"socket", caller.socket}, {"log", log.file},
             {"log_lost", log.lost},    {"held", encode_held(caller)}};
  const Quotas& quotas = caller.registry.quotas();
  const QuotaUse use = caller.registry.use_of(caller.peer.uid);
  reply["quota"] = {{"queues", use.queues},
                    {"max_queues", quotas.queues_per_user},
                    {"bytes", use.bytes},
                    {"max_bytes", quotas.bytes_per_user}};
  if (caller.connection_use) {
    const ConnectionUse connected = caller.connection_use();
    reply["quota"]["connections"] = connected.connections;
    reply["quota"]["max_connections"] = quotas.connections_per_user;
    reply["quota"]["most_connections"] = {{"pid", connected.most_pid}, {"connections", connected.most_connections}};
  }
  if (std::string instead_of = passed_over(); !instead_of.empty()) reply["passed_over"] = std::move(instead_of);
  return reply_with(std::move(reply));
}

Reply declared_reply(Caller& caller, const Registry::Declared& declared) {
  std::vector<os::Fd> owned;
  if (os::Fd lock = declared.queue.take_owner_lock()) {
    const wire::EndpointName owner{declared.queue.record().id, wire::k_queue_owner, 0};
    caller.endpoints.push_back(owner);
    if (!caller.is_watched) caller.registry.watch_by_lock(owner);
    owned.push_back(std::move(lock));
  }
  std::vector<int> descriptors;
  for (const os::Fd& each : owned) descriptors.push_back(each.get());
  if (declared.created) declared.queue.tell(event_by(caller, declared.queue, "declared"));
  json changed = json::array();
  for (const OptionChange& change : declared.changed) {
    changed.push_back(wire::encode(change));
    StoredEvent told =
        event_by(caller, declared.queue, "changed", change.option + " is " + change.to + ", it was " + change.from);
    told.event.group = change.group;
    declared.queue.tell(std::move(told));
  }
  return {{{"queue", wire::encode(declared.queue.description(false))},
           {"created", declared.created},
           {"changed", std::move(changed)}},
          std::move(descriptors),
          std::move(owned)};
}

Reply declare(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "declare");
  const std::string name = fields.text("name");
  wire::check_name("declare", "queue", name);
  static const json no_options = json::object();
  const QueueOptions options = wire::decode_options(fields.has("options") ? fields.object("options") : no_options,
                                                    wire::error_subject("declare", name));
  const Registry::Said said = wire::decode_said(request, "declare");
  if (!caller.ask_again) {
    return declared_reply(caller, caller.registry.declare(caller.peer, name, options, said, caller.session));
  }
  const auto declared = caller.registry.declare(caller.peer, caller.session, name, options, said,
                                                [again = caller.ask_again, request] { again(request); });
  caller.later = !declared;
  return declared ? declared_reply(caller, *declared) : Reply();
}

Reply open(Caller& caller, const json& request) {
  const Queue& queue = queue_of(caller, wire::JsonReader(request, "open"), Right::see, "open");
  return reply_with({{"queue", wire::encode(queue.description(false))}});
}

Reply describe(Caller& caller, const json& request) {
  const Queue& queue = queue_of(caller, wire::JsonReader(request, "describe"), Right::see, "describe");
  return reply_with({{"queue", wire::encode(caller.registry.description_of(queue))}});
}

Reply list(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "list");
  const std::string after = fields.text_or("after", "");
  const auto since = fields.number_or<std::uint64_t>("changed_since", 0);
  const auto removed = caller.registry.removals().since(since);
  const std::uint64_t revision = last_revision();
  json queues = json::array();
  bool more = false;
  std::size_t bytes = 0;
  const auto& all = caller.registry.queues();
  for (auto item = all.upper_bound(after); item != all.end(); ++item) {
    if (removed && !item->second->is_busy() && item->second->revision() <= since) continue;
    if (!allowed(caller.peer, item->second->record(), Right::see)) continue;
    wait_for(caller, *item->second);
    json queue = wire::encode(caller.registry.description_of(*item->second));
    bytes += queue.dump().size();
    if (bytes > k_list_page_bytes && !queues.empty()) {
      more = true;
      break;
    }
    queues.push_back(std::move(queue));
  }
  json reply{{"queues", std::move(queues)}, {"more", more}, {"revision", revision}};
  if (removed) reply["removed"] = *removed;
  return reply_with(std::move(reply));
}

Reply remove(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "remove");
  Queue& queue = queue_of(caller, fields, Right::own, "remove");
  if (!fields.flag("force")) caller.registry.require_no_sources(caller.peer, queue);
  queue.tell(event_by(caller, queue, "removed"));
  caller.registry.remove(std::string(queue.record().name));
  return reply_with(json::object());
}

/// True: a worker heals the queue before it gets another endpoint, and then the request is asked again.
bool is_to_be_healed_first(Caller& caller, Queue& queue, const json& request) {
  if (!queue.is_large() || std::exchange(caller.is_healed, false)) return false;
  const auto heal = [&queue] { queue.heal("at an attach"); };
  if (!caller.ask_again) {
    heal();
    return false;
  }
  caller.later = true;
  caller.is_healed = true;
  caller.registry.run_beside(queue, heal, [again = caller.ask_again, request] { again(request); });
  return true;
}

/// An older program would misread options of the queue.
void require_reader(const Caller& caller, const QueueRecord& queue) {
  const wire::LeastReader least = least_reader(queue);
  if (least.admits(caller.layout)) return;
  throw Error(Errc::incompatible, wire::error_subject("attach", queue.name) + ": the queue needs " + least.text() +
                                      ", and the process, version " + caller.version + ", knows layout " +
                                      caller.layout.text() +
                                      "; start the program again with the daemon's version of Beltway");
}

Reply attach(Caller& caller, const json& request) {
  const wire::AttachRequest wanted = wire::decode_attach_request(request, "attach");
  Queue& queue = caller.registry.find(wanted.queue, "attach");
  const bool producer = wanted.role == wire::Role::producer;
  require(caller.peer, queue.record(), producer ? Right::produce : Right::consume, "attach");
  wait_for(caller, queue);
  require_reader(caller, queue.record());
  wire::check_options(wire::error_subject("attach", queue.record().name), wanted.consumer);
  if (wanted.role != wire::Role::inspector && is_to_be_healed_first(caller, queue, request)) return {};
  AttachGrant grant = queue.attach(caller.peer, caller.session, wanted);
  if (producer && queue.geometry().lane_bytes != 0) {
    grant.reply.promised = caller.registry.promise_lane({wanted.queue, grant.reply.endpoint, grant.reply.incarnation},
                                                        queue.geometry().lane_bytes);
  }
  if (wanted.role != wire::Role::inspector) {
    const wire::EndpointName made{queue.record().id, grant.reply.endpoint, grant.reply.incarnation};
    caller.endpoints.push_back(made);
    caller.registry.expect_events();
    if (!caller.is_watched) caller.registry.watch_by_lock(made);
  }
  return {wire::encode(grant.reply), std::move(grant.borrowed), std::move(grant.owned)};
}

Reply resume(Caller& caller, const json& request) {
  json gone = json::array();
  json refused = json::array();
  std::size_t index = 0;
  for (const json& item : wire::JsonReader(request, "resume").array("endpoints")) {
    Queue* const queue = caller.registry.try_find(wire::decode_endpoint_name(item, "resume").queue);
    if (queue != nullptr) wait_for(caller, *queue);
  }
  for (const json& item : wire::JsonReader(request, "resume").array("endpoints")) {
    const wire::EndpointName name = wire::decode_endpoint_name(item, "resume");
    switch (caller.registry.resume(caller.peer, caller.session, name)) {
      case Registry::Resumed::ok:
        caller.endpoints.push_back(name);
        if (!caller.is_watched) caller.registry.watch_by_lock(name);
        break;
      case Registry::Resumed::gone: gone.push_back(index); break;
      case Registry::Resumed::refused: refused.push_back(index); break;
    }
    ++index;
  }
  return reply_with({{"gone", std::move(gone)}, {"refused", std::move(refused)}});
}

Reply add_group(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "add_group");
  const std::string context = "add a group to";
  Queue& queue = queue_of(caller, fields, Right::consume, context);
  caller.registry.add_groups(caller.peer, queue, {wire::decode_group(fields.value("group"), context)},
                             wire::decode_start(request, "add_group"), context);
  return reply_with(json::object());
}

constexpr std::array k_operations{
    Operation{"hello", hello},         Operation{"ping", ping},           Operation{"declare", declare},
    Operation{"open", open},           Operation{"describe", describe},   Operation{"list", list},
    Operation{"remove", remove},       Operation{"attach", attach},       Operation{"resume", resume},
    Operation{"add_group", add_group}, Operation{"events", answer_events}};

const Operation* find_operation(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(k_operations, name, &Operation::name);
  return found == k_operations.end() ? find_operator_request(name) : found;
}

std::optional<Reply> run(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "request");
  const std::string name = fields.text("op");
  const auto number = fields.number<std::uint64_t>("n");
  if (!caller.greeted && name != "hello") {
    throw Error(Errc::protocol, "connect: the first request must be \"hello\"; use the daemon's version of Beltway");
  }
  if (name == "detach") {
    const wire::EndpointName detached = wire::decode_endpoint_name(request, "detach");
    caller.registry.detach(caller.session, detached);
    std::erase(caller.endpoints, detached);  // from now on its death is awaited, if it is not gone
    return std::nullopt;
  }
  if (name == "filled") {
    caller.registry.lane_is_filled(caller.session, wire::decode_endpoint_name(request, "filled"));
    return std::nullopt;
  }
  const Operation* const found = find_operation(name);
  if (found == nullptr) {
    throw Error(Errc::protocol,
                wire::error_subject("request", name) + ": unknown here; use the daemon's version of Beltway");
  }
  Reply reply = found->run(caller, request);
  if (caller.later) return std::nullopt;
  reply.body["n"] = number;
  return reply;
}

}  // namespace

std::optional<Reply> answer(Caller& caller, const json& request) {
  try {
    return run(caller, request);
  } catch (const QueueIsBusy& busy) {
    caller.later = true;
    busy.queue->when_free([again = caller.ask_again, request] { again(request); });
    return std::nullopt;
  } catch (const Error& error) {
    return error_reply(request, error);
  } catch (const std::exception& error) {  // no memory, above all
    return error_reply(request, Error(Errc::system, std::string("the daemon failed: ") + error.what()));
  }
}

Reply error_reply(const json& request, const Error& error) {
  json body{{"error", wire::encode(error)}};
  if (request.is_object()) {
    if (const auto number = request.find("n"); number != request.end() && number->is_number_unsigned()) {
      body["n"] = *number;
    }
  }
  return reply_with(std::move(body));
}

bool ends_connection(const Reply& reply) {
  const auto error = reply.body.find("error");
  return error != reply.body.end() && (*error)["errc"] == "protocol";
}

}  // namespace beltway::daemon
