// See requeueing.hpp.
#include "tool/acts/requeueing.hpp"

#include <utility>

#include "base/tool_command.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

/// The queue in which the message failed; empty: the message is no dead letter.
std::string origin_of(const Message& message) {
  const PropertiesView properties = message.properties();
  const DeadLetter* const letter = properties.dead_letter();
  return letter == nullptr ? std::string() : std::string(letter->queue);
}

}  // namespace

Requeueing::Requeueing(Connection connection, Consumer& consumer, RequeuePlan plan, std::stop_token stop)
    : connection_(std::move(connection)), consumer_(consumer), plan_(std::move(plan)), stop_(std::move(stop)) {}

void Requeueing::run() {
  if (!plan_.to.empty()) target(plan_.to);
  try {
    for (std::uint64_t seen = 0; seen < plan_.there && messages_ < plan_.most && !stop_.stop_requested(); ++seen) {
      Result<Message> message = consumer_.try_receive();
      if (message.status() == Status::removed || message.status() == Status::evicted) {
        throw failure_of(message.status(), "requeue \"" + consumer_.queue_name() + "\"");
      }
      if (!message || !move(std::move(*message))) break;
    }
  } catch (...) {
    give_back();
    throw;
  }
  give_back();
}

bool Requeueing::move(Message message) {
  const std::string origin = origin_of(message);
  const std::string& name = plan_.to.empty() ? origin : plan_.to;
  Kept kept{.position = message.position(), .origin = origin};
  if (name.empty() || name == consumer_.queue_name()) {
    kept.why =
        name.empty() ? "it has no origin; name a queue with --to" : "its origin is this queue; name another with --to";
    keep(std::move(message), std::move(kept));
    return true;
  }
  Target& to = target(name);
  if (to.failure) {
    kept.why = to.failure->what();
    kept.forbidden = to.failure->reason() == Errc::no_permission;
    keep(std::move(message), std::move(kept));
    return true;
  }
  const std::uint64_t bytes = message.size();
  const Status status = publish(*to.producer, message);
  if (status == Status::ok) {
    message.ack();
    ++messages_;
    ++moved_[name];
    bytes_ += bytes;
    if (plan_.progress != nullptr) plan_.progress->set(messages_, bytes_);
    return true;
  }
  if (status == Status::too_large || status == Status::removed || status == Status::evicted) {
    kept.why = failure_of(status, "publish to \"" + name + "\"").what();
    if (status != Status::too_large) to.failure = Error(Errc::removed, kept.why);
    keep(std::move(message), std::move(kept));
    return true;
  }
  held_.push_back(std::move(message));
  if (status == Status::stopped) return false;
  if (status != Status::timeout) throw failure_of(status, "publish to \"" + name + "\"");
  throw Failure(ExitCode::timeout, "publish to \"" + name + "\": full for " +
                                       format_duration(plan_.timeout.value_or(std::chrono::nanoseconds{})) + " (" +
                                       std::to_string(messages_) + " messages are requeued); \"" +
                                       tool_command("show", {name}) + "\" names the processes that hold it");
}

Status Requeueing::publish(Producer& producer, const Message& message) const {
  const PropertiesView view = message.properties();
  Properties properties = view;  // the dead letter fields stay: a second failure keeps the time of the first one
  const Status status = producer.publish_until(message.bytes(), properties, until());
  if (status != Status::too_large || properties.dead_letter == nullptr) return status;
  properties.dead_letter = nullptr;  // as it was in its origin, it fits there
  return producer.publish_until(message.bytes(), properties, until());
}

Requeueing::Target& Requeueing::target(const std::string& name) {
  const auto [at, is_new] = targets_.try_emplace(name);
  Target& target = at->second;
  if (!is_new) return target;
  try {
    target.producer = connection_.open_queue(name).producer();
  } catch (const Error& error) {
    if (!plan_.to.empty()) throw;  // no message can go anywhere
    target.failure = error;
  }
  return target;
}

void Requeueing::keep(Message message, Kept kept) {
  kept_.push_back(std::move(kept));
  held_.push_back(std::move(message));
}

void Requeueing::give_back() noexcept {
  for (Message& message : held_) message.nack(std::chrono::microseconds(0));
  held_.clear();
}

}  // namespace beltway::tool
