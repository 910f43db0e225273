// See queue.hpp: each member is a request to the daemon, or an attach.
#include "beltway/queue.hpp"

#include <algorithm>

#include "client/ask_until.hpp"
#include "client/attach.hpp"
#include "client/queue_request.hpp"
#include "os/bell.hpp"
#include "wire/json_reader.hpp"
#include "wire/validate.hpp"

namespace beltway {

using nlohmann::json;

namespace detail {

namespace {

protocol::Description description_in(const Packet& reply, const Queue& queue) {
  const std::string what = error_subject("describe", queue.name());
  return protocol::decode_description(JsonReader(reply.body, what).object("queue"), what);
}

}  // namespace

Packet request_on(Session& session, const Queue& queue, std::string_view operation, std::string_view op, json body,
                  Repeat repeat) {
  body["queue"] = queue.id();
  return session.request(error_subject(operation, queue.name()), op, std::move(body), repeat);
}

protocol::Description describe(Session& session, const Queue& queue) {
  return description_in(request_on(session, queue, "describe", "describe"), queue);
}

protocol::Description describe_until(Session& session, const Queue& queue, const Until& until) {
  const std::string what = error_subject("describe", queue.name());
  return description_in(session.request_until(what, "describe", {{"queue", queue.id()}}, until), queue);
}

}  // namespace detail

Queue::Queue(std::shared_ptr<detail::Session> session, QueueInfo info)
    : session_(std::move(session)), name_(std::move(info.name)), id_(info.id), options_(std::move(info.options)) {}

namespace {

/// Before an endpoint is made: others than the queue's user may have its bells, too.
void beware_of_strangers(const QueueOptions& options) noexcept {
  if ((options.mode & 0066U) != 0) kernel::ring_without_waiting();
}

}  // namespace

Producer Queue::producer(const ProducerOptions& options) const {
  beware_of_strangers(options_);
  const protocol::AttachRequest request{.role = protocol::Role::producer};
  return make_producer(detail::attach_endpoint(session_, {name_, id_, geometry_of(options_)}, request,
                                               {.populate = options.populate, .lock = options.lock_memory}),
                       options);
}

Consumer Queue::consumer(const ConsumerOptions& options) const {
  check_options(error_subject("attach", name_), options);
  beware_of_strangers(options_);
  const protocol::AttachRequest request{.role = protocol::Role::consumer, .consumer = options};
  return make_consumer(detail::attach_endpoint(session_, {name_, id_, geometry_of(options_)}, request,
                                               {.populate = options.populate, .lock = options.lock_memory}),
                       options);
}

namespace {

Status wait_for_endpoints(detail::Session& session, const Queue& queue, bool producers, unsigned count,
                          const Until& until) {
  return detail::ask_until(until, [&] {
    const QueueInfo info = detail::describe_until(session, queue, until).info;
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
  check_group(error_subject("add a group to", name_), group);
  detail::request_on(*session_, *this, "add a group to", "add_group",
                     {{"group", protocol::encode(group)}, {"start", word_of(start)}});
}

void Queue::remove_group(std::string_view group) const {
  check_name("remove group", "group", group);
  detail::request_on(*session_, *this, "remove a group of", "remove_group", {{"group", group}}, detail::Repeat::never);
}

PurgeResult Queue::purge(std::string_view group) const {
  check_name("purge group", "group", group);
  const Packet reply =
      detail::request_on(*session_, *this, "purge a group of", "purge", {{"group", group}}, detail::Repeat::never);
  return protocol::decode_purge_result(reply.body, error_subject("purge a group of", name_));
}

QueueInfo Queue::describe() const { return detail::describe(*session_, *this).info; }

}  // namespace beltway
