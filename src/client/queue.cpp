// See queue.hpp: each member is a request to the daemon, or an attach.
#include "beltway/queue.hpp"

#include <algorithm>

#include "client/ask_until.hpp"
#include "client/attach.hpp"
#include "client/queue_request.hpp"
#include "wire/json_reader.hpp"
#include "wire/validate.hpp"

namespace beltway::client {

using nlohmann::json;

namespace {

wire::Description description_in(const Packet& reply, const Queue& queue) {
  const std::string context = wire::error_subject("describe", queue.name());
  return wire::decode_description(wire::JsonReader(reply.body, context).object("queue"), context);
}

}  // namespace

Packet request_on(Session& session, const Queue& queue, std::string_view operation, std::string_view op, json body,
                  Repeat repeat) {
  body["queue"] = queue.id();
  return session.request(wire::error_subject(operation, queue.name()), op, std::move(body), repeat);
}

wire::Description describe(Session& session, const Queue& queue) {
  return description_in(request_on(session, queue, "describe", "describe"), queue);
}

wire::Description describe_until(Session& session, const Queue& queue, const Until& until) {
  const std::string context = wire::error_subject("describe", queue.name());
  return description_in(session.request_until(context, "describe", {{"queue", queue.id()}}, until), queue);
}

}  // namespace beltway::client

namespace beltway {

Queue::Queue(std::shared_ptr<client::Session> session, QueueInfo info)
    : session_(std::move(session)), name_(std::move(info.name)), id_(info.id), options_(std::move(info.options)) {}

Producer Queue::producer(const ProducerOptions& options) const {
  wire::check_options(wire::error_subject("attach", name_), options);
  client::beware_of_strangers(options_);
  const wire::AttachRequest request{.role = wire::Role::producer, .producer = options};
  return endpoint::make_producer(client::attach_endpoint(session_, {name_, id_, wire::geometry_of(options_)}, request,
                                                         {.populate = options.populate, .lock = options.lock_memory}),
                                 options);
}

Consumer Queue::consumer(const ConsumerOptions& options) const {
  wire::check_options(wire::error_subject("attach", name_), options);
  client::beware_of_strangers(options_);
  const auto attach = [session = session_, queue = client::QueueName{name_, id_, wire::geometry_of(options_)},
                       memory = client::MemoryOptions{.populate = options.populate, .lock = options.lock_memory}](
                          const ConsumerOptions& with) {
    return client::attach_endpoint(session, queue, {.role = wire::Role::consumer, .consumer = with}, memory);
  };
  endpoint::Attachment first = attach(options);
  if (!options.reattach) return endpoint::make_consumer(std::move(first), options);
  // The group that it was in, and no new one. A private consumer then skips what it has read.
  ConsumerOptions again = options;
  again.create_group = false;
  again.start = Start::oldest;
  return endpoint::make_reattaching_consumer(std::move(first), options, [attach, again] { return attach(again); });
}

namespace {

Status wait_for_endpoints(client::Session& session, const Queue& queue, bool producers, unsigned count,
                          const Until& until) {
  return client::ask_until(until, [&] {
    const QueueInfo info = client::describe_until(session, queue, until).info;
    const auto attached = std::ranges::count_if(info.endpoints, [producers](const EndpointInfo& endpoint) {
      return endpoint.producer == producers && !endpoint.evicted && !endpoint.orphan;
    });
    return static_cast<std::uint64_t>(attached) >= count;
  });
}

}  // namespace

Status Queue::wait_for_consumers(unsigned count, const Until& until) const {
  return wait_for_endpoints(*session_, *this, false, count, until);
}

Status Queue::wait_for_producers(unsigned count, const Until& until) const {
  return wait_for_endpoints(*session_, *this, true, count, until);
}

void Queue::add_group(const NamedGroup& group, Start start) const {
  wire::check_group(wire::error_subject("add a group to", name_), group);
  client::request_on(*session_, *this, "add a group to", "add_group",
                     {{"group", wire::encode(group)}, {"start", wire::word_of(start)}});
}

void Queue::remove_group(std::string_view group, const RemoveOptions& options) const {
  wire::check_name("remove group", "group", group);
  nlohmann::json body{{"group", group}};
  if (options.force) body["force"] = true;
  client::request_on(*session_, *this, "remove a group of", "remove_group", std::move(body), client::Repeat::never);
}

PurgeResult Queue::purge(std::string_view group) const {
  wire::check_name("purge group", "group", group);
  const client::Packet reply =
      client::request_on(*session_, *this, "purge a group of", "purge", {{"group", group}}, client::Repeat::never);
  return wire::decode_purge_result(reply.body, wire::error_subject("purge a group of", name_));
}

void Queue::pause_group(std::string_view group) const {
  wire::check_name("pause group", "group", group);
  client::request_on(*session_, *this, "pause a group of", "pause_group", {{"group", group}});
}

void Queue::resume_group(std::string_view group) const {
  wire::check_name("resume group", "group", group);
  client::request_on(*session_, *this, "resume a group of", "resume_group", {{"group", group}});
}

namespace {

ResetResult reset(client::Session& session, const Queue& queue, std::string_view group,
                  const wire::ResetTarget& target) {
  wire::check_name("reset group", "group", group);
  const client::Packet reply =
      client::request_on(session, queue, "reset a group of", "reset_group",
                         {{"group", group}, {"to", wire::encode(target)}}, client::Repeat::never);
  return wire::decode_reset_result(reply.body, wire::error_subject("reset a group of", queue.name()));
}

}  // namespace

ResetResult Queue::reset_group(std::string_view group, Start to) const {
  return reset(*session_, *this, group, {.start = to});
}

ResetResult Queue::reset_group(std::string_view group, PublishTime published) const {
  // A time before 1970 is before that of each message.
  const auto us = std::max(published.time_since_epoch() / std::chrono::microseconds(1), std::int64_t{0});
  return reset(*session_, *this, group, {.published_us = static_cast<std::uint64_t>(us)});
}

ResetResult Queue::reset_group(std::string_view group, std::uint64_t position) const {
  return reset(*session_, *this, group, {.position = position});
}

QueueInfo Queue::describe() const { return client::describe(*session_, *this).info; }

}  // namespace beltway
