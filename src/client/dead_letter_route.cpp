// See dead_letter_route.hpp.
#include "client/dead_letter_route.hpp"

#include <chrono>
#include <utility>

#include "ring/redelivery.hpp"
#include "ring/tuning.hpp"
#include "wire/json_reader.hpp"
#include "wire/options_schema.hpp"
#include "wire/validate.hpp"

namespace beltway::client {

namespace {

QueueInfo open_queue(Session& session, const std::string& name, const Until* caller) {
  const std::string context = wire::error_subject("open", name);
  nlohmann::json body{{"name", name}};
  const Packet reply = caller != nullptr ? session.request_until(context, "open", std::move(body), *caller)
                                         : session.request(context, "open", std::move(body));
  return wire::decode_description(wire::JsonReader(reply.body, context).object("queue"), context).info;
}

/// `caller`: when to give up; null: as the options of the connection say.
std::shared_ptr<DeadLetterTarget> attach_target(const std::shared_ptr<Session>& session, const std::string& name,
                                                const Until* caller) {
  const QueueInfo info = open_queue(*session, name, caller);
  beware_of_strangers(info.options);
  const wire::AttachRequest request{.role = wire::Role::producer};
  return std::make_shared<DeadLetterTarget>(endpoint::make_producer(
      attach_endpoint(session, {info.name, info.id, wire::geometry_of(info.options)}, request, {.caller = caller}),
      {}));
}

std::shared_ptr<DeadLetterTarget> share_target(const std::shared_ptr<Session>& session, const std::string& name,
                                               const Until* caller) {
  return session->dead_letter_targets().find_or_make(name, caller,
                                                     [&] { return attach_target(session, name, caller); });
}

}  // namespace

std::shared_ptr<DeadLetterTarget> DeadLetterTargets::find_or_make(
    const std::string& name, const Until* caller, const std::function<std::shared_ptr<DeadLetterTarget>()>& make) {
  // Held while the daemon is asked, so that two threads make one producer. A thread that may not wait comes later.
  std::unique_lock lock(mutex_, std::defer_lock);
  if (caller == nullptr) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return nullptr;
  }
  std::erase_if(targets_, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = targets_.find(name); found != targets_.end()) {
    const std::shared_ptr<DeadLetterTarget> target = found->second.lock();
    if (target && !target->is_gone()) return target;
  }
  std::shared_ptr<DeadLetterTarget> made = make();
  targets_[name] = made;
  return made;
}

endpoint::Move DeadLetterTarget::move(const ring::SlotView& view, const DeadLetter& letter,
                                      const ring::NamedReader& reader) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    Status status = Status::full;
    const endpoint::Move moved = endpoint::try_move(producer_, view, letter, reader, status);
    if (moved == endpoint::Move::not_now && status == Status::removed) gone_.store(true, std::memory_order_relaxed);
    return moved;
  } catch (...) {  // no memory, or a producer that cannot be used any more
    gone_.store(true, std::memory_order_relaxed);
    return endpoint::Move::not_now;
  }
}

void DeadLetterRoute::open(const std::string& target) {
  try {
    std::shared_ptr<DeadLetterTarget> made = share_target(session_, target, nullptr);
    const std::lock_guard lock(mutex_);
    target_ = std::move(made);
  } catch (const Error& error) {
    throw Error(error.reason(), wire::error_subject("attach", origin_.name) + ": group \"" + group_ +
                                    "\" moves failed messages to \"" + target +
                                    "\", which this process cannot: " + error.what());
  }
}

endpoint::Move DeadLetterRoute::move(const ring::SlotView& view, const DeadLetter& letter,
                                     const ring::NamedReader& reader) noexcept {
  const std::shared_ptr<DeadLetterTarget> target = find_target();
  return target ? target->move(view, letter, reader) : endpoint::Move::not_now;
}

std::shared_ptr<DeadLetterTarget> DeadLetterRoute::find_target() noexcept {
  std::shared_ptr<DeadLetterTarget> found;  // what is released at the end may detach: without the lock
  std::unique_lock lock(mutex_);
  if (target_ && !target_->is_gone()) found = target_;
  if (found && !is_stale_.load(std::memory_order_relaxed)) return found;
  const std::uint64_t now = ring::now_us();
  if (is_asking_ || (asked_us_ != 0 && now - asked_us_ < ring::k_dead_letter_open_us)) return found;
  is_asking_ = true;
  asked_us_ = now;
  is_stale_.store(false, std::memory_order_relaxed);
  lock.unlock();
  try {
    found = ask();
  } catch (...) {  // no daemon, no queue, no right, no room: later, and until then where it went before
    is_stale_.store(true, std::memory_order_relaxed);
  }
  lock.lock();
  is_asking_ = false;
  std::shared_ptr<DeadLetterTarget> released = std::exchange(target_, found);
  lock.unlock();
  return found;
}

std::shared_ptr<DeadLetterTarget> DeadLetterRoute::ask() const {
  const Until caller{std::chrono::microseconds(ring::k_dead_letter_patience_us)};
  const std::string context = wire::error_subject("describe", origin_.name);
  const Packet reply = session_->request_until(context, "describe", {{"queue", origin_.id}}, caller);
  const QueueInfo info = wire::decode_description(wire::JsonReader(reply.body, context).object("queue"), context).info;
  for (const NamedGroup& group : info.options.groups) {
    if (group.name != group_) continue;
    const std::string& name = group.options.dead_letter ? *group.options.dead_letter : info.options.dead_letter;
    return name.empty() ? nullptr : share_target(session_, name, &caller);
  }
  return nullptr;
}

}  // namespace beltway::client
