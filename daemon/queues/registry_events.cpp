// Events that no request tells: the start of the daemon, and what a look about once a second finds. See registry.hpp.
#include <unistd.h>

#include "beltway/version.hpp"
#include "queues/registry.hpp"

namespace beltway::daemon {

void Registry::tell_start(std::size_t taken_over) noexcept {
  try {
    const bool first = !events().was_taken_over() && taken_over == 0;
    StoredEvent started{.event = {}, .is_public = true};
    started.event.kind = first ? "started" : "taken_over";
    started.event.pid = ::getpid();
    started.event.uid = ::geteuid();
    started.event.command = "beltwayd";
    started.event.text =
        "daemon " + std::string(k_version) +
        (first ? " started" : " goes on with " + std::to_string(taken_over) + " queues of the one before");
    events().add(std::move(started));
  } catch (const std::exception&) {  // no memory: the daemon starts without this event
  }
}

void Registry::look_for_events() noexcept {
  may_have_events_ = false;
  for (const auto& [name, queue] : queues_) {
    const bool is_busy = queue->is_busy();  // then the next look shows it
    if (!is_busy && queue->may_have_events()) queue->look_for_events();
    may_have_events_ = may_have_events_ || is_busy || queue->may_have_events();
  }
}

}  // namespace beltway::daemon
