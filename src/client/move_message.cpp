// Queue::evict(), ack_message() and move_message(): what an operator does about one consumer and one message.
//
// A move: (1) the daemon keeps the message from all consumers for a time (hold_message), (2) it is copied, (3) published in the
// target, (4) acknowledged by the daemon. If this process ends before 4, the message is delivered when that time is over.
#include <algorithm>
#include <chrono>
#include <string>

#include "base/tool_command.hpp"
#include "beltway/queue.hpp"
#include "client/attach.hpp"
#include "client/inspect.hpp"
#include "client/queue_request.hpp"
#include "wire/json_reader.hpp"
#include "wire/validate.hpp"

namespace beltway {

namespace {

using std::chrono::milliseconds;

/// How long the message is kept from the consumers. If this process ends in between, it is delivered after this time at the
/// latest.
constexpr milliseconds k_hold{60'000};

constexpr const char* k_move = "move a message of";

/// Lets the message wait for so long. Returns how long it would have waited otherwise.
milliseconds hold(client::Session& session, const Queue& queue, std::string_view group, std::uint64_t position,
                  milliseconds time) {
  const client::Packet reply = client::request_on(session, queue, k_move, "hold_message",
                                                  {{"group", group}, {"position", position}, {"for_ms", time.count()}});
  const wire::JsonReader fields(reply.body, wire::error_subject(k_move, queue.name()));
  return milliseconds(fields.number<std::uint32_t>("waited_ms"));
}

PeekedMessage copy(client::Session& session, const Queue& queue, std::string_view group, std::uint64_t position) {
  const client::Inspection inspection =
      client::attach_inspector(session, {queue.name(), queue.id(), wire::geometry_of(queue.options())});
  const wire::Description description = client::describe(session, queue);
  const auto at = wire::find_group(description, group);
  std::optional<PeekedMessage> message;
  if (at) message = client::copy_message_at(inspection.memory, description.group_indexes[*at], position);
  if (message) return std::move(*message);
  throw Error(Errc::not_found, wire::error_subject(k_move, queue.name()) + ": the message at position " +
                                   std::to_string(position) + " was there and is gone; \"" +
                                   tool_command("peek", {queue.name()}, "--group " + std::string(group)) +
                                   "\" shows those that are there");
}

/// ok, timeout or stopped. Throws Error for all else that keeps the target from taking it.
Status publish(const Queue& target, const PeekedMessage& message, const Until& until, const std::string& context) {
  const PropertiesView view(message.properties_block);
  Properties properties = view;
  if (const auto end = view.expires_at()) {
    const auto left = std::chrono::ceil<milliseconds>(*end - std::chrono::steady_clock::now());
    properties.ttl = std::max(left, milliseconds(1));
  }
  Producer producer = target.producer();
  Status status = producer.publish_until(message.bytes, properties, until);
  if (status == Status::too_large && properties.dead_letter != nullptr) {
    properties.dead_letter = nullptr;  // without them it fits a queue as large as its origin
    status = producer.publish_until(message.bytes, properties, until);
  }
  if (status == Status::too_large) {
    throw Error(Errc::too_large, context + ": the message does not fit into \"" + target.name() +
                                     "\"; declare a queue with larger slots or lanes. The message stays where it is");
  }
  if (status == Status::removed) {
    throw Error(Errc::removed,
                context + ": \"" + target.name() + "\" was removed meanwhile. The message stays where it is");
  }
  return status;
}

/// Until the hold is half over, so that the message is acknowledged before it is delivered again.
Until bounded(const Until& until) {
  const auto latest = Until::Clock::now() + k_hold / 2;
  return {std::min(until.deadline().value_or(latest), latest), until.stop()};
}

}  // namespace

void Queue::evict(unsigned consumer) const {
  client::request_on(*session_, *this, "evict a consumer of", "evict", {{"consumer", consumer}});
}

void Queue::ack_message(std::string_view group, std::uint64_t position) const {
  wire::check_name("acknowledge", "group", group);
  client::request_on(*session_, *this, "acknowledge a message of", "ack_message",
                     {{"group", group}, {"position", position}}, client::Repeat::never);
}

Status Queue::move_message(std::string_view group, std::uint64_t position, const Queue& target,
                           const Until& until) const {
  wire::check_name("move", "group", group);
  const std::string context = wire::error_subject(k_move, name_);
  if (target.id() == id_) {
    throw Error(Errc::invalid_option, context + ": the target is the same queue; name another one");
  }
  const Until end = bounded(until);
  const milliseconds waited = hold(*session_, *this, group, position, k_hold);
  const auto give_back = [&]() noexcept {
    try {
      hold(*session_, *this, group, position, waited);
    } catch (const std::exception&) {  // then it is delivered when the hold is over
    }
  };
  try {
    const Status status = publish(target, copy(*session_, *this, group, position), end, context);
    if (status != Status::ok) {
      give_back();
      return status;
    }
  } catch (...) {
    give_back();
    throw;
  }
  try {
    client::request_on(*session_, *this, k_move, "ack_message",
                       {{"group", group}, {"position", position}, {"moved_to", target.name()}}, client::Repeat::never);
  } catch (const Error& error) {
    throw Error(error.reason(), std::string(error.what()) + ". It was published in \"" + target.name() +
                                    "\" before: it may be in both queues");
  }
  return Status::ok;
}

}  // namespace beltway
