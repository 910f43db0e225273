// One message of a named group, for its owner: acknowledge it, or keep it from the consumers for a while. See queue.hpp.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/tool_command.hpp"
#include "queues/queue.hpp"
#include "ring/one_message.hpp"
#include "ring/redelivery.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

using ring::MessageStanding;
using std::chrono::milliseconds;

namespace {

ring::Position checked_position(std::uint64_t position, const std::string& context) {
  if (ring::wrap(position) == position) return position;
  throw Error(Errc::invalid_option, context + ": " + std::to_string(position) + " is no position of a queue");
}

}  // namespace

std::string Queue::owner_text(unsigned owner) const {
  if (!memory_.is_endpoint(owner)) return "the daemon, for another request";
  const unsigned place = memory_.endpoint_index(owner);
  const EndpointRecord& endpoint = record_.endpoints[place];
  if (!endpoint.attached) return "an endpoint that is gone";
  return endpoint_text(place) + " (process " + std::to_string(endpoint.pid) +
         (endpoint.command.empty() ? ")" : ", " + endpoint.command + ")");
}

void Queue::require_waiting(const ring::OneMessage& message, ring::Position position,
                            const std::string& context) const {
  const std::string which = context + ": the message at position " + std::to_string(position);
  switch (message.standing) {
    case MessageStanding::waits: return;
    case MessageStanding::held:
      throw Error(Errc::misuse,
                  which + " is held by " + owner_text(message.owner) +
                      ", which must end it; to take it away, evict that consumer (\"beltway evict\") or end "
                      "its process");
    case MessageStanding::writing:
      throw Error(Errc::misuse, which + " is not published yet: " + owner_text(message.owner) + " writes it");
    case MessageStanding::finished: throw Error(Errc::not_found, which + " is done: the group needs it no more");
    case MessageStanding::absent: break;
  }
  throw Error(Errc::not_found, context + ": there is no message at position " + std::to_string(position) + "; \"" +
                                   tool_command("peek", {record_.name}, "--group GROUP") +
                                   "\" shows those that are there");
}

void Queue::ack_message(const std::string& name, std::uint64_t position) {
  const std::string operation = "acknowledge a message of";
  const unsigned index = group_or_throw(name, operation);
  const std::string context = wire::error_subject(operation, record_.name);
  const ring::Position at = checked_position(position, context);
  require_waiting(ring::ack_message(memory_, index, at), at, context);
  spdlog::info("queue {}, group {}: the message at position {} is acknowledged by an operator", record_.name, name, at);
}

milliseconds Queue::hold_message(const std::string& name, std::uint64_t position, milliseconds time) {
  const std::string operation = "hold a message of";
  const unsigned index = group_or_throw(name, operation);
  const std::string context = wire::error_subject(operation, record_.name);
  const ring::Position at = checked_position(position, context);
  const std::uint64_t now = ring::now_us();
  const std::uint64_t due = time.count() == 0 ? 0 : now + static_cast<std::uint64_t>(time.count()) * 1000;
  const ring::OneMessage before = ring::hold_message(memory_, index, at, due);
  require_waiting(before, at, context);
  if (before.due_us <= now || before.is_kept_by_operator) return milliseconds(0);
  return milliseconds(std::min<std::uint64_t>((before.due_us - now) / 1000, k_max_retry_delay_ms));
}

}  // namespace beltway::daemon
