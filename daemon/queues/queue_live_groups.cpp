// Pausing and resetting named groups while their consumers stay attached. See queue.hpp.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "queues/queue.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"

namespace beltway::daemon {

bool Queue::pause_group(const std::string& name) {
  const unsigned index = group_or_throw(name, "pause a group of");
  std::optional<std::chrono::milliseconds>& since = record_.groups[index].paused_since;
  const bool changes = !since;
  if (changes) {
    since = std::chrono::floor<std::chrono::milliseconds>(Clock::now().time_since_epoch());
    save();
    spdlog::info("queue {}, group {}: paused", record_.name, name);
  }
  ring::pause(memory_, index);
  return changes;
}

bool Queue::resume_group(const std::string& name) {
  const unsigned index = group_or_throw(name, "resume a group of");
  const bool changes = record_.groups[index].paused_since.has_value();
  if (changes) {
    record_.groups[index].paused_since.reset();
    save();
    spdlog::info("queue {}, group {}: resumed", record_.name, name);
  }
  ring::resume(memory_, index);
  return changes;
}

namespace {

/// Where the target lies. Throws Error(invalid_option) if the ring does not have the position.
ring::Position find_target(const ring::QueueMemory& memory, const wire::ResetTarget& target,
                           const std::string& context) {
  const ring::Position tail = ring::load_tail(memory);
  // A ring that is not full yet begins with position 0.
  const ring::Position oldest = tail < memory.geometry.slots ? 0 : ring::wrap(tail - memory.geometry.slots);
  if (target.published_us) return find_published(memory, *target.published_us, context);
  if (!target.position) return target.start == Start::oldest ? oldest : tail;
  const ring::Position position = ring::wrap(*target.position);
  if (position == *target.position && ring::distance(position, tail) <= 0 && ring::distance(position, oldest) >= 0) {
    return position;
  }
  throw Error(Errc::invalid_option, context + ": position " + std::to_string(*target.position) +
                                        " is not in the ring, which has " + std::to_string(oldest) + " to " +
                                        std::to_string(tail) + "; name one of these, \"oldest\" or \"latest\"");
}

}  // namespace

ResetResult Queue::reset_group(const std::string& name, const wire::ResetTarget& target) {
  const unsigned index = group_or_throw(name, "reset a group of");
  heal("at a reset");
  const ring::Position to = find_target(memory_, target, wire::error_subject("reset a group of", record_.name));
  ring::Reset done;
  if (target.position || target.published_us || target.start == Start::oldest) {
    record_.groups[index].reset_to = to;
    save();
    done = finish_reset(index).value_or(done);
  } else {
    done = ring::skip(memory_, index, to);
  }
  spdlog::info("queue {}, group {}: begins at position {} now", record_.name, name, to);
  const ring::Position floor = ring::wrap(memory_.group(index).floor.load_acquire());
  return {.position = ring::distance(floor, to) > 0 ? floor : to,
          .acknowledged = done.acknowledged,
          .restored = done.restored,
          .held = done.held};
}

std::optional<ring::Reset> Queue::finish_reset(unsigned index) noexcept {
  std::optional<ring::Position>& to = record_.groups[index].reset_to;
  if (!to) return std::nullopt;
  const ring::Reset done = ring::reset(memory_, index, *to);
  to.reset();
  try {
    save();
  } catch (const std::exception& error) {
    spdlog::error("queue {}: {}", record_.name, error.what());
  }
  return done;
}

}  // namespace beltway::daemon
